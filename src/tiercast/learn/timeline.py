"""Posts and their measurements on one line of time, each measurement with the second from which it counts as known.

Everything that rests on earlier posts is read through ``Timeline.before``: what a measurement said, or that it exists,
is out of reach before its own second. Times are whole seconds since 1970 UTC: a measurement counts from the next whole
second on, a question is asked at the last whole one, so rounding never lets the future in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

History = Literal["observed", "as_scraped"]

LOG_UNITS: Final = 10_000
"""Log views are whole ten-thousandths: sums of whole numbers are the same in any order and in any batch, and a
hundredth of a percent of the views is nothing."""
COUNTS: Final = ("likes", "comments", "shares", "saves")
UNKNOWN: Final = np.iinfo(np.int64).min
"""Stands for a missing whole number; never entered into a sum."""
NOBODY: Final = -2
"""A number that no entry has, in questions about a key that never occurred."""
_DAY: Final = 86_400
_SHIFT: Final = np.int64(32)
_NEVER: Final = (1 << 32) - 1
"""The last second that fits beside a key, in the year 2106: nothing is before it that says so."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stamps:
    """Entries in the order of (key, second), so that those of a key before a second are one slice."""

    order: Ints
    """Entry numbers ``(n,)`` in that order."""
    places: Ints
    """key * 2**32 + second of each, ascending."""

    @classmethod
    def of(cls, keys: Ints, seconds: Ints) -> "Stamps":
        """The entries of these keys and seconds; equal ones keep their order."""
        places = (keys << _SHIFT) + np.minimum(seconds, _NEVER)
        order = np.argsort(places, kind="stable")
        return cls(order, places[order])

    def before(self, keys: Ints, seconds: Ints) -> tuple[Ints, Ints]:
        """For each question the slice [start, end) of the entries of its key strictly before its second."""
        start = np.searchsorted(self.places, keys << _SHIFT, side="left")
        end = np.searchsorted(self.places, (keys << _SHIFT) + np.minimum(seconds, _NEVER), side="left")
        return start, np.maximum(start, end)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Posts ``(n_posts,)`` in canonical order, and measurements ``(n_measured,)`` of their counts."""

    posts: pl.DataFrame
    """platform, author, hashtags, sound_id, sound_name, sound_is_original, duration_seconds of each post."""
    creator: Ints
    """Number of each post's creator; -1 where the author is unknown."""
    creators: dict[tuple[str, str], int]
    """Number by (platform, author)."""
    posted: Ints
    post: Ints
    """The post of each measurement."""
    known: Ints
    """The second from which a measurement counts as known."""
    age_hours: NDArray[np.float64]
    log_views: Ints
    rates: dict[str, Ints]
    """ln((count + 1) / (views + 1)) of each of ``COUNTS`` in LOG_UNITS; UNKNOWN where it was not measured."""
    followers: Ints
    latest: Stamps
    """Measurements by post and ``known``."""

    @classmethod
    def of(cls, rows: pl.DataFrame, *, history: History, embargo_days: float = 0.0) -> "Timeline":
        """From canonical rows, one an observation; undated posts and observations without views are no history.

        ``observed``: a measurement is known from its scrape on. ``as_scraped``: from the posting on, as if counts had
        stood still since; the last one speaks for all. Nothing is known before a post is ``embargo_days`` old. A post
        of which only the day is known was up at the end of that day, for all one knows.
        """
        dated = rows.filter(
            pl.col("published_at").is_not_null(), pl.col("views") > 0, pl.col("scraped_at").is_not_null()
        )
        dated = dated.sort("published_at", "platform", "video_id", "scraped_at")
        key = pl.struct("platform", "video_id").rle_id().cast(pl.Int64)
        dated = dated.with_columns(post=key)
        posts = dated.unique("post", keep="first", maintain_order=True)
        posted = seconds_of(posts["published_at"], up=True)
        creator, creators = _numbered_creators(posts)
        scraped = seconds_of(dated["scraped_at"], up=True)
        post = dated["post"].to_numpy().astype(np.int64)
        known = _known_from(dated, scraped if history == "observed" else None, embargo_days)
        views = dated["views"].to_numpy().astype(np.float64)
        return cls(
            posts=posts,
            creator=creator,
            creators=creators,
            posted=posted,
            post=post,
            known=known,
            age_hours=(scraped - posted[post]) / 3600,
            log_views=log_units(views),
            rates={name: rate_units(dated[name], views) for name in COUNTS},
            followers=whole(dated["author_followers"]),
            latest=Stamps.of(post, known),
        )

    def measured_before(self, posts: Ints, seconds: Ints) -> Ints:
        """For each of these posts its last measurement known before the second; -1 where there is none."""
        start, end = self.latest.before(posts, seconds)
        place = np.minimum(np.maximum(end - 1, 0), max(0, len(self.post) - 1))
        if not len(self.post):
            return np.full(len(posts), -1, dtype=np.int64)
        return np.asarray(np.where(end > start, self.latest.order[place], -1), dtype=np.int64)


def _known_from(dated: pl.DataFrame, scraped: Ints | None, embargo_days: float) -> Ints:
    """The second from which each measurement counts as known: when it was scraped, or, without that, posted."""
    posted = seconds_of(dated["published_at"], up=True)
    up = posted + _DAY * dated["published_date_only"].fill_null(value=False).to_numpy().astype(np.int64)
    known = np.maximum(up if scraped is None else scraped, posted)
    return known if embargo_days == 0 else np.maximum(known, up + math.ceil(embargo_days * _DAY))


def seconds_of(times: pl.Series, *, up: bool = False) -> Ints:
    """Whole seconds since 1970, rounded down, or ``up``; a missing time is 0."""
    micros = _filled(times.cast(pl.Datetime("us", "UTC")).to_physical(), 0).to_numpy().astype(np.int64)
    return -(-micros // 1_000_000) if up else micros // 1_000_000


def log_units(count: NDArray[np.float64]) -> Ints:
    """ln(count + 1) in whole LOG_UNITS.

    >>> log_units(np.array([0.0, 999.0])).tolist()
    [0, 69078]
    """
    return np.asarray(np.rint(np.log1p(count) * LOG_UNITS), dtype=np.int64)


def rate_units(count: pl.Series, views: NDArray[np.float64]) -> Ints:
    """ln((count + 1) / (views + 1)) in LOG_UNITS; UNKNOWN where the count is."""
    units = log_units(_filled(count, 0).to_numpy().astype(np.float64)) - log_units(views)
    return np.where(count.is_not_null().to_numpy(), units, UNKNOWN) if count.null_count() else units


def whole(values: pl.Series) -> Ints:
    """Whole numbers; UNKNOWN where there is none."""
    return np.asarray(_filled(values.cast(pl.Int64), UNKNOWN).to_numpy(), dtype=np.int64)


def _filled(values: pl.Series, stand_in: int) -> pl.Series:
    return values.fill_null(stand_in) if values.null_count() else values


def _numbered_creators(posts: pl.DataFrame) -> tuple[Ints, dict[tuple[str, str], int]]:
    pairs = posts.select("platform", "author").rows()
    numbers: dict[tuple[str, str], int] = {}
    code = [
        -1 if author is None else numbers.setdefault((platform, author), len(numbers)) for platform, author in pairs
    ]
    return np.array(code, dtype=np.int64), numbers


def numbers_of(pairs: Sequence[tuple[str, str | None]], numbers: dict[tuple[str, str], int]) -> Ints:
    """The number of each (platform, author); NOBODY for one that is not there."""
    return np.array([NOBODY if a is None else numbers.get((p, a), NOBODY) for p, a in pairs], dtype=np.int64)


def creator_numbers(rows: pl.DataFrame) -> Ints:
    """A number for each row's (platform, author); a row of unknown author has one of its own."""
    numbered = rows.select(
        pl.when(pl.col("author").is_null())
        .then(pl.struct("platform", pl.format("\x1f{}", pl.int_range(pl.len())).alias("author")))
        .otherwise(pl.struct("platform", "author"))
        .rank("dense")
        .cast(pl.Int64)
    )
    return np.asarray(numbered.to_series().to_numpy(), dtype=np.int64)
