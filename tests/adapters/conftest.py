"""The two databases that every SQL adapter has to work on alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tiercast.adapters.bulk import Load, copy_rows, insert_rows
from tiercast.adapters.databases import open_postgres, open_sqlite
from tiercast.adapters.sql_videos import SqlVideoStore


@dataclass(frozen=True)
class Database:
    """An opened database, and how to open it again as another process would."""

    name: str
    engine: Engine
    load: Load
    reopen: Callable[[], Engine]

    @property
    def schema(self) -> str:
        """What stands before a table's name in raw SQL."""
        return "tiercast." if self.name == "postgres" else ""

    @property
    def store(self) -> SqlVideoStore:
        """Its video store."""
        return SqlVideoStore(self.engine, "the database", load=self.load)


def _sqlite(path: Path) -> Database:
    return Database("sqlite", open_sqlite(path), insert_rows, lambda: open_sqlite(path))


def _postgres(url: str) -> Database:
    return Database("postgres", open_postgres(url), copy_rows, lambda: open_postgres(url))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = _sqlite(tmp_path / "home" / "tiercast.db")
    yield database
    database.engine.dispose()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = _postgres(postgres_url)
    yield database
    database.engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each of both: one contract."""
    found: Database = request.getfixturevalue(request.param)
    return found
