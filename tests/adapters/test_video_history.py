"""One contract of the video history, kept by SQLite and Postgres alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event, text

from tiercast.adapters.sql_history import SqlVideoHistory
from tiercast.adapters.sql_reads import IDS_A_QUERY
from tiercast.core.errors import Unavailable
from tiercast.intake.schema import SCHEMA
from tiercast.learn.generated import generate
from tiercast.ports.videos import Erased

T0 = datetime(2026, 1, 10, 12, tzinfo=UTC)
POSTED = datetime(2026, 1, 1, 8, 30, 15, 123_457, tzinfo=UTC)
DAY = timedelta(days=1)
BASE: dict[str, Any] = {
    "platform": "tiktok",
    "author": "ana",
    "description": "hello",
    "published_at": POSTED,
    "published_date_only": False,
    "views": 100,
    "likes": 10,
    "scraped_at": T0,
    "scrape_time_guessed": False,
}
ORDER = ("published_at", "platform", "video_id", "scraped_at")
HANDLES = [
    "o'brien",
    'say "hi"',
    "back\\slash",
    "100%",
    "%",
    "_",
    "?",
    ":authors",
    "%(platform)s",
    "$1",
    "); DROP TABLE videos; --",
    "Ana",
    "ana ",
    "日本語🎉",
    "e\u0301",
    "\u00e9",
    "null",
    "x" * 20_000,
]


def scrape(video_id: str, **changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(SCHEMA), **BASE, "video_id": video_id, **changes}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def store(database: Any, rows: pl.DataFrame) -> None:
    numbered = rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    database.store.add(numbered, changes_only=False)


def history(database: Any) -> SqlVideoHistory:
    return SqlVideoHistory(database.engine, "the database")


def ids(found: pl.DataFrame) -> list[str]:
    return found["video_id"].unique(maintain_order=True).to_list()


def test_every_observation_is_a_row_with_every_column(database: Any) -> None:
    full = {
        "video_url": "https://www.tiktok.com/@ana/video/1",
        "author_verified": True,
        "duration_seconds": 12.3456789,
        "hashtags": ["one", "zwei", '"三"'],
        "sound_id": "6" * 19,
        "sound_name": "la la",
        "sound_is_original": False,
        "is_ad": False,
        "is_pinned": True,
        "is_slideshow": False,
        "region": "VN",
    }
    given = frame(
        scrape("1", **full, views=2**40, shares=1, comments=2, saves=3, author_followers=2**33),
        scrape("1", **full, scraped_at=T0 + DAY, views=2**40 + 1, scrape_time_guessed=True),
        scrape("1", **full, scraped_at=T0 - DAY, views=None, likes=None),
        scrape("2", views=0, likes=None, author=None, description=None, hashtags=[]),
    )
    store(database, given)
    found = history(database).recent(limit=None)
    assert dict(found.schema) == SCHEMA
    assert list(found.columns) == list(SCHEMA)
    assert found.equals(given.sort(*ORDER))


def test_a_video_is_described_alike_at_each_of_its_observations(database: Any) -> None:
    store(database, frame(scrape("1"), scrape("1", scraped_at=T0 + DAY, views=120, description="edited")))
    found = history(database).recent(limit=5)
    assert found.select("views", "description").rows() == [(100, "edited"), (120, "edited")]


def test_rows_are_oldest_first_by_code_point_and_a_limit_cuts_as_latest_does(database: Any) -> None:
    later = {"published_at": POSTED + DAY}
    keys: list[tuple[str, str]] = [
        ("tiktok", "b"), ("tiktok", "B"), ("tiktok", "_"), ("tiktok", "é"), ("youtube", "a"), ("Z", "a"), ("Z", "ß"),
    ]  # fmt: skip
    given = [scrape(video_id, platform=platform) for platform, video_id in keys]
    given += [scrape("new", **later), scrape("New", **later), scrape("old", published_at=POSTED - DAY)]
    again = [{**row, "scraped_at": T0 + DAY, "views": 200} for row in given]
    store(database, frame(*given, *again))
    expected = [
        ("tiktok", "old"), ("Z", "a"), ("Z", "ß"), ("tiktok", "B"), ("tiktok", "_"), ("tiktok", "b"), ("tiktok", "é"),
        ("youtube", "a"), ("tiktok", "New"), ("tiktok", "new"),
    ]  # fmt: skip
    whole = history(database).recent(limit=None)
    assert whole.select("platform", "video_id").rows() == [key for key in expected for _ in range(2)]
    assert whole["scraped_at"].to_list() == [T0, T0 + DAY] * len(expected)
    for limit in range(1, 13):
        kept = database.store.latest(limit=limit, likes_known=False).select("platform", "video_id")
        found = history(database).recent(limit=limit)
        assert found.equals(whole.join(kept, on=["platform", "video_id"], how="semi", maintain_order="left"))
        assert found.height == 2 * min(limit, len(expected))


def test_videos_without_a_posting_time_are_left_out(database: Any) -> None:
    undated = {"published_at": None, "published_date_only": None}
    given = [scrape("1", **undated), scrape("1", scraped_at=T0 + DAY, **undated), scrape("2", **undated), scrape("3")]
    store(database, frame(*given))
    assert ids(history(database).recent(limit=None)) == ["3"]
    assert ids(history(database).recent(limit=1)) == ["3"]
    assert ids(history(database).recent(limit=3)) == ["3"]
    assert ids(history(database).of_creators([("tiktok", "ana")])) == ["3"]


def test_a_creator_is_a_platform_and_a_handle_exactly_as_written(database: Any) -> None:
    given = [scrape(f"v{n:02}", author=handle) for n, handle in enumerate([*HANDLES, "ana"])]
    given += [scrape(f"y{n:02}", author=handle, platform="youtube") for n, handle in enumerate([*HANDLES, "ana"])]
    store(database, frame(*given, scrape("nobody", author=None)))
    for n, handle in enumerate(HANDLES):
        assert ids(history(database).of_creators([("tiktok", handle)])) == [f"v{n:02}"]
    mixed = history(database).of_creators([("youtube", "o'brien"), ("tiktok", "%"), ("nowhere", "ana")])
    assert ids(mixed) == ["v04", "y00"]
    assert database.store.count() == (len(given) + 1, len(given) + 1)


def test_a_creator_asked_for_twice_comes_once(database: Any) -> None:
    store(database, frame(scrape("1"), scrape("2"), scrape("2", scraped_at=T0 + DAY, views=120)))
    assert history(database).of_creators([("tiktok", "ana")] * 3).height == 3


def test_no_creators_no_videos_and_no_match_are_empty_frames_of_every_column(database: Any) -> None:
    empty = [history(database).recent(limit=None), history(database).recent(limit=5)]
    empty += [history(database).of_creators([]), history(database).of_creators([("tiktok", "ana")])]
    store(database, frame(scrape("1")))
    empty += [history(database).of_creators([]), history(database).of_creators([("tiktok", "bob")])]
    for found in empty:
        assert found.equals(pl.DataFrame(schema=SCHEMA))
        assert dict(found.schema) == SCHEMA


def test_more_creators_than_a_query_takes_are_all_found(database: Any) -> None:
    platforms = ("tiktok", "youtube", "instagram")
    creators = [(platforms[n % 3], f"creator {n}") for n in range(3 * IDS_A_QUERY + 7)]
    given = [scrape(str(n), platform=platform, author=author) for n, (platform, author) in enumerate(creators)]
    store(database, frame(*given, scrape("other")))
    found = history(database).of_creators(creators[::-1])
    assert found.equals(frame(*given).sort(*ORDER))


def test_erased_videos_are_gone(database: Any) -> None:
    given = [scrape("1"), scrape("1", scraped_at=T0 + DAY, views=120), scrape("2"), scrape("3", author="bob")]
    store(database, frame(*given))
    database.store.erase(author=None, video_id="1")
    assert ids(history(database).of_creators([("tiktok", "ana")])) == ["2"]
    assert database.store.erase(author="ana", video_id=None) == Erased(1, 1)
    assert history(database).of_creators([("tiktok", "ana")]).is_empty()
    assert ids(history(database).recent(limit=None)) == ["3"]


def test_both_databases_give_the_same_history(sqlite: Any, postgres: Any) -> None:
    made = generate(600, seed=9, now=T0).rows
    made = made.with_columns(published_at=pl.col("published_at").dt.truncate("1d"))  # many ties
    for database in (sqlite, postgres):
        store(database, made.sample(fraction=1.0, shuffle=True, seed=len(database.name)))
    creators = made.select("platform", "author").unique().sort("platform", "author").rows()
    for limit in (None, 1, 57, 400, 600, 601):
        first, second = (history(database).recent(limit=limit) for database in (sqlite, postgres))
        assert first.equals(second)
        assert first.select("platform", "video_id").n_unique() == min(limit or 600, 600)
    for some in (creators, creators[::7]):
        first, second = (history(database).of_creators(some) for database in (sqlite, postgres))
        assert first.equals(second)
        asked_for = pl.DataFrame(some, schema=["platform", "author"], orient="row")
        assert first.equals(made.join(asked_for, on=["platform", "author"], how="semi").sort(*ORDER))


def test_asking_for_a_creator_reads_the_index_and_never_a_whole_table(database: Any) -> None:
    store(database, frame(*(scrape(str(n), author=f"creator {n % 800}") for n in range(4_000))))
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    sent: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, said, values, *_: sent.append((said, values)))
    assert history(database).of_creators([("tiktok", "creator 7"), ("tiktok", "creator 8")]).height == 10
    queries = [(said, values) for said, values in sent if said.startswith("SELECT") and "author" in said]
    assert len(queries) == 2
    explain = "EXPLAIN QUERY PLAN" if database.name == "sqlite" else "EXPLAIN"
    for said, values in queries:
        with database.engine.connect() as connection:
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {said}", values))
        assert "videos_of_creator" in plan
        assert "scan videos" not in plan.lower()
        assert "scan observations" not in plan.lower()
        assert "seq scan" not in plan.lower()


def test_a_database_that_fails_is_told_as_unavailable(database: Any) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {database.schema}observations"))
    with pytest.raises(Unavailable, match="Could not use the database"):
        history(database).recent(limit=None)
    with pytest.raises(Unavailable, match="Could not use the database"):
        history(database).of_creators([("tiktok", "ana")])
