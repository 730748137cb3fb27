"""Multinomial logistic regression as it serves: medians, a scale per column, and one matrix product."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tiercast.core.canonical import canonical_json

Scale = Literal["linear", "log"]
FILE: Final = "logistic.json"
LOG_OFFSET: Final = 1e-4
"""Added before the logarithm; one in ten thousand views is about the smallest rate that is not noise."""


def rescale(X: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Columns as they are, or on a log scale, where heavy-tailed rates become even."""
    return np.log(X + LOG_OFFSET) if scale == "log" else X


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Weights (n_tiers, n_features) on imputed, rescaled and standardised columns."""

    scale: Scale
    medians: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    kind: str = "logistic"

    def probabilities(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers)."""
        known = np.where(np.isnan(X), np.array(self.medians), X)
        columns = (rescale(known, self.scale) - np.array(self.means)) / np.array(self.deviations)
        logits = columns @ np.array(self.weights).T + np.array(self.intercepts)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)

    def to_files(self) -> dict[str, bytes]:
        """One JSON file; floats survive it exactly."""
        return {FILE: canonical_json(asdict(self))}


def from_files(files: Mapping[str, bytes]) -> LogisticModel:
    """The model that ``to_files`` wrote."""
    document = json.loads(files[FILE])
    return LogisticModel(
        scale=document["scale"],
        medians=tuple(document["medians"]),
        means=tuple(document["means"]),
        deviations=tuple(document["deviations"]),
        weights=tuple(map(tuple, document["weights"])),
        intercepts=tuple(document["intercepts"]),
    )
