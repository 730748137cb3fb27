"""The rows that a forecast learns from: who asks, when, what is seen by then, and what may label it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl

from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.learn.labels import LabelRule

ONCE_SHARE: Final = 0.01
"""A store counts as scraped once where at most one video in a hundred was measured again."""


DAY_US: Final = 86_400_000_000


Known = Literal["strict", "as_scraped", "auto"]


@dataclass(frozen=True, slots=True)
class ForecastPlan:
    """The settings that decide what a forecast learns; they are part of its release."""

    history: Literal["observed", "as_scraped", "auto"]
    embargo_days: float
    history_videos: int
    label_at: Literal["horizon", "last"]
    horizon_days: float
    maturity_days: float
    max_age_days: float | None
    min_days_after: float
    known_at: Known
    early_max_age_hours: float
    early_rows: Literal["each", "first"]
    relative_to: RelativeTo
    min_cohort: int
    min_posts: int


def mature_at(observed: pl.DataFrame, plan: ForecastPlan) -> pl.DataFrame:
    """When each row was first seen old enough: before that nobody could tell that it had a label."""
    age = pl.col("scraped_at") - pl.col("published_at")
    mature = observed.filter(~pl.col("used"), age >= pl.duration(microseconds=int(plan.maturity_days * DAY_US)))
    return mature.group_by("row").agg(mature_at=pl.col("scraped_at").min())


def first_maturing(unlabelled: pl.DataFrame, measured: pl.DataFrame) -> datetime | None:
    """When the first row gets a label by the next scrapes; what the scrapes so far have missed does not come back."""
    last_scrape = measured["scraped_at"].max()
    if last_scrape is None:
        return None
    return unlabelled.filter(pl.col("matures_at") > last_scrape)["matures_at"].min()  # type: ignore[return-value]


def scraped_once(rows: pl.DataFrame) -> bool:
    """Whether (nearly) every video was measured only once."""
    counted = rows.filter(pl.col("views") > 0).group_by("platform", "video_id").len()
    again = counted.filter(pl.col("len") > 1).height
    return again <= ONCE_SHARE * max(1, counted.height)


def label_rule(plan: ForecastPlan, *, once: bool) -> LabelRule:
    """Which observation labels a row; of any age where every video was measured once."""
    limit = None if once else plan.max_age_days
    return LabelRule(plan.label_at, plan.horizon_days, plan.maturity_days, limit, plan.min_days_after)


def asking_rows(
    measured: pl.DataFrame, moment: Moment, plan: ForecastPlan
) -> tuple[pl.DataFrame, pl.DataFrame | None, pl.DataFrame]:
    """The rows that ask (one a post, or one an early observation), what they have seen, and what may label them."""
    ordered = measured.sort("published_at", "platform", "video_id", "scraped_at")
    if moment is Moment.DRAFT:
        last = ordered.unique(["platform", "video_id"], keep="last", maintain_order=True)
        asking = last.with_row_index("row").with_columns(asked_at="published_at")
        keys = asking.select("row", "platform", "video_id")
        observed = ordered.join(keys, on=["platform", "video_id"]).with_columns(used=pl.lit(value=False))
        return asking, None, observed.select("row", "published_at", "scraped_at", "views", "used")
    age = pl.col("scraped_at") - pl.col("published_at")
    early = ordered.filter(age > pl.duration(), age <= pl.duration(hours=plan.early_max_age_hours))
    if plan.label_at == "horizon":  # at the horizon there is nothing left to forecast
        early = early.filter(age < pl.duration(days=plan.horizon_days))
    if plan.early_rows == "first":
        early = early.unique(["platform", "video_id"], keep="first", maintain_order=True)
    asking = early.with_row_index("row").with_columns(asked_at="published_at")
    keys = asking.select("row", "platform", "video_id", at="scraped_at")
    paired = ordered.join(keys, on=["platform", "video_id"]).with_columns(used=pl.col("scraped_at") <= pl.col("at"))
    observed = paired.select("row", "published_at", "scraped_at", "views", "used")
    return asking, paired.filter("used"), observed
