"""The schedule inside a server: when it wakes up, who has the slot, and what is left out."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Literal

import pytest
import structlog

from tiercast.adapters.databases import open_sqlite
from tiercast.adapters.sql_slots import SqlSlots
from tiercast.core.cron import CronLine
from tiercast.core.errors import Busy, InvalidInput, Unavailable
from tiercast.serving import schedule as scheduling
from tiercast.serving.retraining import Retrainer
from tiercast.serving.schedule import JITTER_SECONDS, Schedule, open_schedule, trigger_of
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

EVERY_MINUTE = "* * * * *"
MONDAY = datetime(2026, 11, 23, 3, tzinfo=UTC)
PATIENCE_SECONDS = 60


class Starts(Retrainer):
    """A Retrainer that notes what it is asked to start, and may be busy or without a database."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.sources: Queue[str] = Queue()
        self._trouble = trouble

    def start(self, source: Literal["cron", "schedule"]) -> str:
        self.sources.put(source)
        if self._trouble:
            raise self._trouble
        return "20261123T030000-abcdef"


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[SqlSlots]:
    engine = open_sqlite(tmp_path / "videos.db")
    yield SqlSlots(engine, "the database", "retrain")
    engine.dispose()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock by which a slot is found."""
    return lambda moment: monkeypatch.setattr(scheduling, "now", lambda: moment)


def test_the_default_wakes_up_on_monday_at_three_within_the_jitter(slots: SqlSlots, tmp_path: Path) -> None:
    """APScheduler's own reading of the same line would be Tuesday."""
    line = read_settings(tmp_path).retrain.schedule
    trigger = trigger_of(CronLine.parse(line))
    woken = [trigger.get_next_fire_time(None, MONDAY - timedelta(days=day, seconds=1)) for day in range(7)]
    assert all(timedelta(0) <= each - MONDAY <= timedelta(seconds=JITTER_SECONDS) for each in woken)
    following = trigger.get_next_fire_time(woken[0], woken[0] + timedelta(seconds=1))
    assert timedelta(0) <= following - MONDAY - timedelta(weeks=1) <= timedelta(seconds=JITTER_SECONDS)


def test_two_restricted_day_fields_wake_up_on_either(slots: SqlSlots) -> None:
    trigger = trigger_of(CronLine.parse("0 3 25 * 1"))
    first = trigger.get_next_fire_time(None, MONDAY - timedelta(seconds=1))
    second = trigger.get_next_fire_time(first, first + timedelta(seconds=1))
    assert [first.day, second.day] == [23, 25]


def test_a_schedule_that_is_due_starts_one_retrain(slots: SqlSlots) -> None:
    retrainer = Starts()
    schedule = Schedule(EVERY_MINUTE, retrainer, lambda: slots)
    schedule.start()
    schedule._job.modify(next_run_time=datetime.now(UTC))
    assert retrainer.sources.get(timeout=PATIENCE_SECONDS) == "schedule"
    schedule.close()
    assert slots.last() is not None


def test_of_eight_servers_one_starts_the_retrain(slots: SqlSlots, at: Callable[[datetime], None]) -> None:
    at(MONDAY + timedelta(seconds=17))
    retrainer = Starts()
    schedules = [Schedule("0 3 * * 1", retrainer, lambda: slots) for _ in range(8)]
    with ThreadPoolExecutor(8) as servers:
        started = list(servers.map(lambda schedule: schedule.due(), schedules))
    assert sorted(filter(None, started)) == ["20261123T030000-abcdef"]
    assert retrainer.sources.qsize() == 1
    assert slots.last() == MONDAY


def test_a_server_whose_clock_is_behind_has_no_slot_a_second_time(
    slots: SqlSlots, at: Callable[[datetime], None]
) -> None:
    schedule = Schedule("0 3 * * 1", Starts(), lambda: slots)
    at(MONDAY + timedelta(seconds=1))
    assert schedule.due() is not None
    at(MONDAY + timedelta(seconds=80))
    assert schedule.due() is None


def test_who_wakes_up_too_late_leaves_the_slot_out(slots: SqlSlots, at: Callable[[datetime], None]) -> None:
    retrainer = Starts()
    at(MONDAY + timedelta(minutes=5))
    with structlog.testing.capture_logs() as logs:
        assert Schedule("0 3 * * 1", retrainer, lambda: slots).due() is None
    assert [log["event"] for log in logs] == ["schedule woke up without a slot"]
    with pytest.raises(Empty):
        retrainer.sources.get_nowait()


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            Busy("A retrain is running already", "20261123T025900-abcdef", datetime(2026, 11, 23, tzinfo=UTC)),
            "a retrain is running already",
        ),
        (Unavailable("Could not use the database"), "slot left out"),
    ],
)
def test_a_slot_that_cannot_be_used_is_left_out_and_told(
    slots: SqlSlots, at: Callable[[datetime], None], trouble: Exception, told: str
) -> None:
    at(MONDAY)
    with structlog.testing.capture_logs() as logs:
        assert Schedule("0 3 * * 1", Starts(trouble), lambda: slots).due() is None
    assert told in logs[0]["event"]
    assert logs[0]["slot"] == MONDAY.isoformat()


def test_slots_that_passed_while_nobody_served_are_told_and_not_caught_up(
    slots: SqlSlots, at: Callable[[datetime], None]
) -> None:
    slots.claim(MONDAY - timedelta(weeks=3), "a server that is gone")
    at(MONDAY + timedelta(hours=5))
    retrainer = Starts()
    schedule = Schedule("0 3 * * 1", retrainer, lambda: slots)
    with structlog.testing.capture_logs() as logs:
        schedule.start()
        schedule.say_unused()
    schedule.close()
    (missed,) = [log for log in logs if log["log_level"] == "warning"]
    assert missed["newest_missed"] == MONDAY.isoformat()
    assert retrainer.sources.empty()


@pytest.mark.parametrize("last", [None, MONDAY])
def test_nothing_is_told_where_nothing_passed(
    slots: SqlSlots, at: Callable[[datetime], None], last: datetime | None
) -> None:
    if last:
        slots.claim(last, "a server")
    at(MONDAY + timedelta(hours=5))
    schedule = Schedule("0 3 * * 1", Starts(), lambda: slots)
    with structlog.testing.capture_logs() as logs:
        schedule.start()
        schedule.say_unused()
    schedule.close()
    assert [log["log_level"] for log in logs] == ["info"]


def test_an_empty_line_is_no_schedule_and_a_bad_one_names_setting_value_and_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiercast.toml").write_text('[retrain]\nschedule = " "')
    wiring: Any = Wiring(read_settings(tmp_path))
    assert open_schedule(wiring, Starts()) is None
    monkeypatch.setenv("TIERCAST_RETRAIN__SCHEDULE", "every monday")
    with pytest.raises(InvalidInput) as caught:
        read_settings(tmp_path)
    said = str(caught.value)
    assert "The setting retrain.schedule is 'every monday' (environment variable TIERCAST_RETRAIN__SCHEDULE)" in said
    assert "'0 3 * * 1' is every Monday at 03:00" in said


def test_a_server_starts_while_its_database_is_away(tmp_path: Path) -> None:
    (tmp_path / "tiercast.toml").write_text('database_url = "postgresql://ana:secret-word@127.0.0.1:1/videos"')
    schedule = open_schedule(Wiring(read_settings(tmp_path)), Starts())
    assert schedule is not None
    with structlog.testing.capture_logs() as logs:
        schedule.start()
        schedule.say_unused()
    schedule.close()
    assert [log["event"] for log in logs] == ["schedule", "schedule: earlier slots are unknown"]
    assert "secret-word" not in str(logs)
