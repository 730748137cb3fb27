"""Answers: what a champion says of each video, as ``predict --json`` and the service give it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from tiercast.core.release import Release
from tiercast.core.tiers import RelativeTo
from tiercast.core.tiers import score as score_of
from tiercast.learn.predictor import Asked, Floats, Predictor
from tiercast.learn.reasons import Reason
from tiercast.learn.references import ALL

UNKNOWN: Final = "unknown"
"""Stands for the platform of a row that names none; no feature rests on it, and answers give null."""


def answers(
    rows: pl.DataFrame,
    asked: Asked,
    release: Release,
    predictor: Predictor,
    told: Sequence[Sequence[Reason]] | None = None,
) -> list[dict[str, Any]]:
    """One document for each of these rows, in order; with ``reasons`` where they are told."""
    shares = predictor.probabilities(asked)
    documents = list(_documents(rows, asked, shares, release, predictor))
    for document, why in zip(documents, told or (), strict=told is not None):
        document["reasons"] = _reasons_document(why)
    return documents


def _documents(
    rows: pl.DataFrame, asked: Asked, shares: Floats, release: Release, predictor: Predictor
) -> Iterator[dict[str, Any]]:
    threshold, marks = release.manifest.confidence_threshold, release.manifest.marks
    empty = _empty(release)
    columns = zip(
        rows["platform"].to_list(),
        rows["video_id"].to_list(),
        shares.tolist(),
        (1 + shares.argmax(axis=1)).tolist(),
        (shares.max(axis=1) >= (np.inf if threshold is None else threshold)).tolist(),
        predictor.missing(asked),
        _ranges(asked, predictor),
        asked.groups or [None] * rows.height,
        strict=True,
    )
    for platform, video_id, tiers, tier, sure, missing, (interval, multiple), group in columns:
        yield empty | {
            "platform": None if platform == UNKNOWN else platform,
            "video_id": video_id,
            "tier": tier,
            "probabilities": tiers,
            "confident": sure,
            "score": score_of(tiers),
            "missing": missing,
            "views_interval": interval,
            "relative_to": _relative_to(group, predictor),
            "relative_to_group": group,
            "creator_relative": multiple,
            "marks": list(marks),
        }


def _empty(release: Release) -> dict[str, Any]:
    """Every field of a document in its order, with what is the same for all videos."""
    manifest = release.manifest
    return {
        "platform": None,
        "video_id": None,
        "moment": manifest.moment.value,
        "tier": None,
        "probabilities": None,
        "confident": None,
        "score": None,
        "release": release.id,
        "missing": None,
        "views_interval": None,
        "relative_to": None,
        "relative_to_group": None,
        "creator_relative": None,
        "label": manifest.label,
        "marks": None,
        "horizon_days": manifest.settings.get("horizon_days"),
        "newest_training_video_at": manifest.newest_training_video_at,
    }


def _relative_to(group: str | None, predictor: Predictor) -> str | None:
    """What the tier is relative to: as the release was trained, or what this video fell back to."""
    if group is None or predictor.reference is None:
        return None
    wanted = predictor.reference.relative_to
    if group == ALL or wanted is RelativeTo.CREATOR:
        return group
    return RelativeTo.COHORT.value if "," in group else RelativeTo.PLATFORM.value


def _ranges(asked: Asked, predictor: Predictor) -> list[tuple[list[int] | None, float | None]]:
    """The 80 % range of each video's views, and its middle over the creator's usual views."""
    found = predictor.blend.views_range(asked.inputs)
    if found is None:
        return [(None, None)] * len(asked.inputs)
    unknown = np.full(len(found), np.nan)
    usual = unknown if asked.usual is None else asked.usual
    multiples = np.exp(np.log1p(found[:, 1]) - usual).tolist()
    return [
        ([int(np.floor(low)), int(np.ceil(high))], None if np.isnan(multiple) else round(multiple, 2))
        for (low, _, high), multiple in zip(found.tolist(), multiples, strict=True)
    ]


def _reasons_document(why: Sequence[Reason]) -> dict[str, list[dict[str, object]]]:
    """Apart by what the creator can still change and what not."""
    parts: dict[str, list[dict[str, object]]] = {"changeable": [], "given": []}
    for reason in why:
        parts["changeable" if reason.feature.changeable else "given"].append(
            {
                "feature": reason.feature.name,
                "meaning": reason.feature.meaning,
                "unit": reason.feature.unit,
                "value": reason.value,
                "usual": reason.usual,
                "effect": reason.effect,
            }
        )
    return parts
