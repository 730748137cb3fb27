"""The store as it stood at an instant: exactly what a database would give that held only what was observed by then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from adapters.test_video_history import scrape
from tiercast.adapters.frame_videos import FrameVideos
from tiercast.adapters.sql_history import SqlVideoHistory
from tiercast.core.errors import InvalidInput
from tiercast.intake.schema import SCHEMA
from tiercast.learn.generated import generate

NOW = datetime(2026, 1, 10, tzinfo=UTC)
CUTS = [NOW - timedelta(days=days) for days in (0, 20, 60, 400)]


def observations() -> pl.DataFrame:
    """Generated ones with what real stores hold too: undated videos, unknown and zero counts, equal posting times."""
    made = generate(240, seed=3, now=NOW).rows
    number = pl.col("video_id").rank("dense") % 12
    scraped = pl.col("scraped_at").rank("ordinal") % 9
    return made.with_columns(
        published_at=pl.when(number == 0).then(None).when(number < 4).then(pl.col("published_at").dt.truncate("1mo"))
        .otherwise("published_at"),
        views=pl.when(scraped == 0).then(None).when(scraped == 1).then(0).otherwise("views"),
        likes=pl.when(scraped == 2).then(None).otherwise("likes"),
        author=pl.when(number == 5).then(None).when(number == 6).then(pl.lit("on both")).otherwise("author"),
    )  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_gives_what_a_database_gives_that_never_saw_more(database: Any, cut: datetime) -> None:
    rows = observations()
    by_then = rows.filter(pl.col("scraped_at") <= cut).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    database.store.add(by_then, changes_only=False)
    whole = SqlVideoHistory(database.engine, "the database")
    videos, history = FrameVideos.of(rows.sample(fraction=1, shuffle=True, seed=1), pl.col("scraped_at")).at(cut)
    assert videos.count() == database.store.count()
    assert history.everything().equals(whole.everything())
    for limit in (None, 1, 7, 60, 1000):
        for likes_known in (True, False):
            expected = database.store.latest(limit=limit, likes_known=likes_known)
            assert videos.latest(limit=limit, likes_known=likes_known).equals(expected)
        assert history.recent(limit=limit).equals(whole.recent(limit=limit))
    creators = rows.select("platform", "author").drop_nulls().unique(maintain_order=True).rows()[::3]
    for asked in (creators, [*creators, *creators], [("tiktok", "nobody")], []):
        assert history.of_creators(asked).equals(whole.of_creators(asked))
    handles = [author for _, author in creators] + ["on both", "nobody"]
    ids = [*rows["video_id"].to_list()[:50], "none"]
    assert history.platforms_of(handles) == whole.platforms_of(handles)
    assert videos.platforms_of(ids) == database.store.platforms_of(ids)


def test_everything_in_a_database_holds_undated_videos_last(database: Any) -> None:
    given = pl.DataFrame(
        [scrape("b", published_at=None), scrape("a", published_at=None), scrape("c")], schema=SCHEMA
    ).with_row_index("row")
    database.store.add(given.with_columns(pl.col("row").cast(pl.Int64)), changes_only=False)
    found = SqlVideoHistory(database.engine, "the database").everything()
    assert found["video_id"].to_list() == ["c", "a", "b"]
    assert dict(found.schema) == SCHEMA


def test_visibility_may_rest_on_age_alone() -> None:
    posted = NOW - timedelta(days=10)
    late = [scrape("1", published_at=posted, scraped_at=NOW), scrape("2", published_at=None, scraped_at=NOW)]
    seen = pl.coalesce(pl.col("published_at") + timedelta(days=7), "scraped_at")
    frame = FrameVideos.of(pl.DataFrame(late, schema=SCHEMA), seen)
    counts = [frame.at(posted + timedelta(days=days))[0].count()[0] for days in (6, 7, 10)]
    assert counts == [0, 1, 2]
    assert frame.span() == (posted + timedelta(days=7), NOW)
    assert FrameVideos.of(pl.DataFrame(schema=SCHEMA), seen).span() is None


def test_another_count_anywhere_gives_another_fingerprint() -> None:
    rows = observations()
    first = FrameVideos.of(rows, pl.col("scraped_at")).fingerprint()
    shuffled = FrameVideos.of(rows.sample(fraction=1, shuffle=True, seed=2), pl.col("scraped_at")).fingerprint()
    one_more = rows.with_columns(pl.col("views") + (pl.int_range(pl.len()) == 17).cast(pl.Int64))
    assert shuffled == first
    assert FrameVideos.of(one_more, pl.col("scraped_at")).fingerprint() != first
    assert FrameVideos.of(rows.head(0), pl.col("scraped_at")).fingerprint()["observations"] == 0


def test_nothing_can_be_written_to_the_past() -> None:
    videos, _ = FrameVideos.of(observations(), pl.col("scraped_at")).at(NOW)
    for write in (
        lambda: videos.add(observations(), changes_only=False),
        lambda: videos.erase(author="a", video_id=None),
        lambda: videos.mark_read("content", NOW),
    ):
        with pytest.raises(InvalidInput, match="only reads"):
            write()
    assert not videos.was_read("content")
