"""What a candidate is before it is fitted: a recipe that chooses its settings, then fits with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from tiercast.learn.models import TierModel

N_FOLDS: Final = 3
"""Also the number of rows that every tier needs in the training part."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to fit on, and row numbers that judge the fit."""

    fit: NDArray[np.int64]
    judge: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings that cross-validation preferred, and their mean log loss on the judging rows."""

    log_loss: float
    settings: Mapping[str, object]


class Recipe(Protocol):
    """One kind of candidate."""

    name: str

    def choose(self, X: NDArray[np.float64], tiers: NDArray[np.int64], folds: list[Fold]) -> Choice:
        """The best of its few settings by cross-validated log loss."""
        ...

    def fit(self, X: NDArray[np.float64], tiers: NDArray[np.int64], settings: Mapping[str, object]) -> TierModel:
        """A model of these rows with these settings."""
        ...


def stratified_folds(tiers: NDArray[np.int64], *, seed: int) -> list[Fold]:
    """The same three folds for every recipe, each with every tier in its share."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [Fold(fit, judge) for fit, judge in splitter.split(tiers[:, None], tiers)]
