"""Labels that mature: the views that a video had at a fixed age, measured after everything its features used."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import polars as pl

DAY_US: Final = 86_400_000_000
NEAR_US: Final = DAY_US
"""A measurement within a day of the horizon stands for it: scrapers come by once a day."""
BRACKET_RATIO: Final = 4
"""Further apart than this (2 and 8 days, say) a line between two measurements says little about the time between."""

AGE, VIEWS = pl.col("age_us"), pl.col("views")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Which measurement labels a row: the one that tells the views at a horizon, or the last one; ages in days."""

    at: Literal["horizon", "last"] = "horizon"
    horizon_days: float = 7
    """Above 0."""
    maturity_days: float = 7
    """A row whose last measurement is younger has no label yet."""
    max_age_days: float | None = 30
    """A label that only a later measurement gives is at most this old; None: any age."""
    min_days_after: float = 0
    """Only for ``last``: the label is measured at least this long after the last observation that a feature used."""


def label_views(observations: pl.DataFrame, rule: LabelRule) -> pl.DataFrame:
    """The views that label each distinct ``row``, ordered by it; null where no measurement tells them (yet).

    In, one row an observation: ``row`` (the training row it may label), ``published_at`` (one time a row),
    ``scraped_at``, ``views`` and ``used`` (a feature of this row used it). Nothing used, or measured no later than
    something used, enters a label; unknown or zero views and times up to posting measure nothing; of two counts at the
    same time the higher holds, for views never fall.

    Out: ``row``, ``views``, ``label_at`` (when they were known), ``label_age_days`` (the age they stand for), ``how``:
    the ``nearest`` within a day of the horizon, else ``interpolated`` between its neighbours (log views over log age),
    else the first ``later`` one; or the ``last``. ``matures_at``: a measurement before it cannot give the row a label.

    >>> from datetime import UTC, datetime
    >>> posted, ages = datetime(2026, 3, 1, tzinfo=UTC), (2, 5, 10)
    >>> seen = pl.DataFrame({"row": 1, "published_at": posted, "scraped_at": [posted + timedelta(age) for age in ages],
    ...     "views": [100, 900, 1600], "used": [True, False, False]})
    >>> label_views(seen, LabelRule()).select("views", "label_age_days", "how").row(0)
    (1190, 7.0, 'interpolated')
    >>> label_views(seen.head(2), LabelRule()).select("views", "matures_at").row(0)
    (None, datetime.datetime(2026, 3, 8, 0, 0, tzinfo=zoneinfo.ZoneInfo(key='UTC')))
    """
    rows = _rows(observations)
    known = _measurements(observations, rows, _wait(rule))
    mature = known.filter(_us(rule.maturity_days) <= AGE)
    found = _at_horizon(known, rule) if rule.at == "horizon" else _last(known, rule)
    labels = _with_age_in_days(found.join(mature, on="row", how="semi"))
    return (
        rows.with_columns(_matures_at(rule))
        .join(labels, on="row", how="left")
        .select("row", "views", "label_at", "label_age_days", "how", "matures_at")
        .sort("row")
    )


def _us(days: float) -> int:
    return round(days * DAY_US)


def _wait(rule: LabelRule) -> timedelta:
    """From the last used observation to the first that may enter the label: at least the clock's smallest step."""
    least_us = _us(rule.min_days_after) if rule.at == "last" else 0
    return timedelta(microseconds=max(1, least_us))


def _rows(observations: pl.DataFrame) -> pl.DataFrame:
    """One row a training row: when it was posted and last used; also where views are unknown, features use the rest."""
    last_used_at = pl.col("scraped_at").filter(pl.col("used")).max().alias("last_used_at")
    return observations.group_by("row").agg(pl.col("published_at").max(), last_used_at)


def _measurements(observations: pl.DataFrame, rows: pl.DataFrame, wait: timedelta) -> pl.DataFrame:
    """What may enter a label, oldest first within a row, one an age.

    The last of them decides on maturity: where it is not the row's last measurement of all, it does not exist.
    """
    earliest_at = pl.col("last_used_at") + wait
    free = pl.col("last_used_at").is_null() | (pl.col("scraped_at") >= earliest_at)
    age_us = (pl.col("scraped_at") - pl.col("published_at")).dt.total_microseconds()
    return (
        observations.filter(VIEWS > 0)
        .join(rows.select("row", "last_used_at"), on="row")
        .filter(free)
        .select("row", "views", pl.col("scraped_at").alias("label_at"), age_us.alias("age_us"))
        .filter(AGE > 0)
        .sort("row", "age_us", "views")
        .unique(["row", "age_us"], keep="last", maintain_order=True)
    )


def _at_horizon(known: pl.DataFrame, rule: LabelRule) -> pl.DataFrame:
    """The nearest, else the interpolated, else the first later measurement of each row that has one of them."""
    horizon_us = _us(rule.horizon_days)
    off_us = (AGE - horizon_us).abs()
    nearest = _first(known.filter(off_us <= NEAR_US).sort("row", off_us, "age_us"))
    before = known.filter(horizon_us > AGE).unique("row", keep="last", maintain_order=True)
    after = _first(known.filter(horizon_us < AGE))
    ranked = [
        _as(nearest, "nearest"),
        _as(_interpolated(before, after, horizon_us), "interpolated"),
        _as(after.filter(_young_enough(rule)), "later"),
    ]
    return _first(pl.concat(ranked))


def _interpolated(before: pl.DataFrame, after: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Views at the horizon on the line through both neighbours, in log(1 + views) over log(age)."""
    age_after, views_after = pl.col("age_us_after"), pl.col("views_after")
    way = math.log(horizon_us) - AGE.log()
    slope = (views_after.log1p() - VIEWS.log1p()) / (age_after.log() - AGE.log())
    at_horizon = ((VIEWS.log1p() + way * slope).exp() - 1).round().cast(pl.Int64)
    # Above 2^46 or so the logarithm's own error could lead past a neighbour.
    between = at_horizon.clip(pl.min_horizontal("views", "views_after"), pl.max_horizontal("views", "views_after"))
    return (
        before.join(after, on="row", suffix="_after")
        .filter(age_after <= BRACKET_RATIO * AGE)
        .select("row", between.alias("views"), "label_at_after", pl.lit(horizon_us, dtype=pl.Int64).alias("age_us"))
        .rename({"label_at_after": "label_at"})
    )


def _last(known: pl.DataFrame, rule: LabelRule) -> pl.DataFrame:
    last = known.unique("row", keep="last", maintain_order=True)
    return _as(last.filter(_young_enough(rule)), "last")


def _young_enough(rule: LabelRule) -> pl.Expr:
    return pl.lit(value=True) if rule.max_age_days is None else _us(rule.max_age_days) >= AGE


def _first(known: pl.DataFrame) -> pl.DataFrame:
    return known.unique("row", keep="first", maintain_order=True)


def _as(labels: pl.DataFrame, how: str) -> pl.DataFrame:
    return labels.select("row", "views", "label_at", "age_us", pl.lit(how).alias("how"))


def _with_age_in_days(labels: pl.DataFrame) -> pl.DataFrame:
    # NumPy divides; Polars multiplies by 1 / constant except in a single row, which would then round otherwise.
    days = labels["age_us"].to_numpy() / DAY_US
    return labels.with_columns(pl.Series("label_age_days", days, dtype=pl.Float64))


def _matures_at(rule: LabelRule) -> pl.Expr:
    """Old enough to be mature and near enough to the horizon, and far enough from what was used."""
    least_us = _us(rule.maturity_days)
    if rule.at == "horizon":
        least_us = max(least_us, _us(rule.horizon_days) - NEAR_US)
    old_enough_at = pl.col("published_at") + timedelta(microseconds=least_us)
    free_at = pl.col("last_used_at") + _wait(rule)
    earliest_at = pl.when(pl.col("published_at").is_not_null()).then(pl.max_horizontal(old_enough_at, free_at))
    return earliest_at.alias("matures_at")
