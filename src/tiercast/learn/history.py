"""What a creator's earlier posts had shown by an instant, as columns beside the rows that ask."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.learn.ledger import Ledger
from tiercast.learn.timeline import COUNTS, LOG_UNITS, UNKNOWN, Ints, Stamps, Timeline, log_units, numbers_of

Floats = NDArray[np.float64]

LATEST: Final = 200
"""Older posts than a creator's last two hundred tell little of the next one, and would let one creator cost minutes."""
EMBARGO_DAYS: Final = 3
"""Counts of younger posts are still moving: what history as of scrape lends a forecast, this takes back."""
_DAY: Final = 86_400
_WEIGHT: Final = 1 << 20
_BY_RANK: Final = np.rint(_WEIGHT * 0.5 ** (np.arange(LATEST) / 3)).astype(np.int64)
"""Weight of the last post, the one before, ...: halved every three posts."""
_BY_DAY: Final = np.maximum(1, np.rint(_WEIGHT * np.exp(-np.arange(400) / 30))).astype(np.int64)
"""Weight of a post by its age in days: a month ago counts a third."""
HIT: Final = int(np.log(3) * LOG_UNITS)
"""A hit has three times the usual views of its platform."""
AGE_BANDS_HOURS: Final = (1, 2, 4, 8, 16, 32, 72, 168, 336, 720)
"""Views of posts are compared within a band of age: each doubles the one before while growth is fast."""


@dataclass(frozen=True, slots=True)
class CreatorPast:
    """The earlier posts of the creators in question."""

    timeline: Timeline
    by_creator: Stamps
    """Posts by creator and second from which they are known, which is never before they were posted."""
    follower_counts: Stamps
    """Measurements with followers by creator and second from which they are known."""
    with_followers: Ints
    at_age: Ledger
    """Log views by creator and band of age."""

    @classmethod
    def of(cls, timeline: Timeline) -> "CreatorPast":
        """From a timeline that holds every post of these creators."""
        told = np.flatnonzero(timeline.followers != UNKNOWN)
        owner = timeline.creator[timeline.post]
        bands = age_bands(timeline.age_hours)
        keys = [None if o < 0 else f"{o}:{band}" for o, band in zip(owner.tolist(), bands.tolist(), strict=True)]
        once = np.ones(len(owner), dtype=np.int64)
        first = np.searchsorted(timeline.post, np.arange(len(timeline.creator)))
        return cls(
            timeline,
            Stamps.of(timeline.creator, timeline.known[first]),
            Stamps.of(owner[told], timeline.known[told]),
            told,
            Ledger.of(keys, timeline.known, once, timeline.log_views),
        )

    def columns(self, rows: pl.DataFrame, seconds: Ints, level: Floats) -> dict[str, Floats]:
        """History of each row's creator before its second; ``level`` is its platform's usual log views in LOG_UNITS."""
        creator = numbers_of(rows.select("platform", "author").rows(), self.timeline.creators)
        pairs = self._pairs(creator, seconds)
        columns = _summary(self.timeline, pairs, seconds, level) if len(pairs.row) else {}
        nothing = np.full(len(seconds), np.nan)
        columns = {name: columns.get(name, nothing) for name in SUMMARY}
        named = rows["author"].is_not_null().to_numpy()
        columns["posts"] = np.where(named, np.nan_to_num(columns["posts"]), np.nan)  # a creator without any has zero
        columns["followers"] = self._followers(creator, seconds)
        return columns

    def usual_at_age(self, rows: pl.DataFrame, seconds: Ints, age_hours: Floats) -> Floats:
        """Mean log views that each row's creator's earlier posts had at that age, in LOG_UNITS."""
        creator = numbers_of(rows.select("platform", "author").rows(), self.timeline.creators)
        keys = [f"{c}:{band}" for c, band in zip(creator.tolist(), age_bands(age_hours).tolist(), strict=True)]
        return mean_of(*self.at_age.before(keys, seconds))

    def _pairs(self, creator: Ints, seconds: Ints) -> "Pairs":
        start, end = self.by_creator.before(creator, seconds)
        order = self.by_creator.order
        known = [_newest(order[low:high]) for low, high in zip(start.tolist(), end.tolist(), strict=True)]
        row = np.repeat(np.arange(len(known)), np.array([len(posts) for posts in known], dtype=np.int64))
        post = np.concatenate([np.empty(0, dtype=np.int64), *known])
        return Pairs(row, post, self.timeline.measured_before(post, seconds[row]))

    def _followers(self, creator: Ints, seconds: Ints) -> Floats:
        """Followers last known before each second."""
        start, end = self.follower_counts.before(creator, seconds)
        if not len(self.with_followers):
            return np.full(len(seconds), np.nan)
        last = self.with_followers[self.follower_counts.order[np.maximum(end - 1, 0)]]
        return np.where(end > start, self.timeline.followers[last].astype(np.float64), np.nan)


@dataclass(frozen=True, slots=True)
class Pairs:
    """(row, earlier post, its measurement by then), by row, then in the order of posting."""

    row: Ints
    post: Ints
    measured: Ints


SUMMARY: Final = (
    "posts", "mean", "median", "spread", "best", "worst", "lower_quartile", "upper_quartile", "last", "before_last",
    "last3", "last5", "recent", "recent_month", "hits", "posts_week", "posts_month", "seconds_since", "seconds_between",
    "log_seconds", *(f"{name}_rate" for name in COUNTS),
)  # fmt: skip


def _newest(posts: Ints) -> Ints:
    """The last ``LATEST`` of these posts in the order of posting, in which they are numbered."""
    return np.sort(posts if len(posts) <= LATEST else np.partition(posts, -LATEST)[-LATEST:])


def age_bands(age_hours: Floats) -> Ints:
    """The band of each age; see AGE_BANDS_HOURS."""
    return np.searchsorted(np.array(AGE_BANDS_HOURS, dtype=np.float64), age_hours, side="right").astype(np.int64)


def mean_of(count: Ints, total: Ints) -> Floats:
    """total / count, NaN where nothing was counted."""
    mean: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean


@dataclass(frozen=True, slots=True)
class _Groups:
    """Consecutive entries of the same row."""

    rows: Ints
    first: Ints
    size: Ints

    def sum(self, values: Ints | NDArray[np.bool_]) -> Floats:
        return np.add.reduceat(values.astype(np.int64), self.first).astype(np.float64)

    def mean_where(self, values: Ints, chosen: NDArray[np.bool_]) -> Floats:
        counted = np.add.reduceat(chosen.astype(np.int64), self.first)
        return mean_of(counted, np.add.reduceat(np.where(chosen, values, 0), self.first))

    def ranked(self, values: Ints, row: Ints, share: float) -> Floats:
        """The value of rank floor(share * (size - 1)) in each group."""
        ordered = values[np.lexsort((values, row))]
        return ordered[self.first + (share * (self.size - 1)).astype(np.int64)].astype(np.float64)


def _summary(timeline: Timeline, pairs: Pairs, seconds: Ints, level: Floats) -> dict[str, Floats]:
    rows, first, size = np.unique(pairs.row, return_index=True, return_counts=True)
    groups = _Groups(rows, first, size)
    log_views = timeline.log_views[pairs.measured]
    rank = np.repeat(first + size - 1, size) - np.arange(len(pairs.row))
    days = (seconds[pairs.row] - timeline.posted[pairs.post]) // _DAY
    n, total, squares = size.astype(np.float64), groups.sum(log_views), groups.sum(log_views**2)
    variance = np.divide(n * squares - total**2, n * (n - 1), out=np.full(len(n), np.nan), where=size > 1)
    by_rank, by_day = _BY_RANK[rank], _BY_DAY[np.minimum(days, len(_BY_DAY) - 1)]
    last = first + size - 1
    found = {
        "posts": n,
        "mean": total / n,
        "median": groups.ranked(log_views, pairs.row, 0.5),
        "spread": np.sqrt(np.maximum(variance, 0.0)),
        "best": np.maximum.reduceat(log_views, first).astype(np.float64),
        "worst": np.minimum.reduceat(log_views, first).astype(np.float64),
        "lower_quartile": groups.ranked(log_views, pairs.row, 0.25),
        "upper_quartile": groups.ranked(log_views, pairs.row, 0.75),
        "last": log_views[last].astype(np.float64),
        "before_last": np.where(size > 1, log_views[np.maximum(last - 1, 0)], np.nan),
        "last3": groups.mean_where(log_views, rank < 3),
        "last5": groups.mean_where(log_views, rank < 5),
        "recent": groups.sum(by_rank * log_views) / groups.sum(by_rank),
        "recent_month": groups.sum(by_day * log_views) / groups.sum(by_day),
        "hits": np.where(np.isnan(level[rows]), np.nan, groups.sum(log_views > level[pairs.row] + HIT) / n),
        "posts_week": groups.sum(days < 7),
        "posts_month": groups.sum(days < 30),
        "seconds_since": (seconds[rows] - timeline.posted[pairs.post[last]]).astype(np.float64),
        "seconds_between": _between(timeline.posted[pairs.post], pairs.row, groups),
        "log_seconds": _mean_log_duration(timeline, pairs, groups),
    }
    for name in COUNTS:
        rate = timeline.rates[name][pairs.measured]
        found[f"{name}_rate"] = groups.mean_where(rate, rate != UNKNOWN)
    return {name: _spread_out(values, rows, len(seconds)) for name, values in found.items()}


def _between(posted: Ints, row: Ints, groups: _Groups) -> Floats:
    """Median seconds between two consecutive posts; unknown with one post."""
    gap = np.diff(posted, prepend=0)
    gap[groups.first] = np.iinfo(np.int64).max  # the first has none before it, and sorts behind the others
    ordered = gap[np.lexsort((gap, row))]
    middle = groups.first + np.maximum(groups.size - 2, 0) // 2
    return np.where(groups.size > 1, ordered[middle].astype(np.float64), np.nan)


def _mean_log_duration(timeline: Timeline, pairs: Pairs, groups: _Groups) -> Floats:
    duration = timeline.posts["duration_seconds"]
    known = duration.is_not_null().to_numpy()[pairs.post]
    units = log_units(duration.fill_null(0.0).to_numpy().astype(np.float64))[pairs.post]
    return groups.mean_where(units, known)


def _spread_out(values: Floats, rows: Ints, n: int) -> Floats:
    """The values at their rows among ``n``; NaN elsewhere."""
    column = np.full(n, np.nan)
    column[rows] = values
    return column
