"""Slots of the schedule, the same on SQLite and Postgres."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from tiercast.adapters.sql_slots import KEEP, SqlSlots
from tiercast.core.errors import Unavailable

MONDAY = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture
def slots(database: Any) -> Callable[[], SqlSlots]:
    return lambda: SqlSlots(database.engine, "the database", "retrain")


def test_a_slot_is_had_once(slots: Callable[[], SqlSlots]) -> None:
    assert slots().last() is None
    assert slots().claim(MONDAY, "a")
    assert not slots().claim(MONDAY, "b")
    assert slots().last() == MONDAY
    assert slots().claim(MONDAY + timedelta(minutes=1), "b")
    assert slots().last() == MONDAY + timedelta(minutes=1)


def test_other_schedules_have_slots_of_their_own(database: Any, slots: Callable[[], SqlSlots]) -> None:
    assert slots().claim(MONDAY, "a")
    other = SqlSlots(database.engine, "the database", "other")
    assert other.last() is None
    assert other.claim(MONDAY, "a")


def test_old_slots_are_removed_with_the_next_claim(database: Any, slots: Callable[[], SqlSlots]) -> None:
    SqlSlots(database.engine, "the database", "other").claim(MONDAY, "a")
    for weeks in range(8):
        assert slots().claim(MONDAY + timedelta(weeks=weeks), "a")
    with database.engine.connect() as connection:
        counts = f"SELECT name, count(*) FROM {database.schema}slots GROUP BY name ORDER BY name"
        assert [tuple(row) for row in connection.execute(text(counts))] == [
            ("other", 1),
            ("retrain", KEEP.days // 7 + 1),
        ]


def test_a_table_that_is_gone_is_unavailable_and_no_claim(database: Any, slots: Callable[[], SqlSlots]) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {database.schema}slots RENAME TO hidden"))
    with pytest.raises(Unavailable, match="Could not use the database"):
        slots().claim(MONDAY, "a")


def test_of_eight_servers_one_has_the_slot(database: Any) -> None:
    engines = [database.reopen() for _ in range(8)]
    together = Barrier(len(engines))

    def claim(number: int) -> bool:
        together.wait()
        return SqlSlots(engines[number], "the database", "retrain").claim(MONDAY, str(number))

    with ThreadPoolExecutor(len(engines)) as servers:
        won = list(servers.map(claim, range(len(engines))))
    for engine in engines:
        engine.dispose()
    assert sorted(won) == [False] * 7 + [True]
