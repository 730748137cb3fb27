"""The right to retrain, the same on SQLite and Postgres."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy.exc
from sqlalchemy import event, text

from tiercast.adapters import sql_lease
from tiercast.adapters.sql_lease import SqlLease, retrain_in_progress
from tiercast.core.errors import Busy, Unavailable

RUN = "20260110T120000-abc123"
THEIRS = "20260110T110000-7e1e57"


def lease(database: Any, run: str = RUN, token: str | None = None) -> SqlLease:
    return SqlLease(database.engine, "the database", run, token=token)


def leases(database: Any) -> list[Any]:
    with database.engine.connect() as connection:
        return list(connection.execute(text(f"SELECT holder, expires_at FROM {database.schema}leases")).all())


def change(database: Any, statement: str, **values: object) -> None:
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text(statement.format(leases=f"{database.schema}leases")), values)


def foreign(database: Any, *, expires_at: int, token: str = "0ff5") -> None:
    """A lease that a process on another machine took."""
    change(
        database,
        "INSERT INTO {leases} (name, holder, token, expires_at, run, taken_at)"
        " VALUES ('retrain', 'process 7 on elsewhere', :token, :at, :run, 1000000)",
        token=token,
        at=expires_at,
        run=THEIRS,
    )


def test_a_second_retrain_is_told_which_run_goes_on_and_for_how_long(database: Any) -> None:
    with lease(database):
        with pytest.raises(Busy) as caught, lease(database, THEIRS):
            pytest.fail("two held the lease")
        found = retrain_in_progress(database.engine, "the database")
    said = str(caught.value)
    assert caught.value.run == RUN
    assert said.startswith(f"A retrain is running already: {RUN}, process {os.getpid()} on ")
    assert "its lease ends by itself in" in said
    assert found is not None
    assert (found.run, f"process {os.getpid()} on" in found.holder) == (RUN, True)
    assert abs(datetime.now(UTC) - found.since) < timedelta(minutes=5)


def test_the_lease_is_free_again_afterwards(database: Any) -> None:
    with lease(database):
        pass
    assert leases(database) == []
    assert retrain_in_progress(database.engine, "the database") is None
    with lease(database):
        assert len(leases(database)) == 1


def test_the_lease_is_given_back_after_an_error(database: Any) -> None:
    with pytest.raises(RuntimeError, match="boom"), lease(database):
        raise RuntimeError("boom")
    assert leases(database) == []


def test_a_lease_that_cannot_be_kept_up_is_given_back(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more_threads(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    with pytest.raises(RuntimeError, match="thread"), lease(database):
        pass
    assert leases(database) == []


def test_a_refused_second_holder_does_not_end_the_first_lease(database: Any) -> None:
    with lease(database):
        for _ in range(2):
            with pytest.raises(Busy), lease(database):
                pass
        assert len(leases(database)) == 1


def test_the_lease_of_a_process_that_died_is_taken_over_once_it_has_expired(database: Any) -> None:
    foreign(database, expires_at=1)
    assert retrain_in_progress(database.engine, "the database") is None
    with lease(database):
        ((holder, expires_at),) = leases(database)
        assert "elsewhere" not in holder
        assert expires_at > 1_000_000
    assert leases(database) == []


def test_a_lease_that_has_not_expired_is_respected(database: Any) -> None:
    foreign(database, expires_at=2**53)
    with pytest.raises(Busy, match=f"{THEIRS}, process 7 on elsewhere, since 1970-01-01"), lease(database):
        pass
    assert leases(database) == [("process 7 on elsewhere", 2**53)]


def test_who_lost_the_lease_knows_it_and_leaves_the_new_holder_alone(database: Any) -> None:
    with lease(database) as held:
        held.ensure_held()
        change(database, "DELETE FROM {leases}")
        foreign(database, expires_at=2**53)
        with pytest.raises(Unavailable, match="This run lost its lease"):
            held.ensure_held()
    assert leases(database) == [("process 7 on elsewhere", 2**53)]


def test_an_expired_lease_that_nobody_took_over_is_still_held(database: Any) -> None:
    with lease(database) as held:
        change(database, "UPDATE {leases} SET expires_at = 1")
        held.ensure_held()
        assert retrain_in_progress(database.engine, "the database") is not None


def test_an_adopter_goes_on_where_who_took_the_lease_gives_up_nothing(database: Any) -> None:
    """As a server and the retrain that it started: from the hand-over on only the second one renews."""
    foreign(database, expires_at=1_000, token="0ff5")
    with lease(database, THEIRS, token="0ff5") as adopted:
        ((holder, expires_at),) = leases(database)
        assert holder == f"process {os.getpid()} on {holder.split(' on ')[1]}"
        assert expires_at > 1_000
        adopted.ensure_held()
        with pytest.raises(Busy) as caught, lease(database):
            pass
        assert caught.value.run == THEIRS
    assert leases(database) == []


def test_a_lease_that_is_gone_or_anothers_cannot_be_adopted(database: Any) -> None:
    with pytest.raises(Unavailable, match="lost its lease"), lease(database, THEIRS, token="0ff5"):
        pass
    with (
        lease(database),
        pytest.raises(Unavailable, match="another retrain may have begun") as caught,
        lease(database, THEIRS, token="0ff5"),
    ):
        pass
    assert not isinstance(caught.value, Busy), "its run was promised, so it is recorded as failed"


def test_who_handed_its_lease_over_renews_it_no_more_and_may_give_it_back(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_lease, "RENEW_SECONDS", 0.01)
    with lease(database) as first:
        change(database, "UPDATE {leases} SET holder = 'process 9 on here', expires_at = 5")
        first._renewal.join(60)
        assert not first._renewal.is_alive()
        assert leases(database) == [("process 9 on here", 5)]
    assert leases(database) == []


def test_a_living_holder_renews_its_lease(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_lease, "RENEW_SECONDS", 0.01)
    renewed = threading.Event()

    def seen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE") and "leases" in statement and aged.is_set():
            done.append(statement)
        if len(done) >= 2:  # the first may have been on its way already; once a second begins, it is committed
            renewed.set()

    aged, done = threading.Event(), []  # type: ignore[var-annotated]
    event.listen(database.engine, "after_cursor_execute", seen)
    with lease(database):
        change(database, "UPDATE {leases} AS aged SET expires_at = 1")
        aged.set()
        assert renewed.wait(60)
        ((_, expires_at),) = leases(database)
        assert expires_at > 1


@contextmanager
def without_connections(database: Any) -> Iterator[None]:
    """Others have every connection that the pool may open."""
    database.engine.pool._timeout = 0.01
    with ExitStack() as stack:
        with suppress(sqlalchemy.exc.TimeoutError):
            while True:
                stack.enter_context(database.engine.connect())
        yield


def test_a_lease_outlives_a_time_without_a_free_connection(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_lease, "RENEW_SECONDS", 0.01)
    tried, renewed = threading.Event(), SqlLease._renewed

    def counted(held: SqlLease) -> bool:
        found = renewed(held)
        tried.set()
        return found

    monkeypatch.setattr(SqlLease, "_renewed", counted)
    with lease(database) as held:
        with without_connections(database):
            for _ in range(2):  # the first may have had its connection before
                tried.clear()
                assert tried.wait(60)
            held.ensure_held()
        assert held._renewal.is_alive()
        tried.clear()
        assert tried.wait(60)
        assert not held._lost.is_set()


def test_a_lease_is_left_to_expire_where_no_connection_is_free(database: Any) -> None:
    held = lease(database).__enter__()
    with without_connections(database):
        held.__exit__()
    assert len(leases(database)) == 1


def _race(database: Any, start: Any, tells: Any, number: int) -> None:
    engine = database.reopen()
    start.wait()
    try:
        held = SqlLease(engine, "the database", f"run{number}")
        held.__enter__()
        tells.put(("held", f"run{number}"))
    except Busy as busy:
        tells.put(("busy", busy.run))
    engine.dispose()


def test_of_eight_processes_one_holds_the_lease_and_the_others_know_which(database: Any) -> None:
    """Forked, and none gives it back: the winner dies with it."""
    forked = multiprocessing.get_context("fork")
    start, tells = forked.Event(), forked.Queue()
    database.engine.dispose()
    racers = [forked.Process(target=_race, args=(database, start, tells, number)) for number in range(8)]
    for racer in racers:
        racer.start()
    start.set()
    told = [tells.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join(60)
    (winner,) = [run for what, run in told if what == "held"]
    assert [run for what, run in told if what == "busy"] == [winner] * 7
