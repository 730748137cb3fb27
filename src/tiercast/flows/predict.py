"""Prediction: canonical rows through the champion, one answer a video."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import score as score_of
from tiercast.flows.model_store import champion
from tiercast.learn.predictor import Predictor
from tiercast.ports import ObjectStore, PromotionLog

UNKNOWN = "unknown"
"""Stands for the platform of a row that names none; no feature rests on it, and answers give null."""
RELATIVE_TO = "all"
"""Tiers are cut over all videos; other references come with later moments."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The champion, loaded, and what stood in the way of newer ones."""

    release: Release
    predictor: Predictor
    warnings: Sequence[str]

    @property
    def moment(self) -> Moment:
        """The moment it predicts."""
        return self.release.manifest.moment


def load_champion(objects: ObjectStore, log: PromotionLog | None, moment: Moment) -> Serving:
    """The release that serves; raises Missing where there is none, never a made-up answer."""
    serving = champion(objects, log, moment)
    if serving is None:
        raise Missing(
            f"No model serves the moment {moment.value} yet, so nothing can be predicted. Ingest videos and run "
            "'tiercast retrain'; a candidate that passes the gate then serves."
        )
    return Serving(serving.release, Predictor.of(serving.release), serving.warnings)


def latest_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a video, the one scraped last, in the order in which videos first appear."""
    newest_last = rows.with_row_index("first").sort("scraped_at", maintain_order=True)
    key = ("platform", "video_id")
    one = newest_last.group_by(key, maintain_order=True).agg(pl.all().exclude("first").last(), pl.col("first").min())
    return one.sort("first").select(rows.columns)


def predict(rows: pl.DataFrame, serving: Serving) -> list[dict[str, Any]]:
    """One prediction for each canonical row, in order, as ``predict --json`` gives it."""
    if rows.is_empty():
        return []
    manifest = serving.release.manifest
    probabilities = serving.predictor.probabilities(rows)
    answer = zip(
        rows["platform"].to_list(),
        rows["video_id"].to_list(),
        (probabilities.argmax(axis=1) + 1).tolist(),
        probabilities.tolist(),
        serving.predictor.missing(rows),
        strict=True,
    )
    threshold = manifest.confidence_threshold
    confident = (probabilities.max(axis=1) >= (np.inf if threshold is None else threshold)).tolist()
    return [
        {
            "platform": None if platform == UNKNOWN else platform,
            "video_id": video_id,
            "moment": manifest.moment.value,
            "tier": tier,
            "probabilities": shares,
            "confident": sure,
            "score": score_of(shares),
            "release": serving.release.id,
            "missing": missing,
            "views_interval": None,
            "relative_to": RELATIVE_TO if manifest.label == "views" else None,
            "creator_relative": None,
            "label": manifest.label,
            "newest_training_video_at": manifest.newest_training_video_at,
        }
        for (platform, video_id, tier, shares, missing), sure in zip(answer, confident, strict=True)
    ]
