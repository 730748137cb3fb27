"""Boosted trees that ask how far up a video gets: past the first edge, the second, the third, the fourth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from tiercast.learn.boosting import answers, booster_bytes, booster_of
from tiercast.learn.models import Inputs

FILE: Final = "cumulative.json"
LEAST_SHARE: Final = 1e-3
"""Two of the four questions may get the same answer, and yet no tier is impossible."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CumulativeModel:
    """A booster with four answers, the probability to exceed each edge (Frank & Hall 2001)."""

    booster: xgb.Booster
    kind: str = "cumulative"

    def probabilities(self, inputs: Inputs) -> Floats:
        """Tier probabilities (n_videos, n_tiers)."""
        return between(answers(self.booster, inputs.X))

    def to_files(self) -> dict[str, bytes]:
        """One file in XGBoost's JSON format."""
        return {FILE: booster_bytes(self.booster)}


def between(exceeded: Floats) -> Floats:
    """Tier probabilities from those of exceeding each edge ``(n, 4)``, put in falling order where they are not.

    >>> between(np.array([[0.9, 0.5, 0.2, 0.1]])).round(2).tolist()
    [[0.1, 0.4, 0.3, 0.1, 0.1]]
    """
    falling = -np.sort(-exceeded, axis=1)
    ends = np.hstack([np.ones((len(falling), 1)), falling, np.zeros((len(falling), 1))])
    shares = np.maximum(-np.diff(ends, axis=1), LEAST_SHARE)
    whole: Floats = shares / shares.sum(axis=1, keepdims=True)
    return whole


def from_files(files: Mapping[str, bytes]) -> CumulativeModel:
    """The model that ``to_files`` wrote; raises ValueError where XGBoost refuses the bytes."""
    return CumulativeModel(booster_of(files[FILE]))
