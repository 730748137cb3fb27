"""The promotion log, as objects beside the releases or as rows in Postgres."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from sqlalchemy import BigInteger, Column, Engine, LargeBinary, MetaData, Table, Text, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from tiercast.core.errors import Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.ports.models import ObjectStore

_ENTRY: Final = re.compile(r"(\d{8,})\.json")

promotions: Final = Table(
    "promotions",
    MetaData(),
    Column("moment", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
)
"""As the migrations create it; the engine's search path names the schema."""


class ObjectLog:
    """Entries as objects; safe only where the store honours put-if-absent."""

    name: Literal["objects", "postgres"] = "objects"

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        """Write entry ``number`` unless it exists; True when this call wrote it. Raises Unavailable."""
        return self._objects.put_if_absent(_key(moment, number), entry)

    def numbers(self, moment: Moment) -> list[int]:
        """Every number in the log, ascending."""
        names = (key.rsplit("/", 1)[-1] for key in self._objects.list(f"{moment}/promotions"))
        return sorted(int(found[1]) for found in map(_ENTRY.fullmatch, names) if found)

    def read(self, moment: Moment, number: int) -> bytes:
        """One entry; raises Missing."""
        return self._objects.get(_key(moment, number))


def _key(moment: Moment, number: int) -> str:
    return f"{moment}/promotions/{number:08d}.json"


class SqlLog:
    """Entries as rows; the primary key (moment, number) decides who was first."""

    name: Literal["objects", "postgres"] = "postgres"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        """Write entry ``number`` unless it exists; True when this call wrote it. Raises Unavailable."""
        with _faults():
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(promotions).values(moment=moment, number=number, entry=entry))
            except IntegrityError:
                return False
        return True

    def numbers(self, moment: Moment) -> list[int]:
        """Every number in the log, ascending."""
        query = select(promotions.c.number).where(promotions.c.moment == moment).order_by(promotions.c.number)
        with _faults(), self._engine.connect() as connection:
            return list(connection.scalars(query))

    def read(self, moment: Moment, number: int) -> bytes:
        """One entry; raises Missing."""
        query = select(promotions.c.entry).where(promotions.c.moment == moment, promotions.c.number == number)
        with _faults(), self._engine.connect() as connection:
            entry = connection.scalar(query)
        if entry is None:
            raise Missing(f"The promotion log in the database has no entry {number} for {moment}.")
        return bytes(entry)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
        raise Unavailable(
            f"The promotion log in the database cannot be used: {said}. Check database_url, or run `tiercast doctor`."
        ) from error
