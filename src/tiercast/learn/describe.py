"""From rows that ask to vectors: history cut at each row's instant, then every declared feature."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.learn.circumstances import StorePast
from tiercast.learn.features import FEATURES, matrix
from tiercast.learn.history import CreatorPast, Floats
from tiercast.learn.timeline import COUNTS, LOG_UNITS, UNKNOWN, Ints, Timeline, log_units, rate_units, seconds_of

OF_THE_CREATOR: Final = ("author_followers", "author_verified")
"""Columns that tell of the creator at the time of the scrape: known before posting only if scraped before."""


@dataclass(frozen=True, slots=True)
class Past:
    """Everything earlier that a vector may rest on: the creators' posts, and the store's."""

    creators: CreatorPast
    store: StorePast

    @classmethod
    def of(cls, timeline: Timeline) -> "Past":
        """Where one timeline holds both, as in training."""
        return cls(CreatorPast.of(timeline), StorePast.of(timeline))


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of each row at its instant."""

    moment: Moment
    X: NDArray[np.float64]
    """Vectors ``(n, n_features)``, unknown as NaN."""
    start: Floats
    """ln(views + 1) that were seen already; 0 before posting."""
    usual: Floats
    """ln(views + 1) that the creator usually has; NaN without a known earlier post."""
    posts: Floats
    """Earlier posts of the creator that were known."""
    followers: Floats
    """Followers of the creator at that instant; NaN where unknown."""

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Where a feature was unknown ``(n, n_features)``; nothing stands in for it."""
        return np.isnan(self.X)


def describe(rows: pl.DataFrame, past: Past, moment: Moment, *, seen: pl.DataFrame | None = None) -> Described:
    """The vectors of canonical rows, one a post, whose column ``asked_at`` says up to when earlier posts are known.

    ``OF_THE_CREATOR`` counts as it stands there: whoever asks puts null where it was measured later than asked.
    ``seen`` holds the early observations that the prediction may use: canonical counts and ``scraped_at``, ``row`` says
    whose, each at most as late as the prediction; ``early`` needs at least one a row.
    """
    seconds = seconds_of(rows["asked_at"])
    level = past.store.level(rows, seconds)
    columns = past.creators.columns(rows, seconds, level)
    stated = rows["author_followers"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    ahead = np.maximum(seconds_of(rows["published_at"].fill_null(rows["asked_at"])) - seconds, 0)
    columns["seconds_since"] = columns["seconds_since"] + ahead  # a planned post is counted from its own time
    columns["followers"] = np.where(np.isnan(stated), columns["followers"], stated)
    columns |= past.store.columns(rows, seconds, level)
    if moment is Moment.EARLY:
        columns |= _seen(rows, past, seconds, seen)
    known = pl.DataFrame(columns, nan_to_null=True)
    frame = pl.concat([rows.drop(columns, strict=False), known], how="horizontal")
    X = matrix(frame, FEATURES[moment])
    start = columns["seen_log_views"] / LOG_UNITS if moment is Moment.EARLY else np.zeros(rows.height)
    return Described(
        moment=moment,
        X=X,
        start=start,
        usual=columns["recent"] / LOG_UNITS,
        posts=columns["posts"],
        followers=columns["followers"],
    )


def _seen(rows: pl.DataFrame, past: Past, seconds: Ints, seen: pl.DataFrame | None) -> dict[str, Floats]:
    if seen is None:
        raise ValueError("the moment early needs the observations that were made")
    columns = _first_hours(rows, seen)
    age = columns["seen_age_hours"]
    return {
        **columns,
        "creator_at_age": past.creators.usual_at_age(rows, seconds, age),
        "platform_at_age": past.store.usual_at_age(rows, seconds, age),
    }


def _first_hours(rows: pl.DataFrame, seen: pl.DataFrame) -> dict[str, Floats]:
    """The last of the observations, against the first and the one before."""
    ordered = seen.sort("row", "scraped_at")
    row = ordered["row"].cast(pl.Int64).to_numpy()
    posted = seconds_of(rows["published_at"])[row]
    views = ordered["views"].to_numpy().astype(np.float64)
    log_views = log_units(views)
    age = np.maximum((seconds_of(ordered["scraped_at"], up=True) - posted) / 3600, 1 / 60)
    asked, first, size = np.unique(row, return_index=True, return_counts=True)
    if len(asked) != rows.height:
        raise ValueError(f"{rows.height - len(asked)} rows have no early observation")
    last = first + size - 1
    before = np.maximum(last - 1, first)
    grown, passed = log_views[last] - log_views[before], np.log(age[last]) - np.log(age[before])
    slope = np.divide(grown / LOG_UNITS, passed, out=np.full(len(last), np.nan), where=passed > 0)
    repeated = np.where(size > 1, log_views[first], np.nan)
    rates = {f"seen_{name}_rate": _rate(ordered[name], views, last) for name in COUNTS}
    return {
        "seen_log_views": log_views[last].astype(np.float64),
        "first_log_views": repeated,
        "seen_age_hours": age[last],
        "seen_observations": size.astype(np.float64),
        "seen_slope": slope,
        **rates,
    }


def _rate(count: pl.Series, views: Floats, last: Ints) -> Floats:
    units = rate_units(count, views)[last]
    return np.where(units == UNKNOWN, np.nan, units.astype(np.float64))
