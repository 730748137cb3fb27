"""Training sets: tiers cut from views, or a frozen file's own labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tiercast.core.tiers import tier_edges, tier_of
from tiercast.learn.features import HELD_ON_VIEWS, feature_matrix, hold, unknown_inputs
from tiercast.learn.splits import order_keys, stratified_test_rows
from tiercast.learn.training_set import TrainingSet
from tiercast.ports import FrozenSet, VideoStore

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


def draw(videos: VideoStore, fallback: Callable[[], FrozenSet] | None, plan: TrainingPlan) -> Drawn:
    """The newest usable videos, else the fallback file; a store that cannot be read raises, and never falls back."""
    rows = videos.latest(limit=plan.max_videos, likes_known=True)
    if rows.height >= plan.min_videos:
        return Drawn(from_videos(rows, plan), "videos", rows.height)
    if fallback is None:
        return Drawn(None, "videos", rows.height)
    return Drawn(from_frozen(fallback(), plan), "fallback", rows.height)


def from_videos(rows: pl.DataFrame, plan: TrainingPlan) -> TrainingSet:
    """Cut tiers from the views of usable canonical rows and split them; needs at least one row.

    ``views_per_follower`` is held constant: times the follower tier it would tell the label.
    """
    views = rows["views"].to_numpy().astype(np.int64)
    edges = tier_edges(views.tolist())
    tiers = np.array([tier_of(count, edges) for count in views.tolist()], dtype=np.int64)
    identities = rows.select("platform", "video_id").rows()
    newest = rows["published_at"].max()
    return TrainingSet(
        X=hold(feature_matrix(rows, save_per_like=plan.save_per_like), HELD_ON_VIEWS),
        unknown=unknown_inputs(rows),
        tiers=tiers,
        is_test=stratified_test_rows(tiers, order_keys(identities, seed=plan.seed), share=plan.test_share),
        identities=identities,
        label="views",
        held=dict(HELD_ON_VIEWS),
        views=views,
        tier_edges=edges,
        newest_video_at=newest.isoformat() if newest is not None else None,  # type: ignore[union-attr]
    )


def from_frozen(frozen: FrozenSet, plan: TrainingPlan) -> TrainingSet:
    """A frozen file's vectors and labels, split as the file says, else by a hash of each vector."""
    identities = [(row.tobytes().hex(),) for row in frozen.X]
    is_test = frozen.is_test
    if is_test is None:
        is_test = stratified_test_rows(frozen.labels, order_keys(identities, seed=plan.seed), share=plan.test_share)
    return TrainingSet(
        X=frozen.X,
        unknown=np.isnan(frozen.X),
        tiers=frozen.labels,
        is_test=is_test,
        identities=identities,
        label="given",
        held={},
        views=None,
        tier_edges=None,
        newest_video_at=None,
    )
