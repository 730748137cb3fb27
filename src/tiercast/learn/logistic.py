"""Multinomial logistic regression as it serves: medians, a scale per column, and one matrix product."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tiercast.core.canonical import canonical_json
from tiercast.learn.models import Inputs

Scale = Literal["linear", "log"]
FILE: Final = "logistic.json"
FAR: Final = 10.0
"""Deviations from the mean beyond which a column says no more: one odd value must not decide alone."""
LOG_OFFSET: Final = 1e-4
"""Added before the logarithm; one in ten thousand views is about the smallest rate that is not noise."""


def rescale(X: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Columns as they are, or on a log scale, where heavy-tailed rates become even."""
    return np.log(X + LOG_OFFSET) if scale == "log" else X


def with_flags(
    X: NDArray[np.float64], medians: NDArray[np.float64], scale: Scale, flags: tuple[int, ...]
) -> NDArray[np.float64]:
    """Rescaled columns with medians for the unknown, then 1 or 0 for each flagged column: unknown or not."""
    missing = np.isnan(X)
    return np.hstack([rescale(np.where(missing, medians, X), scale), missing[:, list(flags)].astype(np.float64)])


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Weights (n_tiers, n_features + n_flags) on imputed, rescaled and standardised columns."""

    scale: Scale
    flags: tuple[int, ...]
    """Columns whose being unknown is a column of its own: no earlier post says more than a median one."""
    medians: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    kind: str = "logistic"

    def probabilities(self, inputs: Inputs) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers)."""
        spread = with_flags(inputs.X, np.array(self.medians), self.scale, self.flags)
        columns = np.clip((spread - np.array(self.means)) / np.array(self.deviations), -FAR, FAR)
        # A matrix product would round a row otherwise in other company; an answer must not depend on who else asks.
        logits = np.stack([(columns * weights).sum(axis=1) for weights in np.array(self.weights)], axis=1)
        logits += np.array(self.intercepts)
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
        flags=tuple(document["flags"]),
        medians=tuple(document["medians"]),
        means=tuple(document["means"]),
        deviations=tuple(document["deviations"]),
        weights=tuple(map(tuple, document["weights"])),
        intercepts=tuple(document["intercepts"]),
    )
