"""Why a prediction is what it is: the features that moved it, apart by what the creator can still change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.tiers import TIER_MIDPOINTS
from tiercast.learn.features import FEATURES, Feature
from tiercast.learn.models import Inputs
from tiercast.learn.predictor import Asked, Predictor

MOST_VIDEOS: Final = 100
"""Reasons ask the model once more for every feature of every video."""
SHOWN: Final = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reason:
    """How many points of score a feature's value brought, over the value that training rows had in the middle."""

    feature: Feature
    value: float | None
    """In the feature's unit; None where it was unknown."""
    usual: float | None
    effect: float


def reasons(predictor: Predictor, asked: Asked, medians: Sequence[float | None]) -> list[list[Reason]]:
    """The five features that moved each video's score most, the strongest first.

    Each feature in turn is set to ``medians`` (its middle in training, None where it was never known) and the model is
    asked again. Effects of features that say the same are shared by none of them, so they need not add up.
    """
    features = FEATURES[predictor.moment]
    X, n = asked.inputs.X, len(asked.inputs)
    usual = np.array([np.nan if median is None else median for median in medians])
    varied = np.repeat(X[None], len(features), axis=0)
    for column in range(len(features)):
        varied[column, :, column] = usual[column]
    otherwise = _scores(predictor, _all(asked, varied, predictor.moment)).reshape(len(features), n)
    effects = _scores(predictor, asked.inputs) - otherwise
    free = np.array([feature.name not in predictor.held for feature in features])
    effects = np.where(free[:, None], effects, 0.0)
    strongest = np.argsort(-np.abs(effects), axis=0, kind="stable")[:SHOWN]

    def of(row: int, column: int) -> Reason:
        effect = round(float(effects[column, row]), 1)
        return Reason(features[column], _known(X[row, column]), _known(usual[column]), effect)

    found = [[of(row, column) for column in strongest[:, row].tolist()] for row in range(n)]
    return [[reason for reason in each if reason.effect] for each in found]


def _all(asked: Asked, varied: Floats, moment: Moment) -> Inputs:
    """Every variation of every video, one after the other; views so far are also where growth starts."""
    n_features = len(varied)
    edges, start = asked.inputs.edges, asked.inputs.start
    repeated = None if start is None else np.tile(start, n_features)
    names = [feature.name for feature in FEATURES[moment]]
    if repeated is not None and "seen_views" in names:
        column, n = names.index("seen_views"), len(asked.inputs)
        repeated[column * n : (column + 1) * n] = varied[column, :, column]
    return Inputs(
        varied.reshape(-1, varied.shape[2]), None if edges is None else np.tile(edges, (n_features, 1)), repeated
    )


def _scores(predictor: Predictor, inputs: Inputs) -> Floats:
    scores: Floats = (predictor.blend.probabilities(inputs) * np.array(TIER_MIDPOINTS)).sum(axis=1)
    return scores


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
