"""Cleaning: raw rows become canonical rows, or a named reason to refuse them. No row disappears uncounted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from tiercast.core.video import COUNTS, platform_name, platform_of_url
from tiercast.intake.columns import read_columns
from tiercast.intake.reading import marks
from tiercast.intake.rules import Reject, broken_rules, rejects_of
from tiercast.intake.schema import SCHEMA
from tiercast.intake.texts import hashtags_in_captions
from tiercast.intake.times import instant

ROW: Final = "row"
"""The column that holds a clean row's index in the input."""

HIDDEN_LIKES: Final = -1
"""What scrapers write where the creator hides the likes."""

ORIGINAL_SOUNDS: Final = (
    "original sound",
    "original audio",
    "originalton",
    "origineel geluid",
    "son original",
    "sonido original",
    "som original",
    "suono originale",
    "suara asli",
    "nhạc nền",
    "orijinal ses",
    "oryginalny dźwięk",
    "оригинальный звук",
    "オリジナル楽曲",
    "원본 사운드",
    "原声",
    "原聲",
    "เสียงต้นฉบับ",
    "الصوت الأصلي",
)
"""How TikTok names a sound that is the author's own, in the languages it was seen in."""

_FIRST_TIKTOK_SECOND: Final = 1_388_534_400
"""2014-01-01, as in ``core.video``: an older "id" is no TikTok id."""

_END_OF_DAY: Final = pl.lit(timedelta(hours=23, minutes=59, seconds=59))
"""A scrape known by its day saw what was posted on that day."""

_COLUMNS: Final = [*SCHEMA, ROW]
_DAY_ONLY: Final = pl.col("published_date_only").fill_null(value=False)
_GUESSED: Final = pl.col("scrape_time_guessed").fill_null(value=False)
_CONTENT: Final = (
    pl.when(pl.col("likes") != HIDDEN_LIKES).then(pl.col("likes")),
    pl.col("author").str.strip_prefix("@"),  # some scrapers write it, people do too; a handle is the same without
    pl.col(ROW).cast(pl.Int64),
)


@dataclass(frozen=True, slots=True)
class _ScrapeTime:
    """Where the row's own time of a scrape counts, whether it is a guess, and whether it is the file's."""

    scraped_at: pl.Expr
    guessed: pl.Expr
    of_file: pl.Expr


_OF_FILE: Final = pl.col("scraped_at").is_null()
_SCRAPED_AS_OF_FILE: Final = _ScrapeTime(pl.col("scraped_at"), _OF_FILE | _GUESSED, _OF_FILE)
_NO: Final = pl.lit(value=False)
_SCRAPED_AS_STATED: Final = _ScrapeTime(pl.when(~_GUESSED).then("scraped_at"), _NO, _NO)
"""What the caller states beats a guess."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a batch of rows; every time is aware."""

    now: datetime
    scraped_at: datetime | None
    """Stated by the caller for rows that do not say it."""
    file_modified_at: datetime
    """The guess where neither the row nor the caller says when it was scraped."""
    platform: str | None
    platform_of_id: Callable[[str], str | None]
    """The platform that a video_id settles where the row names none; None where it settles none."""
    planned: bool = False
    """Whether rows without views are posts to come, whose time may lie ahead."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The outcome: rows kept + rejects + merged duplicates = rows given."""

    rows: pl.DataFrame
    """The columns of ``intake.schema.SCHEMA`` and ``row``, in the order of the input."""
    rejects: tuple[Reject, ...]
    merged: int
    """Rows that said nothing beyond another row of the same video and scrape."""


def clean(rows: pl.DataFrame, context: Context) -> Cleaned:
    """Canonical rows from raw ones of any type; raises InvalidInput where ids are floating-point numbers."""
    read = read_columns(rows)
    frame = pl.DataFrame([reading.values for reading in read.values()]).with_row_index(ROW)
    frame, platform_bad = _with_platform(frame, context)
    frame = _with_end_of_day(frame, read["scraped_at"].date_only)
    frame = frame.with_columns(*_times(frame, read["published_at"].date_only, context), *_content(frame))
    unreadable = [(name, reading.bad) for name, reading in read.items()] + [("platform", platform_bad)]
    told = [(name, bad) for name, bad in unreadable if bad is not None]
    reasons = broken_rules(frame, told, context.now, planned=context.planned)
    kept, refused = _parted(frame, reasons)
    kept, same, merged = _one_per_scrape(kept)
    refused = [*refused, *same]
    return Cleaned(kept[_COLUMNS], rejects_of(pl.concat(refused).sort(ROW), rows) if refused else (), merged)


def _parted(frame: pl.DataFrame, reasons: pl.Series | None) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The rows to keep, and those refused with their ``reason``, if any."""
    if reasons is None:
        return frame, []
    return frame.filter(reasons.is_null()), [frame.with_columns(reasons).filter(reasons.is_not_null())]


def _with_platform(frame: pl.DataFrame, context: Context) -> tuple[pl.DataFrame, pl.Series | None]:
    """The platform from the row, its address, the store or the caller, and where a stated one is unreadable."""
    stated = frame["platform"]
    named = _mapped(stated, platform_name)
    bad = marks(stated.is_not_null() & named.is_null()) if named.null_count() > stated.null_count() else None
    if not named.null_count():
        return frame.with_columns(named), bad
    by_url = frame["video_url"].set(named.is_not_null(), None)
    by_url = _mapped(by_url, platform_of_url)
    by_id = frame["video_id"].set(named.is_not_null() | by_url.is_not_null(), None)
    by_id = _mapped(by_id, context.platform_of_id)
    given = pl.lit(context.platform, dtype=pl.String)
    return frame.with_columns(pl.coalesce(named, by_url, by_id, given).alias("platform")), bad


def _mapped(texts: pl.Series, to: Callable[[str], object], dtype: pl.DataType | None = None) -> pl.Series:
    """What each text stands for, as text where no type is named; each is asked for once."""
    asked = texts.to_list()
    found = {text: None if text is None else to(text) for text in set(asked)}
    return pl.Series(texts.name, [found[text] for text in asked], dtype=dtype or pl.String())


def _original(sound_name: str) -> bool | None:
    """Whether it is the name of a sound of the author's own; None where that cannot be told."""
    return sound_name.lower().startswith(ORIGINAL_SOUNDS) or None


def _with_end_of_day(frame: pl.DataFrame, stated_day: pl.Series | None) -> pl.DataFrame:
    if stated_day is None:
        return frame
    of_day = pl.when(pl.lit(stated_day)).then(_END_OF_DAY).otherwise(pl.lit(timedelta()))
    return frame.with_columns(pl.col("scraped_at") + of_day)


def _times(frame: pl.DataFrame, published_day: pl.Series | None, context: Context) -> Iterator[pl.Expr]:
    """Posting time as stated or from a TikTok id; scrape time from the row, the caller or the file."""
    yield from _published(frame, published_day, context.now)
    known_by = _SCRAPED_AS_STATED if context.scraped_at is not None else _SCRAPED_AS_OF_FILE
    yield known_by.scraped_at.fill_null(instant(context.scraped_at or context.file_modified_at))
    yield known_by.guessed.alias("scrape_time_guessed")
    yield known_by.of_file.alias("time_of_file")


def _published(frame: pl.DataFrame, stated_day: pl.Series | None, now: datetime) -> Iterator[pl.Expr]:
    """Posting time and whether only its day is known; an id is asked where the row leaves anything open."""
    day_only = _DAY_ONLY if stated_day is None else _DAY_ONLY | pl.lit(stated_day)
    published_at = pl.col("published_at")
    told = pl.when(published_at.is_not_null()).then(day_only)
    if not (frame["published_at"].null_count() or stated_day is not None or frame["published_date_only"].any()):
        yield told.alias("published_date_only")
        return
    from_id = pl.lit(frame.select(_tiktok_id_time(now)).to_series())  # as an expression it would be computed each time
    exact = published_at.is_null() | (day_only & (from_id.dt.date() == published_at.dt.date()))
    use_id = exact & from_id.is_not_null()
    yield pl.when(use_id).then(from_id).otherwise(published_at).alias("published_at")
    yield pl.when(use_id).then(pl.lit(value=False)).otherwise(told).alias("published_date_only")


def _tiktok_id_time(now: datetime) -> pl.Expr:
    """``core.video.published_at_from_tiktok_id`` for a column: null where the id holds no plausible time."""
    text = pl.col("video_id")
    is_id = (pl.col("platform") == "tiktok") & text.str.contains(r"^[0-9]{17,20}$")
    seconds = pl.when(is_id).then(text).cast(pl.UInt64, strict=False) // 2**32
    plausible = seconds.is_between(_FIRST_TIKTOK_SECOND, int(now.timestamp()))
    microseconds = pl.when(plausible).then(seconds).cast(pl.Int64) * 1_000_000
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _content(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    """Hidden likes, hashtags found in the caption, and sounds that are the author's own by their name."""
    yield from _CONTENT
    if frame["hashtags"].null_count():
        wanted = frame["description"].set(frame["hashtags"].is_not_null(), None)
        yield pl.col("hashtags").fill_null(hashtags_in_captions(wanted))
    if frame["sound_is_original"].null_count() and frame["sound_name"].null_count() < frame.height:
        yield pl.col("sound_is_original").fill_null(_mapped(frame["sound_name"], _original, pl.Boolean()))


def _one_per_scrape(kept: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame], int]:
    """One row for each video and scrape time: (kept, rejected for other counts if any, number merged).

    The one with the most views stays, since views never fall; a row that knows no count beyond it is merged.
    """
    if kept["video_id"].n_unique() == kept.height:
        return kept, [], 0
    key = ["platform", "video_id", "scraped_at"]
    repeated = kept.select(pl.struct(key).is_duplicated()).to_series()
    if not repeated.any():
        return kept, [], 0
    known = pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32))
    ranked = (
        kept.filter(repeated)
        .with_columns(known.alias("known"))
        .sort("views", "known", ROW, descending=[True, True, False], nulls_last=True)
    )
    best = ranked.group_by(key, maintain_order=True).first()
    rest = ranked.join(best, on=key, how="left", suffix="_best").filter(pl.col(ROW) != pl.col(f"{ROW}_best"))
    counts = [count.name for count in COUNTS]
    adds = pl.any_horizontal(pl.col(c).is_not_null() & pl.col(c).ne_missing(pl.col(f"{c}_best")) for c in counts)
    other = rest.filter(adds).select(*kept.columns, pl.lit("same_time_other_counts").alias("reason"))
    winners = kept.filter(~repeated | pl.col(ROW).is_in(best[ROW].to_list()))
    return winners, [other], rest.height - other.height
