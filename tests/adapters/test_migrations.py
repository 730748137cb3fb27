"""A database made by an older version becomes this version's in place, with all that is in it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text

from tiercast.adapters import migrations
from tiercast.adapters.bulk import copy_rows, insert_rows
from tiercast.adapters.databases import database_id, open_postgres, open_sqlite
from tiercast.adapters.sql_history import SqlVideoHistory
from tiercast.adapters.sql_videos import SqlVideoStore
from tiercast.intake.schema import SCHEMA
from tiercast.ports.videos import Added

POSTED = datetime(2026, 1, 1, tzinfo=UTC)
LONG_HANDLE = "".join(map(chr, random.Random(8).choices(range(0x4E00, 0x9FA5), k=4_000)))
"""Twelve kilobytes that hardly compress, as a caption in the wrong column may be; no row of a B-tree holds it."""
VIDEO = """INSERT INTO {schema}videos (platform, video_id, author, description, published_at, described_at)
    VALUES ('tiktok', :video_id, :author, 'hello', {posted}, {posted})"""
OBSERVATION = """INSERT INTO {schema}observations (platform, video_id, scraped_at, views, scrape_time_guessed)
    VALUES ('tiktok', :video_id, {posted}, 100, false)"""
POSTED_AS: dict[str, str] = {
    "sqlite": str(int(POSTED.timestamp()) * 1_000_000),
    "postgres": f"to_timestamp({int(POSTED.timestamp())})",
}


@pytest.fixture(params=["sqlite", "postgres"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Engine]:
    """How to open one database, at first an empty one, as this version does."""
    if name == "sqlite":
        return lambda: open_sqlite(tmp_path / "tiercast.db")
    url: str = request.getfixturevalue("postgres_url")
    return lambda: open_postgres(url)


def made_by_the_first_version(opened: Callable[[], Engine], patch: pytest.MonkeyPatch) -> Engine:
    with patch.context() as older:
        older.setattr(migrations, "STEPS", migrations.STEPS[:1])
        return opened()


def fill(engine: Engine, name: str, *authors: str | None) -> None:
    words = {"schema": "tiercast." if name == "postgres" else "", "posted": POSTED_AS[name]}
    with engine.begin() as connection:
        for number, author in enumerate(authors):
            connection.execute(text(VIDEO.format(**words)), {"video_id": str(number), "author": author})
            connection.execute(text(OBSERVATION.format(**words)), {"video_id": str(number)})


def test_a_database_of_the_first_version_keeps_its_rows_and_learns_of_regions(
    name: str, opened: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made_by_the_first_version(opened, monkeypatch)
    fill(old, name, "ana", "o'brien", LONG_HANDLE, None)
    before = database_id(old)
    old.dispose()
    engine = opened()
    assert database_id(engine) == before
    history = SqlVideoHistory(engine, "the database")
    found = history.recent(limit=None)
    assert dict(found.schema) == SCHEMA
    columns = ("video_id", "author", "published_at", "views", "region")
    assert found.select(columns).rows() == [
        (str(number), author, POSTED, 100, None) for number, author in enumerate(("ana", "o'brien", LONG_HANDLE, None))
    ]
    assert history.of_creators([("tiktok", LONG_HANDLE)])["video_id"].to_list() == ["2"]
    engine.dispose()


def test_a_region_that_a_later_scrape_states_is_added_to_a_video_of_the_first_version(
    name: str, opened: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made_by_the_first_version(opened, monkeypatch)
    fill(old, name, "ana")
    old.dispose()
    engine = opened()
    row: dict[str, Any] = {**dict.fromkeys(SCHEMA), "platform": "tiktok", "video_id": "0", "region": "VN", "views": 120}
    row |= {"scraped_at": POSTED + timedelta(days=1), "scrape_time_guessed": False}
    rows = pl.DataFrame([row], schema=SCHEMA).with_columns(row=pl.lit(0, dtype=pl.Int64))
    store = SqlVideoStore(engine, "the database", load=copy_rows if name == "postgres" else insert_rows)
    assert store.add(rows, changes_only=False) == Added(0, 1, 1, ())
    found = SqlVideoHistory(engine, "the database").of_creators([("tiktok", "ana")])
    assert found.select("views", "region", "description").rows() == [(100, "VN", "hello"), (120, "VN", "hello")]
    engine.dispose()
