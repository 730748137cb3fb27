"""What the first observations of a young post add to everything that was known before posting."""

from typing import Final

import polars as pl

from tiercast.core.moments import Moment
from tiercast.learn.features.draft import DRAFT, LARGEST_LOG
from tiercast.learn.features.feature import Feature, Needs
from tiercast.learn.timeline import COUNTS, LOG_UNITS

PER_UNIT: Final = 1 / LOG_UNITS
VIEWS, AGE = pl.col("seen_log_views"), pl.col("seen_age_hours")


def _seen(
    name: str, unit: str, meaning: str, value: pl.Expr, *, low: float = 0.0, high: float = LARGEST_LOG
) -> Feature:
    return Feature(name, unit, meaning, value, Moment.EARLY, Needs.OBSERVATIONS, low=low, high=high)


def _over(name: str, meaning: str, value: pl.Expr) -> Feature:
    reach = LARGEST_LOG
    return Feature(
        name,
        "ln of views over views",
        meaning,
        value,
        Moment.EARLY,
        Needs.HISTORY,
        low=-reach,
        high=reach,
        per=LOG_UNITS,
    )


FIRST_HOURS: Final[tuple[Feature, ...]] = (
    Feature("seen_views", "ln(views + 1)", "views so far", VIEWS, Moment.EARLY, Needs.OBSERVATIONS,
            high=LARGEST_LOG, per=LOG_UNITS),
    _seen("seen_age", "ln(hours)", "hours since posting", AGE.log(), low=-5, high=12),
    _seen("seen_speed", "ln(views per hour)", "views per hour so far", VIEWS * PER_UNIT - AGE.log(), low=-12, high=33),
    *(
        Feature(
            f"seen_{name}_rate", "ln of share of views", f"{name} per view so far", pl.col(f"seen_{name}_rate"),
            Moment.EARLY, Needs.OBSERVATIONS, low=-LARGEST_LOG, high=1.0, per=LOG_UNITS,
        )
        for name in COUNTS
    ),
    _seen("seen_observations", "observations", "observations so far", pl.col("seen_observations"), high=20),
    _seen("seen_growth", "ln of views over views", "views over those of the first observation",
          (VIEWS - pl.col("first_log_views")) * PER_UNIT),
    _seen("seen_acceleration", "ln of views per ln of hours", "growth since the observation before",
          pl.col("seen_slope"), high=20),
    _over("seen_over_creator", "views so far over the creator's usual views", VIEWS - pl.col("recent")),
    _over("seen_over_creator_at_age", "the same over what the creator's posts had at that age",
          VIEWS - pl.col("creator_at_age")),
    _over("seen_over_platform_at_age", "the same over what the platform's posts had at that age",
          VIEWS - pl.col("platform_at_age")),
    _over("seen_over_followers", "views so far over followers", VIEWS - pl.col("followers").log1p() * LOG_UNITS),
)  # fmt: skip

EARLY: Final[tuple[Feature, ...]] = (*FIRST_HOURS, *DRAFT)
