"""Runs, the same on SQLite and Postgres; and runs in a folder where no table takes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tiercast.adapters.home import RunFolder, RunsInEither
from tiercast.adapters.sql_runs import SqlRunLog
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.ports.runs import RunLog, RunRecord

T0 = datetime(2026, 1, 10, 12, tzinfo=UTC)
DOCUMENT = {"status": "held", "reason": 'Zu wenig Videos – 日本 "x" \\N', "findings": [{"observed": None, "n": 0.1}]}


def record(run: str, hours: int = 0) -> RunRecord:
    return RunRecord(run, Moment.OBSERVED, "held", T0 + timedelta(hours=hours), DOCUMENT)


@pytest.fixture(params=["sqlite", "postgres", "folder"])
def log(request: Any, tmp_path: Path) -> RunLog:
    if request.param == "folder":
        return RunFolder(tmp_path / "home" / "runs")
    return SqlRunLog(request.getfixturevalue(request.param).engine, "the database")


def test_a_run_comes_back_as_it_was_saved(log: RunLog) -> None:
    log.save(record("20260110-120000-ab12"))
    assert log.get("20260110-120000-ab12") == record("20260110-120000-ab12")


def test_the_newest_runs_come_first(log: RunLog) -> None:
    for hour in (3, 1, 2):
        log.save(record(f"2026011{hour}-120000-x", hours=24 * hour))
    assert [found.run[7] for found in log.recent(2)] == ["3", "2"]
    assert len(log.recent(9)) == 3


def test_a_log_without_runs_is_empty(log: RunLog) -> None:
    assert log.recent(5) == []


def test_a_run_is_found_by_any_prefix_that_only_it_has(log: RunLog) -> None:
    log.save(record("aa1"))
    log.save(record("aa2"))
    log.save(record("b_1"))
    assert log.get("aa2").run == "aa2"
    assert log.get("b").run == "b_1"
    with pytest.raises(InvalidInput, match="Run 'aa' is not unique: aa1, aa2"):
        log.get("aa")


@pytest.mark.parametrize("unknown", ["zz", "a%", "a_", "../x", "aa1x"])
def test_an_unknown_run_is_missing_with_where_to_look(log: RunLog, unknown: str) -> None:
    log.save(record("aa1"))
    with pytest.raises(Missing, match=r"There is no run .* 'tiercast runs' lists them"):
        log.get(unknown)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
@example(
    datetime(2038, 1, 19, 4, 0, 0, 116, tzinfo=UTC)
)  # 2**31 seconds after 1970, where floats are twice as far apart
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_run_started_when_it_started_to_the_microsecond(sqlite: Any, started_at: datetime) -> None:
    log = SqlRunLog(sqlite.engine, "the database")
    run = started_at.isoformat()
    if not any(found.run == run for found in log.recent(1_000)):
        log.save(RunRecord(run, Moment.OBSERVED, "held", started_at, {}))
    assert log.get(run).started_at == started_at


def test_nan_never_enters_the_log(log: RunLog) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        log.save(RunRecord("r", Moment.OBSERVED, "held", T0, {"accuracy": float("nan")}))
    assert log.recent(5) == []


def test_a_damaged_run_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "r1.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"r1\.json cannot be read .* Move it away"):
        RunFolder(tmp_path).get("r1")


def test_a_run_that_the_table_does_not_take_goes_to_the_folder_and_is_found_there(
    database: Any, tmp_path: Path
) -> None:
    table, folder = SqlRunLog(database.engine, "the database"), RunFolder(tmp_path / "runs")
    either = RunsInEither(table, folder)
    either.save(record("first", hours=1))
    assert folder.recent(5) == []
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {database.schema}runs RENAME TO hidden"))
    either.save(record("second", hours=2))
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {database.schema}hidden RENAME TO runs"))
    assert [found.run for found in either.recent(5)] == ["second", "first"]
    assert [found.run for found in either.recent(1)] == ["second"]
    assert either.get("sec") == record("second", hours=2)
    assert either.get("first") == record("first", hours=1)
    with pytest.raises(Missing):
        either.get("third")


def test_the_runs_of_one_retrain_are_found_by_its_id_alone(log: RunLog) -> None:
    for hours, run in enumerate(("aa", "aa-draft", "aa-early", "aab", "aa-other")):
        log.save(record(run, hours))
    assert [found.run for found in log.of("aa")] == ["aa", "aa-draft", "aa-early"]
    assert [found.run for found in log.of("aa-early")] == ["aa-early"]
    assert log.of("a") == log.of("../aa") == []
