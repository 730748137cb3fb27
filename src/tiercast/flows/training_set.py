"""Training sets of the moment ``observed``: tiers cut from views, or a frozen file's own labels."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.flows.forecast_rows import ForecastPlan
from tiercast.flows.forecast_set import Assembly, Build, assemble
from tiercast.learn.features import HELD_ON_VIEWS, feature_matrix, hold, unknown_inputs
from tiercast.learn.groups import UNDATED
from tiercast.learn.models import Inputs
from tiercast.learn.references import Standpoint, cut_reference, log_edges
from tiercast.learn.splits import order_keys, stratified_test_rows
from tiercast.learn.timeline import creator_numbers
from tiercast.learn.training_set import TrainingSet, tier_weights
from tiercast.ports.videos import FrozenSet, VideoHistory, VideoStore

Source = Literal["videos", "fallback"]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The settings that decide what a training set is; they are part of the release."""

    max_videos: int
    min_videos: int
    test_share: float
    seed: int
    save_per_like: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a run drew to learn from: a training set, or none where there are too few videos and no fallback."""

    training_set: TrainingSet | None
    source: Source
    usable_videos: int
    assembly: Assembly | None = None
    """How a forecast's rows came by their labels and history."""
    rows: pl.DataFrame | None = None
    """The canonical rows of ``observed`` in the order of its training set; None for forecasts and given labels."""
    newest_posted_at: datetime | None = None
    """When the newest video with views was posted, labelled or not; None where none is dated."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where rows come from."""

    videos: VideoStore
    history: VideoHistory
    fallback: Callable[[], FrozenSet] | None


def draw(sources: Sources, moment: Moment, plan: TrainingPlan, forecast: ForecastPlan) -> Drawn:
    """The newest usable videos, else (``observed`` only) the fallback file; a store that cannot be read raises."""
    if moment.forecasts:
        return draw_forecast(sources.history.recent(limit=forecast.history_videos), moment, plan, forecast)
    rows = sources.videos.latest(limit=plan.max_videos, likes_known=True)
    if rows.height >= plan.min_videos:
        return Drawn(from_videos(rows, plan), "videos", rows.height, rows=rows, newest_posted_at=_newest(rows))
    if sources.fallback is None:
        return Drawn(None, "videos", rows.height)
    return Drawn(from_frozen(sources.fallback(), plan), "fallback", rows.height)


def draw_forecast(rows: pl.DataFrame, moment: Moment, plan: TrainingPlan, forecast: ForecastPlan) -> Drawn:
    """What a forecast can learn from these observations."""
    build = Build(plan.min_videos, plan.test_share)
    assembly = assemble(rows, moment, forecast, max_videos=plan.max_videos, build=build)
    newest = _newest(rows.filter(pl.col("views") > 0))
    return Drawn(assembly.training_set, "videos", assembly.labelled, assembly, newest_posted_at=newest)


def _newest(rows: pl.DataFrame) -> datetime | None:
    """When the newest of these videos was posted; None where none is dated."""
    return rows["published_at"].max()  # type: ignore[return-value]


def from_videos(rows: pl.DataFrame, plan: TrainingPlan) -> TrainingSet:
    """Cut tiers from the views of usable canonical rows and split them; needs at least one row.

    ``views_per_follower`` is held constant: times the follower tier it would tell the label.
    """
    views = rows["views"].to_numpy().astype(np.int64)
    unknown = np.full(rows.height, np.nan)
    followers = rows["author_followers"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    standpoint = Standpoint(rows["platform"].to_list(), followers, unknown, np.zeros(rows.height))
    reference = cut_reference(views, standpoint, RelativeTo.ALL, min_cohort=0, min_posts=0)
    tiers = reference.tiers(views, standpoint)
    identities = rows.select("platform", "video_id").rows()
    newest = _newest(rows)
    X = hold(feature_matrix(rows, save_per_like=plan.save_per_like), HELD_ON_VIEWS)
    is_test = stratified_test_rows(tiers, order_keys(identities, seed=plan.seed), share=plan.test_share)
    return TrainingSet(
        moment=Moment.OBSERVED,
        inputs=Inputs(X, log_edges(reference.edges_of(standpoint)), np.zeros(rows.height)),
        unknown=unknown_inputs(rows),
        tiers=tiers,
        weights=_training_weights(tiers, is_test),
        is_test=is_test,
        identities=identities,
        creators=creator_numbers(rows),
        label="views",
        held=dict(HELD_ON_VIEWS),
        views=views,
        reference=reference,
        newest_video_at=newest.isoformat() if newest else None,
        standpoint=standpoint,
        posted_at=rows["published_at"].dt.epoch("us").fill_null(UNDATED).to_numpy().astype(np.int64),
    )


def from_frozen(frozen: FrozenSet, plan: TrainingPlan) -> TrainingSet:
    """A frozen file's vectors and labels, split as the file says, else by a hash of each vector."""
    identities = [(row.tobytes().hex(),) for row in frozen.X]
    is_test = frozen.is_test
    if is_test is None:
        is_test = stratified_test_rows(frozen.labels, order_keys(identities, seed=plan.seed), share=plan.test_share)
    return TrainingSet(
        moment=Moment.OBSERVED,
        inputs=Inputs(frozen.X),
        unknown=np.isnan(frozen.X),
        tiers=frozen.labels,
        weights=_training_weights(frozen.labels, is_test),
        is_test=is_test,
        identities=identities,
        creators=np.arange(len(identities)),
        label="given",
    )


def _training_weights(tiers: NDArray[np.int64], is_test: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rare tiers count more in a fit; test rows take no part in it."""
    weights = np.ones(len(tiers))
    weights[~is_test] = tier_weights(tiers[~is_test])
    return weights
