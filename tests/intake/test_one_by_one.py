"""A row is cleaned alone as it is among others: what is asked of many at once depends on no neighbour."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.adapters.formats.frames import frame_of
from tiercast.core.video import COLUMNS, Kind
from tiercast.intake.clean import Cleaned, Context, clean

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POSTED = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
SECOND = int(POSTED.timestamp())
TIKTOK_ID = SECOND << 32

ODD = st.sampled_from(
    [
        None, "", "  ", " NULL ", "nan", "n/a", "x\x00y ", "\x1cnull\x1c", "\xa0a\xa0", "🔥 #fun #dance", "#สนุก", "İſ",
        "1.2M", "1,234", "-5", "007", "1.0", "1.5", 1.5, float("nan"), float("inf"), -1, -2, 0, 7, 10**12, 2**63,
        2**70, 10**40, True, False, "yes", "maybe", [], ["#a", " b"], [{"name": "c"}], {"x": 1}, "[1", "7.5e18",
    ]
)  # fmt: skip
LIKELY: dict[Kind, st.SearchStrategy[Any]] = {
    "text": st.sampled_from([None, "tiktok", "YouTube Shorts", "???", "@ana", " vn ", "VN", "original sound - x"])
    | st.sampled_from(["https://youtu.be/x", "https://www.tiktok.com/@a/video/1", "hey #fun", ""])
    | st.text(max_size=8),
    "count": st.none() | st.integers(-2, 200) | st.sampled_from(["100", "1.2K", 50.0, 4099999.9999999995]),
    "real": st.none() | st.floats(-1, 90_000) | st.sampled_from(["12.5", 30]),
    "flag": st.none() | st.booleans() | st.sampled_from(["true", 0]),
    "time": st.none()
    | st.sampled_from([POSTED, date(2026, 5, 1), "2026-05-01", "20260520", SECOND, str(SECOND * 1000), "2099-01-01"])
    | st.sampled_from(["2026-05-20T10:00:00Z", POSTED.replace(tzinfo=None), NOW + timedelta(days=3), 0]),
    "texts": st.none() | st.lists(st.text(max_size=3), max_size=3) | st.just("#a b"),
}
SOUND: dict[str, st.SearchStrategy[Any]] = {
    "platform": st.sampled_from(["tiktok", "TikTok ", None, "instagram"]),
    "views": st.sampled_from([100, 200, None]),
    "likes": st.sampled_from([-1, 0, 100, None]),
    "description": st.sampled_from([None, "", "hey #fun #dance"]),
    "hashtags": st.sampled_from([None, [], ["a"]]),
    "sound_name": st.sampled_from([None, "original sound - x", "a song"]),
    "published_at": st.sampled_from([None, "2026-05-01", "2026-05-01T07:00:00Z"]),
    "published_date_only": st.sampled_from([None, True, False]),
    "scraped_at": st.sampled_from([None, "2026-05-20", "2026-05-20T10:00:00Z"]),
    "scrape_time_guessed": st.sampled_from([None, True, False]),
}
"""What keeps a row, so that rows that stay meet in one frame with those that do not."""
RAW = st.fixed_dictionaries({}, optional=SOUND) | st.fixed_dictionaries(
    SOUND, optional={column.name: LIKELY[column.kind] for column in COLUMNS if column.name not in SOUND}
)
HOSTILE = (
    RAW
    | st.tuples(RAW, st.fixed_dictionaries({}, optional=dict.fromkeys(SOUND, ODD))).map(
        lambda parts: {**parts[0], **parts[1]}
    )
    | st.fixed_dictionaries(
        {}, optional={column.name: LIKELY[column.kind] | ODD for column in COLUMNS if column.name != "video_id"}
    )
)
CONTEXTS = st.builds(
    Context,
    now=st.just(NOW),
    scraped_at=st.sampled_from([None, None, NOW - timedelta(days=2)]),
    file_modified_at=st.just(NOW - timedelta(hours=1)),
    platform=st.sampled_from([None, "tiktok", "unknown"]),
    platform_of_id=st.just({"id 0": "instagram"}.get),
    planned=st.booleans(),
)


def with_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows, each of another video; two ids in three hold a posting time."""
    return [{**row, "video_id": str(TIKTOK_ID + n) if n % 3 else f"id {n}"} for n, row in enumerate(rows)]


def as_objects(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Every column as Python objects, the way a scraper's mixed values arrive."""
    names = [column.name for column in COLUMNS if any(column.name in row for row in rows)]
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], dtype=pl.Object) for name in names])


def one_by_one(frame: pl.DataFrame, context: Context) -> Cleaned:
    """The rows cleaned each alone, put together again under the numbers that they have in the frame."""
    kept, rejects = [], []
    for number in range(frame.height):
        alone = clean(frame[number : number + 1], context)
        kept.append(alone.rows.with_columns(row=pl.col("row") + number))
        rejects += [(number, reject.reason, reject.detail) for reject in alone.rejects]
    return Cleaned(pl.concat(kept), tuple(rejects), 0)  # type: ignore[arg-type]  # compared as plain tuples


def assert_same(frame: pl.DataFrame, context: Context) -> None:
    """The frame and its rows one by one: the same rows of the same types, the same reasons and sentences."""
    whole, apart = clean(frame, context), one_by_one(frame, context)
    assert whole.rows.schema == apart.rows.schema
    assert whole.rows.rows() == apart.rows.rows()
    assert [(reject.row, reject.reason, reject.detail) for reject in whole.rejects] == list(apart.rejects)
    assert whole.merged == 0


@settings(deadline=None, max_examples=200)
@given(st.lists(RAW, min_size=1, max_size=5).map(with_ids), CONTEXTS)
def test_typed_rows_one_by_one_give_what_they_give_together(rows: list[dict[str, Any]], context: Context) -> None:
    assert_same(frame_of(rows), context)


@settings(deadline=None, max_examples=200)
@given(st.lists(HOSTILE, min_size=1, max_size=5).map(with_ids), CONTEXTS)
def test_hostile_rows_one_by_one_give_what_they_give_together(rows: list[dict[str, Any]], context: Context) -> None:
    assert_same(as_objects(rows), context)


TYPES = {
    "views": [pl.UInt8, pl.Int64, pl.UInt64, pl.Float32, pl.Float64, pl.String, pl.Decimal(20, 0)],
    "duration_seconds": [pl.Int16, pl.Float64, pl.String],
    "published_at": [pl.Date, pl.Datetime("ms"), pl.Datetime("ns", "Asia/Tokyo"), pl.Int64, pl.Float64],
    "scraped_at": [pl.Datetime("us", "UTC"), pl.Int64],
    "is_ad": [pl.Boolean, pl.Int8, pl.String],
    "author": [pl.String, pl.Categorical, pl.Int64],
}


@settings(deadline=None)
@given(st.data(), CONTEXTS)
def test_a_table_of_any_types_row_by_row_gives_what_it_gives_whole(data: st.DataObject, context: Context) -> None:
    height = data.draw(st.integers(1, 4))
    columns = [pl.Series("video_id", [f"id {n}" for n in range(height)])]
    for name, types in TYPES.items():
        dtype = data.draw(st.sampled_from(types))
        numbers = data.draw(st.lists(st.none() | st.integers(0, 100), min_size=height, max_size=height))
        plain = pl.Series(name, numbers, dtype=pl.Int64)
        if name.endswith("_at") and data.draw(st.booleans()):
            plain = plain + (SECOND // 86_400 if dtype == pl.Date else SECOND)
        if dtype == pl.Categorical:
            plain = plain.cast(pl.String)
        columns.append(plain.cast(pl.Int32).cast(dtype) if dtype == pl.Date else plain.cast(dtype))
    assert_same(pl.DataFrame(columns), context)


@pytest.mark.parametrize("neighbour", ["tiktok", 1.5])
def test_why_a_row_is_refused_does_not_depend_on_the_rows_beside_it(neighbour: object) -> None:
    rows = [{"platform": "???", "views": "many"}, {"platform": neighbour, "views": 1}]
    context = Context(NOW, None, NOW, None, {}.get)
    assert_same(as_objects(with_ids(rows)), context)
    assert clean(as_objects(with_ids(rows)), context).rejects[0].reason == "views_unreadable"
