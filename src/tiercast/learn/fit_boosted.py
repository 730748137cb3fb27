"""Gradient boosted trees with XGBoost: shallow, slow, and stopped where the judging rows say so."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from tiercast.core.tiers import N_TIERS
from tiercast.learn.boosted import BoostedModel
from tiercast.learn.recipes import Choice, Fold
from tiercast.learn.training_set import tier_weights

DEPTH: Final = 4
"""Choosing between depths 3 and 5 instead took 1.6 times as long and moved the log loss of real videos by .001."""
LEARNING_RATE: Final = 0.15
MAX_ROUNDS: Final = 100
"""At this rate the log loss of 10,000 real videos is flat from here on; half the rate and twice the rounds gained
.003 in log loss for half as much time again."""
PATIENCE: Final = 10
MAX_BINS: Final = 64
"""Half the time of 256 bins at the same log loss on heavy-tailed rates."""
WORKERS: Final = 2

SETTINGS: Final = {
    "objective": "multi:softprob",
    "num_class": N_TIERS,
    "eval_metric": "mlogloss",
    "tree_method": "hist",
    "max_bin": MAX_BINS,
    "eta": LEARNING_RATE,
    "min_child_weight": 2,
    "nthread": 1,  # another number of threads sums in another order: another last bit, another release hash
}


@dataclass(frozen=True, slots=True)
class _Part:
    X: NDArray[np.float64]
    tiers: NDArray[np.int64]

    def rows(self, rows: NDArray[np.int64]) -> "_Part":
        return _Part(self.X[rows], self.tiers[rows])

    def fitting(self) -> xgb.QuantileDMatrix:
        return xgb.QuantileDMatrix(self.X, self.tiers - 1, weight=tier_weights(self.tiers), max_bin=MAX_BINS, nthread=1)

    def judging(self) -> xgb.DMatrix:
        return xgb.DMatrix(self.X, self.tiers - 1, nthread=1)


class BoostedRecipe:
    """Chooses the number of rounds."""

    name = "xgboost"

    def choose(self, X: NDArray[np.float64], tiers: NDArray[np.int64], folds: list[Fold]) -> Choice:
        """The round with the lowest mean log loss over the folds; fits run two at a time."""
        part = _Part(X, tiers)
        with ThreadPoolExecutor(WORKERS) as workers:
            curves = list(workers.map(lambda fold: _curve(part, fold), folds))
        padded = [curve + [np.inf] * (MAX_ROUNDS - len(curve)) for curve in curves]
        means = np.array(padded).mean(axis=0)
        settings = {"max_depth": DEPTH, "rounds": int(means.argmin()) + 1}
        return Choice(float(means.min()), settings)

    def fit(self, X: NDArray[np.float64], tiers: NDArray[np.int64], settings: Mapping[str, object]) -> BoostedModel:
        """A booster of these rows."""
        parameters = {**SETTINGS, "max_depth": settings["max_depth"]}
        return BoostedModel(xgb.train(parameters, _Part(X, tiers).fitting(), settings["rounds"]))


def _curve(part: _Part, fold: Fold) -> list[float]:
    """Log loss on the judging rows after each round, until it has not fallen for a while."""
    judged: dict[str, dict[str, list[float]]] = {}
    xgb.train(
        {**SETTINGS, "max_depth": DEPTH},
        part.rows(fold.fit).fitting(),
        MAX_ROUNDS,
        evals=[(part.rows(fold.judge).judging(), "judge")],
        evals_result=judged,
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    return judged["judge"]["mlogloss"]
