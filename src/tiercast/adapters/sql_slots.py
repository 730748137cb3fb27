"""Which times of the schedule were had, in SQL: a slot is one row, and its primary key has one winner."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import epoch_us, from_epoch_us, microseconds, now_us, slots, stored_time, time_of

KEEP: Final = timedelta(days=40)
"""Longer than a month, so that a monthly schedule still finds the slot before; far longer than clocks differ."""


class SqlSlots:
    """The slots of one schedule."""

    def __init__(self, engine: Engine, where: str, name: str) -> None:
        self._engine = engine
        self._where = where
        self._name = name

    def claim(self, slot: datetime, by: str) -> bool:
        """Whether nobody had this slot before; slots that nobody will ask for any more are removed."""
        ours = slots.c.name == self._name
        old = epoch_us(slots.c.slot) < microseconds(slot - KEEP)
        values = {"name": self._name, "slot": stored_time(slot), "taken_by": by, "taken_at": from_epoch_us(now_us())}
        with plain_errors(self._where):
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(slots).values(values))
                    connection.execute(delete(slots).where(ours, old))
            except IntegrityError:
                return False
        return True

    def last(self) -> datetime | None:
        """The newest slot that somebody had."""
        newest = select(func.max(epoch_us(slots.c.slot))).where(slots.c.name == self._name)
        with plain_errors(self._where), self._engine.connect() as connection:
            found = connection.execute(newest).scalar_one()
        return None if found is None else time_of(found)
