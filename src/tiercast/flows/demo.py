"""The demo: the whole loop on generated videos, once honestly and once with a scraper gone wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from tiercast.core.moments import Moment
from tiercast.core.tiers import tier_edges
from tiercast.flows.ingest import FileReport
from tiercast.flows.order import Order
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import World, retrain
from tiercast.flows.training_set import from_videos
from tiercast.learn.generated import Generated, IdealForecast, ideal_before_posting, ideal_forecast
from tiercast.ports.runs import Progress
from tiercast.ports.videos import VideoStore

ENGAGEMENT: Final = ("likes", "comments", "shares", "saves")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the demo showed."""

    ingested: FileReport
    honest: RunReport
    ideal: IdealForecast
    """The best that anybody could do on the honest run's own test videos."""
    damaged: RunReport
    forecasts: Sequence[RunReport]
    """The same videos before posting, and in their first hours."""
    ideal_draft: IdealForecast | None
    """The best that anybody could do before posting; None where the run did not come so far."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: the real store, a spare one for the damaged rows, and how rows are ingested."""

    world: World
    spare: VideoStore
    ingest: Callable[[pl.DataFrame, str, VideoStore], FileReport]
    """Write the rows to a file of this name and ingest that file into this store."""


def demonstrate(
    generated: Generated, place: Stage, orders: Mapping[Moment, Order], *, progress: Progress
) -> Demonstration:
    """Ingest, retrain and publish; then the same week with a scraper that no longer measures; then the forecasts."""
    order = orders[Moment.OBSERVED]
    ingested = place.ingest(generated.rows, "generated-videos.parquet", place.world.videos)
    honest = retrain(place.world, order, progress=progress)
    place.ingest(damaged(generated.rows), "damaged-videos.parquet", place.spare)
    spoilt = replace(place.world, videos=place.spare)
    spoiled = retrain(spoilt, order, progress=progress)
    forecasts = [retrain(place.world, orders[moment], progress=progress) for moment in (Moment.DRAFT, Moment.EARLY)]
    return Demonstration(
        ingested=ingested,
        honest=honest,
        ideal=_ideal_on_test_rows(generated, place.world.videos, order),
        damaged=spoiled,
        forecasts=forecasts,
        ideal_draft=_ideal_draft(generated, forecasts[0]),
    )


def _ideal_draft(generated: Generated, report: RunReport) -> IdealForecast | None:
    if report.assembly is None or report.assembly.rows is None or report.tier_edges is None:
        return None
    test = report.assembly.rows.filter(pl.col("side") == "test")
    return ideal_before_posting(generated, test, report.tier_edges)


def damaged(rows: pl.DataFrame) -> pl.DataFrame:
    """The same scrapes after a join went wrong: each video has the engagement rates of another one."""
    views = pl.col("views")
    rates = rows.select(pl.col(name) / views for name in ENGAGEMENT)
    strangers = rates.sample(fraction=1, shuffle=True, seed=0)
    return rows.with_columns((views * strangers[name]).round().cast(pl.Int64).alias(name) for name in ENGAGEMENT)


def _ideal_on_test_rows(generated: Generated, videos: VideoStore, order: Order) -> IdealForecast:
    rows = videos.latest(limit=order.plan.max_videos, likes_known=True)
    test = rows.filter(pl.Series(from_videos(rows, order.plan).is_test))
    return ideal_forecast(generated, tier_edges(rows["views"].to_list()), videos=rows).on(test)
