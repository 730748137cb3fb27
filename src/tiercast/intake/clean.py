"""Cleaning: raw rows become canonical rows, or a named reason to refuse them. No row disappears uncounted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from tiercast.core.video import COLUMNS, COUNTS, platform_name, platform_of_url
from tiercast.intake.columns import Reading, hashtags_in_captions, read_column
from tiercast.intake.rules import Reject, rejects_of, rules
from tiercast.intake.schema import SCHEMA

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


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a batch of rows; every time is aware."""

    now: datetime
    scraped_at: datetime | None
    """Stated by the caller for rows that do not say it."""
    file_modified_at: datetime
    """The guess where neither the row nor the caller says when it was scraped."""
    platform: str | None
    known_platforms: Mapping[str, str]
    """Platform of videos that are stored already, by video_id."""
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
    read = {
        column.name: read_column(column, rows[column.name] if column.name in rows.columns else None, rows.height)
        for column in COLUMNS
    }
    frame = pl.DataFrame([reading.values for reading in read.values()]).with_row_index(ROW)
    frame = frame.with_columns(pl.col(ROW).cast(pl.Int64))
    frame, platform_bad = _with_platform(frame, context)
    frame = _with_times(frame, read, context).pipe(_with_content)
    unreadable = {name: reading.bad for name, reading in read.items() if reading.bad.any()}
    if platform_bad.any():
        unreadable["platform"] = platform_bad | read["platform"].bad
    judged = frame.with_columns(rules(unreadable, context.now, planned=context.planned).alias("reason"))
    kept, same, merged = _one_per_scrape(judged.filter(pl.col("reason").is_null()))
    refused = pl.concat([judged.filter(pl.col("reason").is_not_null()), same]).sort(ROW)
    return Cleaned(kept.select(*SCHEMA, ROW), rejects_of(refused, rows), merged)


def _with_platform(frame: pl.DataFrame, context: Context) -> tuple[pl.DataFrame, pl.Series]:
    """The platform from the row, its address, the store or the caller, and where a stated one is unreadable."""
    stated = frame["platform"]
    named = _mapped(stated, platform_name)
    bad = stated.is_not_null() & named.is_null()
    by_url = frame["video_url"].set(named.is_not_null(), None)
    by_url = _mapped(by_url, platform_of_url)
    by_id = frame["video_id"].set(named.is_not_null() | by_url.is_not_null(), None)
    by_id = _mapped(by_id, context.known_platforms.get)
    given = pl.lit(context.platform, dtype=pl.String)
    return frame.with_columns(pl.coalesce(named, by_url, by_id, given).alias("platform")), bad


def _mapped(texts: pl.Series, to: Callable[[str], str | None]) -> pl.Series:
    if texts.null_count() == len(texts):
        return texts
    found = {text: to(text) for text in texts.drop_nulls().unique()}
    return texts.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)


def _with_times(frame: pl.DataFrame, read: Mapping[str, Reading], context: Context) -> pl.DataFrame:
    """Posting time as stated or from a TikTok id; scrape time from the row, the caller or the file."""
    published_day, scraped_day = read["published_at"].date_only, read["scraped_at"].date_only
    day_only = pl.col("published_date_only").fill_null(value=False) | pl.lit(_or_false(published_day))
    from_id = _tiktok_id_time(context.now)
    exact = pl.col("published_at").is_null() | (day_only & (from_id.dt.date() == pl.col("published_at").dt.date()))
    use_id = exact & from_id.is_not_null()
    end_of_day = timedelta(hours=23, minutes=59, seconds=59)  # a scrape saw what was posted on its day
    of_day = pl.when(pl.lit(_or_false(scraped_day))).then(pl.lit(end_of_day)).otherwise(pl.lit(timedelta()))
    fallback = context.scraped_at or context.file_modified_at
    caller_knows = pl.lit(context.scraped_at is not None)
    row_guessed = pl.col("scrape_time_guessed").fill_null(value=False)
    own = pl.when(~(row_guessed & caller_knows)).then(pl.col("scraped_at"))  # what is stated beats a guess
    of_file = own.is_null() & ~caller_knows
    return frame.with_columns(
        pl.when(use_id).then(from_id).otherwise(pl.col("published_at")).alias("published_at"),
        pl.when(use_id)
        .then(pl.lit(value=False))
        .when(pl.col("published_at").is_not_null())
        .then(day_only)
        .alias("published_date_only"),
        (own + of_day).fill_null(pl.lit(fallback).cast(SCHEMA["scraped_at"])).alias("scraped_at"),
        (of_file | (row_guessed & ~caller_knows)).alias("scrape_time_guessed"),
        of_file.alias("time_of_file"),
    )


def _or_false(days: pl.Series | None) -> pl.Series | bool:
    return False if days is None else days


def _tiktok_id_time(now: datetime) -> pl.Expr:
    """``core.video.published_at_from_tiktok_id`` for a column: null where the id holds no plausible time."""
    text = pl.col("video_id")
    is_id = (pl.col("platform") == "tiktok") & text.str.contains(r"^[0-9]{17,20}$")
    seconds = pl.when(is_id).then(text).cast(pl.UInt64, strict=False) // 2**32
    plausible = seconds.is_between(_FIRST_TIKTOK_SECOND, int(now.timestamp()))
    microseconds = pl.when(plausible).then(seconds).cast(pl.Int64) * 1_000_000
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _with_content(frame: pl.DataFrame) -> pl.DataFrame:
    """Hidden likes, hashtags found in the caption, and sounds that are the author's own by their name."""
    wanted = frame["description"].set(frame["hashtags"].is_not_null(), None)
    name = pl.col("sound_name").str.to_lowercase()
    original = pl.any_horizontal(name.str.starts_with(start) for start in ORIGINAL_SOUNDS)
    return frame.with_columns(
        pl.when(pl.col("likes") != HIDDEN_LIKES).then(pl.col("likes")),
        pl.col("author").str.strip_prefix("@"),  # some scrapers write it, people do too; a handle is the same without
        pl.col("hashtags").fill_null(hashtags_in_captions(wanted)),
        pl.col("sound_is_original").fill_null(pl.when(original).then(pl.lit(value=True))),
    )


def _one_per_scrape(kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """One row for each video and scrape time: (kept, rejected for other counts, number merged).

    The one with the most views stays, since views never fall; a row that knows no count beyond it is merged.
    """
    key = ["platform", "video_id", "scraped_at"]
    repeated = pl.struct(key).is_duplicated()
    groups = kept.filter(repeated)
    if groups.is_empty():
        return kept, kept.clear(), 0
    known = pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32))
    ranked = groups.with_columns(known.alias("known")).sort(
        "views", "known", ROW, descending=[True, True, False], nulls_last=True
    )
    best = ranked.group_by(key, maintain_order=True).first()
    rest = ranked.join(best, on=key, how="left", suffix="_best").filter(pl.col(ROW) != pl.col(f"{ROW}_best"))
    counts = [count.name for count in COUNTS]
    adds = pl.any_horizontal(pl.col(c).is_not_null() & pl.col(c).ne_missing(pl.col(f"{c}_best")) for c in counts)
    other = rest.filter(adds).select(kept.columns).with_columns(pl.lit("same_time_other_counts").alias("reason"))
    winners = kept.filter(~repeated | pl.col(ROW).is_in(best[ROW].to_list()))
    return winners, other, rest.height - other.height
