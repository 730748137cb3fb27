"""Why a row is refused: each rule with its name, its condition and the sentence that tells the user."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from tiercast.core.video import COLUMNS, COUNT_LIMIT, COUNTS
from tiercast.intake.reading import PARSERS
from tiercast.intake.times import instant
from tiercast.intake.values import ROUNDED_NUMBER, shown

LONGEST_SECONDS: Final = 86_400
"""A day: no short video is longer, and milliseconds read as seconds soon are."""

CLOCK_TOLERANCE: Final = timedelta(days=1)
"""How far in the future a time may lie: the clocks and time zones of scrapers are off by up to a day."""

_KINDS: Final = {column.name: column.kind for column in COLUMNS}


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row: its index in the input, the reason's name and one plain sentence."""

    row: int
    reason: str
    detail: str


_DAY_BEFORE: Final = pl.col("scraped_at").dt.date() < pl.col("published_at").dt.date()
_BEFORE: Final = pl.col("scraped_at") < pl.col("published_at")
_EARLIER: Final = pl.when("published_date_only").then(_DAY_BEFORE).otherwise(_BEFORE)
_TO_COME: Final = pl.col("views").is_null()


def _of_values() -> Iterator[tuple[str, pl.Expr]]:
    yield "no_video_id", pl.col("video_id").is_null()
    yield "platform_unknown", pl.col("platform").is_null()
    for count in COUNTS:
        yield f"negative_{count.name}", pl.col(count.name) < 0
        yield f"absurd_{count.name}", pl.col(count.name) >= COUNT_LIMIT
    yield "negative_duration_seconds", pl.col("duration_seconds") < 0
    yield "absurd_duration_seconds", pl.col("duration_seconds") > LONGEST_SECONDS
    yield "likes_exceed_views", pl.col("likes") > pl.col("views")


def _of_order(*, planned: bool) -> Iterator[tuple[str, pl.Expr]]:
    earlier = _EARLIER & ~_TO_COME if planned else _EARLIER
    yield "file_older_than_post", earlier & pl.col("time_of_file")
    yield "scraped_before_published", earlier


_OF_VALUES: Final = [condition.alias(name) for name, condition in _of_values()]
_OF_ORDER: Final = {
    planned: [condition.alias(name) for name, condition in _of_order(planned=planned)] for planned in (False, True)
}


def _of_clock(now: datetime, *, planned: bool) -> list[pl.Expr]:
    latest = instant(now + CLOCK_TOLERANCE)
    posted_later = pl.col("published_at") > latest
    return [
        (posted_later & ~_TO_COME if planned else posted_later).alias("published_in_the_future"),
        (pl.col("scraped_at") > latest).alias("scraped_in_the_future"),
    ]


def broken_rules(
    rows: pl.DataFrame, unreadable: Iterable[tuple[str, pl.Series]], now: datetime, *, planned: bool = False
) -> pl.Series | None:
    """The name of the first rule that each row breaks, null where it breaks none; None where no row breaks any.

    With ``planned`` a row without views is a post to come, whose time may lie ahead.
    """
    asked = rows.select(*_OF_VALUES, *_of_clock(now, planned=planned), *_OF_ORDER[planned])
    broken = [(f"{name}_unreadable", bad) for name, bad in unreadable]
    broken += [(outcome.name, outcome) for outcome in asked if outcome.any()]
    if not broken:
        return None
    told = [pl.when(pl.lit(rule)).then(pl.lit(name)) for name, rule in broken]
    return rows.select(pl.coalesce(told).alias("reason")).to_series()


_SENTENCES: Final = {
    "no_video_id": "The row has no video_id.",
    "platform_unknown": (
        "No platform is stated for video {video_id}, its address names none, and the stored videos do not settle it "
        "(none has its id, or those of two platforms have); state it with --platform."
    ),
    "likes_exceed_views": "It has {likes} likes but {views} views; a video has at most one like a view.",
    "published_in_the_future": "published_at is {published_at}, which lies in the future.",
    "scraped_in_the_future": "scraped_at is {scraped_at}, which lies in the future.",
    "file_older_than_post": (
        "It does not say when it was scraped, and the file's modification time that stands in, {scraped_at}, is "
        "before it was published at {published_at}. State when it was scraped with --scraped-at."
    ),
    "scraped_before_published": "It was scraped at {scraped_at}, before it was published at {published_at}.",
    "same_time_other_counts": (
        "Another row has other counts for video {video_id} at {scraped_at}; the one with the most views is kept "
        "(this one has {views} views)."
    ),
}


def rejects_of(refused: pl.DataFrame, rows: pl.DataFrame) -> tuple[Reject, ...]:
    """A reject for each refused row (canonical columns, ``row`` and ``reason``), told with the value seen."""
    told = refused.with_columns(pl.col("published_at", "scraped_at").dt.strftime("%Y-%m-%d %H:%M:%S UTC"))
    columns = ["row", "reason", "video_id", *(c.name for c in COUNTS), "duration_seconds"]
    shown_rows = told.select(*columns, "published_at", "scraped_at").iter_rows(named=True)
    return tuple(Reject(row["row"], row["reason"], _sentence(row["reason"], row, rows)) for row in shown_rows)


def _sentence(reason: str, row: Mapping[str, object], rows: pl.DataFrame) -> str:
    if reason in _SENTENCES:
        return _SENTENCES[reason].format_map(row)
    if reason.endswith("_unreadable"):
        return _why_unreadable(reason.removesuffix("_unreadable"), rows, row["row"])
    kind, _, name = reason.partition("_")
    limit = f"{LONGEST_SECONDS} seconds" if name == "duration_seconds" else f"{COUNT_LIMIT:,}"
    return f"{name} is {row[name]}; " + ("it cannot be negative." if kind == "negative" else f"no video has {limit}.")


def _why_unreadable(name: str, rows: pl.DataFrame, index: object) -> str:
    """The parser's own words about the raw value."""
    series = rows[name]
    if series.dtype.is_temporal():
        return f"{name} holds a time before 2005 or after 9999."
    assert isinstance(index, int)
    value = series[index]
    if isinstance(value, str) and re.fullmatch(ROUNDED_NUMBER, value.strip()):
        return (
            f"{name} is {shown(value)}: a spreadsheet rounded it, so its last digits are gone. "
            "Export it again with that column as text."
        )
    try:
        PARSERS[_KINDS[name]](value)
    except ValueError as error:
        return f"{name}: {error}."
    return f"{name}: {shown(value)} cannot be read."
