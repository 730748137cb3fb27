"""What a candidate is before it is fitted: a recipe that tries its settings, then fits with the best of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from tiercast.core.tiers import TIERS
from tiercast.learn.models import Inputs, TierModel

N_FOLDS: Final = 3
"""Also the number of rows that every tier needs in the training part."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a fit sees of ``n`` videos."""

    inputs: Inputs
    tiers: NDArray[np.int64]
    weights: Floats
    log_views: Floats | None = None
    """ln(views + 1) of the label ``(n,)``; None where labels were given."""

    def __getitem__(self, rows: NDArray[np.int64]) -> "Rows":
        """Some of the videos."""
        log_views = None if self.log_views is None else self.log_views[rows]
        return Rows(self.inputs[rows], self.tiers[rows], self.weights[rows], log_views)

    def __len__(self) -> int:
        return len(self.tiers)


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to fit on, and row numbers that judge the fit."""

    fit: NDArray[np.int64]
    judge: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of settings, and what fits with it said of the rows they had not seen."""

    settings: Mapping[str, object]
    probabilities: Floats
    """Tier probabilities (n_judged, n_tiers), the folds' judging rows one after the other."""
    levels: Floats | None = None
    """How much of the forecast distribution lay below the views that came (n_judged,); None: no distribution."""


class Recipe(Protocol):
    """One kind of candidate."""

    @property
    def name(self) -> str:
        """How runs and releases call it."""
        ...

    def trials(self, rows: Rows, folds: Sequence[Fold]) -> list[Trial]:
        """What each of its few settings says of the folds' judging rows."""
        ...

    def fit(self, rows: Rows, settings: Mapping[str, object]) -> TierModel:
        """A model of these rows with these settings."""
        ...


def stratified_folds(tiers: NDArray[np.int64], *, seed: int) -> list[Fold]:
    """The same three folds for every recipe, each with every tier in its share."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [Fold(fit, judge) for fit, judge in splitter.split(tiers[:, None], tiers)]


def mean_log_loss(probabilities: Floats, tiers: NDArray[np.int64]) -> float:
    """Mean of -ln of the probability of what came; a probability of 0 counts as the smallest that a float can tell.

    >>> round(mean_log_loss(np.array([[0.5, 0.5, 0.0, 0.0, 0.0]]), np.array([1])), 4)
    0.6931
    """
    came = probabilities[np.arange(len(tiers)), tiers - TIERS[0]]
    return float(-np.log(np.clip(came, np.finfo(float).eps, 1.0)).mean())
