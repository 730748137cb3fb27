"""An existing scraped_videos table: read whole, on both databases, and never altered."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from tiercast.adapters.home import RejectFolder
from tiercast.adapters.scraped_table import SqlScrapedTable, find_scraped_table
from tiercast.flows.ingest import FileReport, IngestOptions, ingest_table

NOW = datetime(2026, 2, 1, tzinfo=UTC)
ROWS = 12_000
MAKE = {
    "postgres": """CREATE TABLE public.scraped_videos (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), platform text, platform_video_id text, video_url text,
        author text, author_url text, description text, views bigint, likes bigint, shares bigint, comments bigint,
        sound_name text, sound_url text, hashtags text[], category text, duration_seconds numeric, metadata jsonb,
        archived_at timestamptz, created_at timestamptz, updated_at timestamptz)""",
    "sqlite": """CREATE TABLE scraped_videos (
        id integer PRIMARY KEY, platform text, platform_video_id text, video_url text, author text, author_url text,
        description text, views bigint, likes bigint, shares bigint, comments bigint, sound_name text, sound_url text,
        hashtags text, category text, duration_seconds real, metadata text, archived_at timestamptz,
        created_at timestamptz, updated_at timestamp)""",
}
FILL = """INSERT INTO scraped_videos (platform, platform_video_id, author, description, views, likes, shares, comments,
    sound_name, hashtags, duration_seconds, metadata, created_at, updated_at)
    VALUES ('tiktok', :id, 'ana', 'hi', :views, :likes, 3, 4, 'la la', :tags, 12.5, :metadata, :at, :at)"""
BARE = "CREATE TABLE {public}scraped_videos (platform_video_id text, views bigint, likes bigint, platform text)"


class Silent:
    def stage(self, name: str, total: int | None = None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...


def outside(database: Any) -> Engine:
    """The same database as another program sees it."""
    return create_engine(database.engine.url)


def change(database: Any, statement: str, *values: dict[str, Any]) -> None:
    engine = outside(database)
    with engine.begin() as connection:
        connection.execute(text(statement), list(values) or None)
    engine.dispose()


def fill(database: Any, count: int) -> None:
    postgres = database.name == "postgres"
    change(database, MAKE[database.name])
    metadata = {"bookmarks": 5, "followers": 20_000, "uploaded_at": "2026-01-04T12:30:00Z"}
    values = [
        {
            "id": str(7_498_897_212_299_136_274 + n),
            "views": 2**31 + n,
            "likes": 10 + n,
            "tags": ["one", "zwei"] if postgres else '["one", "zwei"]',
            "metadata": json.dumps(metadata),
            "at": "2026-01-20T10:00:00+00:00",
        }
        for n in range(count)
    ]
    change(database, FILL, *values)


def table_of(database: Any) -> SqlScrapedTable:
    schemas: tuple[str | None, ...] = ("public",) if database.name == "postgres" else (None,)
    found = find_scraped_table(database.engine, schemas=schemas, where="the database")
    assert found is not None
    return found


def ingest(database: Any, folder: Path, now: datetime = NOW) -> FileReport:
    rejects = RejectFolder(folder / "rejects")
    options = IngestOptions(now=now)
    return ingest_table(table_of(database), database.store, rejects, options=options, progress=Silent())


def picture(database: Any) -> tuple[object, object, object]:
    """The table's columns, its other objects and its content, as another program sees them."""
    engine = outside(database)
    with engine.connect() as connection:
        columns = [
            (c["name"], str(c["type"]), c["nullable"]) for c in inspect(connection).get_columns("scraped_videos")
        ]
        indexes = inspect(connection).get_indexes("scraped_videos")
        content = [tuple(map(str, row)) for row in connection.execute(text("SELECT * FROM scraped_videos ORDER BY id"))]
    engine.dispose()
    return columns, indexes, content


def test_every_row_is_read_however_many_pages_that_takes(database: Any) -> None:
    fill(database, ROWS)
    batches = list(table_of(database).batches())
    assert sum(batch.rows.height for batch in batches) == sum(len(batch.raw) for batch in batches) == ROWS
    ids = pl.concat([batch.rows.select("video_id") for batch in batches])["video_id"]
    assert ids.n_unique() == ROWS
    assert len(batches) > 1


def test_its_columns_become_canonical_ones_and_created_at_is_no_posting_time(database: Any, tmp_path: Path) -> None:
    fill(database, 1)
    assert ingest(database, tmp_path).rejects == {}
    found = database.store.latest(limit=1, likes_known=True).row(0, named=True)
    wanted = {
        "platform": "tiktok",
        "video_id": "7498897212299136274",
        "author": "ana",
        "description": "hi",
        "views": 2**31,
        "likes": 10,
        "shares": 3,
        "comments": 4,
        "saves": 5,
        "author_followers": 20_000,
        "hashtags": ["one", "zwei"],
        "sound_name": "la la",
        "duration_seconds": 12.5,
        "published_at": datetime(2026, 1, 4, 12, 30, tzinfo=UTC),
        "scraped_at": datetime(2026, 1, 20, 10, tzinfo=UTC),
        "scrape_time_guessed": False,
    }
    assert {name: found[name] for name in wanted} == wanted


def test_reading_again_adds_only_what_changed_and_alters_nothing(database: Any, tmp_path: Path) -> None:
    fill(database, 1_200)
    before = picture(database)
    first = ingest(database, tmp_path)
    assert (first.read, first.stored, first.observations, first.rejected) == (1_200, 1_200, 1_200, 0)
    again = ingest(database, tmp_path)
    assert (again.read, again.stored, again.updated, again.observations) == (1_200, 0, 0, 0)
    assert picture(database) == before
    change(
        database,
        "UPDATE scraped_videos SET views = views + 1, updated_at = :at WHERE likes = 10",
        {"at": "2026-01-21T10:00:00+00:00"},
    )
    grown = ingest(database, tmp_path)
    assert (grown.stored, grown.updated, grown.observations) == (0, 1, 1)
    assert database.store.count() == (1_200, 1_201)
    change(database, "UPDATE scraped_videos SET updated_at = :at", {"at": "2026-01-25T10:00:00+00:00"})
    assert ingest(database, tmp_path).observations == 0


def test_counts_that_move_while_the_tables_times_stand_still_form_a_history(database: Any, tmp_path: Path) -> None:
    fill(database, 3)
    ingest(database, tmp_path)
    change(database, "UPDATE scraped_videos SET views = views + 1, description = 'edited' WHERE likes = 10")
    grown = ingest(database, tmp_path)
    assert (grown.updated, grown.observations, grown.rejected) == (1, 1, 0)
    again = ingest(database, tmp_path, NOW + timedelta(days=1))
    assert (again.updated, again.observations, again.rejected) == (0, 0, 0)
    change(database, "UPDATE scraped_videos SET views = views + 1 WHERE likes = 10")
    assert ingest(database, tmp_path, NOW + timedelta(days=2)).observations == 1
    assert database.store.count() == (3, 5)
    found = database.store.latest(limit=None, likes_known=True).filter(pl.col("likes") == 10).row(0, named=True)
    assert (found["views"], found["scraped_at"]) == (2**31 + 2, NOW + timedelta(days=2))
    assert (found["scrape_time_guessed"], found["description"]) == (True, "edited")


def test_columns_that_are_not_there_are_unknown(database: Any, tmp_path: Path) -> None:
    change(database, BARE.format(public="public." if database.name == "postgres" else ""))
    change(database, "INSERT INTO scraped_videos VALUES ('1', 100, 7, 'youtube'), ('2', 50, 60, 'youtube')")
    report = ingest(database, tmp_path)
    assert (report.read, report.stored, report.rejects) == (2, 1, {"likes_exceed_views": 1})
    found = database.store.latest(limit=5, likes_known=True).row(0, named=True)
    assert (found["views"], found["likes"], found["shares"], found["description"]) == (100, 7, None, None)
    assert (found["scraped_at"], found["scrape_time_guessed"]) == (NOW, True)


def test_a_table_that_states_a_region_has_it_read(database: Any, tmp_path: Path) -> None:
    fill(database, 2)
    change(database, f"ALTER TABLE {'public.' if database.name == 'postgres' else ''}scraped_videos ADD region text")
    change(database, "UPDATE scraped_videos SET region = 'vn' WHERE likes = 10")
    assert ingest(database, tmp_path).stored == 2
    found = database.store.latest(limit=5, likes_known=True).sort("likes")
    assert found["region"].to_list() == ["VN", None]


def test_an_empty_table_brings_nothing(database: Any, tmp_path: Path) -> None:
    change(database, MAKE[database.name])
    assert ingest(database, tmp_path).read == 0


def test_a_database_without_the_table_has_none(database: Any) -> None:
    assert find_scraped_table(database.engine, schemas=("public", None)[database.name == "sqlite" :], where="w") is None


def test_metadata_of_any_kind_never_stops_the_reading(database: Any, tmp_path: Path) -> None:
    fill(database, 4)
    for likes, odd in ((10, "[1]"), (11, "null"), (12, '"text"')):
        change(database, "UPDATE scraped_videos SET metadata = :odd WHERE likes = :likes", {"odd": odd, "likes": likes})
    change(database, "UPDATE scraped_videos SET metadata = NULL, hashtags = NULL WHERE likes = 13")
    assert ingest(database, tmp_path).stored == 4
    found = database.store.latest(limit=5, likes_known=True)
    assert found["saves"].to_list() == [None] * 4
    assert found["published_at"].null_count() == 0  # a TikTok id holds it


@pytest.mark.parametrize("hidden", ["uuid", "interval", "point"])
def test_columns_of_other_kinds_do_not_matter(postgres: Any, tmp_path: Path, hidden: str) -> None:
    fill(postgres, 2)
    change(postgres, f"ALTER TABLE public.scraped_videos ADD COLUMN extra {hidden}")
    assert ingest(postgres, tmp_path).stored == 2
