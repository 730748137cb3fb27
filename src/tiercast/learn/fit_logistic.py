"""Regularised multinomial logistic regression, on columns scaled the way the labels turn out to need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from tiercast.core.tiers import TIERS
from tiercast.learn.logistic import LogisticModel, Scale, rescale
from tiercast.learn.recipes import Choice, Fold
from tiercast.learn.training_set import tier_weights

SCALES: Final[tuple[Scale, ...]] = ("linear", "log")
INVERSE_PENALTIES: Final = (0.1, 10.0, 1e5)
"""From strong shrinkage, for a few hundred noisy rows, to almost none, for labels cut from the features."""
MIDDLING: Final = (10.0,)
NEWTON_STEPS: Final = 100
"""Newton's method needs 8 to 16 steps here; scikit-learn warns where 100 were not enough."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How raw features become the logistic's columns; learned from the rows it was made of."""

    scale: Scale
    medians: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[np.float64], scale: Scale) -> "Columns":
        """Medians of the known values, then mean and standard deviation after rescaling."""
        medians = column_medians(X)
        rescaled = rescale(np.where(np.isnan(X), medians, X), scale)
        varies = np.ptp(rescaled, axis=0) > 0  # the deviation of a constant is rounding, and no scale for other rows
        return cls(scale, medians, rescaled.mean(axis=0), np.where(varies, rescaled.std(axis=0), 1.0))

    def standardise(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns of mean 0 and deviation 1 on the rows this was made of."""
        known = np.where(np.isnan(X), self.medians, X)
        return (rescale(known, self.scale) - self.means) / self.deviations


def one_thread() -> threadpool_limits:
    """Linear algebra on one thread: the matrices are small, and more threads sum in another order."""
    return threadpool_limits(limits=1, user_api="blas")


def column_medians(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each column's known values; 0 where none is known, which then carries no weight."""
    known = ~np.isnan(X).all(axis=0)
    medians = np.zeros(X.shape[1])
    medians[known] = np.nanmedian(X[:, known], axis=0)
    return medians


def _logistic(*, warm_start: bool = False) -> LogisticRegression:
    return LogisticRegression(solver="newton-cholesky", max_iter=NEWTON_STEPS, warm_start=warm_start)


class LogisticRecipe:
    """Chooses between linear and log columns and three strengths of shrinkage."""

    name = "logistic"

    def choose(self, X: NDArray[np.float64], tiers: NDArray[np.int64], folds: list[Fold]) -> Choice:
        """The scale with the lowest mean log loss over the folds at a middling penalty, then its best penalty."""
        with one_thread():
            middling = {scale: _losses(X, tiers, folds, scale, MIDDLING) for scale in SCALES}
            scale = min(SCALES, key=lambda scale: float(middling[scale][0]))
            losses = _losses(X, tiers, folds, scale, INVERSE_PENALTIES)
        best = int(losses.argmin())
        return Choice(float(losses[best]), {"scale": scale, "inverse_penalty": INVERSE_PENALTIES[best]})

    def fit(self, X: NDArray[np.float64], tiers: NDArray[np.int64], settings: Mapping[str, object]) -> LogisticModel:
        """The served form of a logistic regression of these rows."""
        scale: Scale = "log" if settings["scale"] == "log" else "linear"
        columns = Columns.of(X, scale)
        logistic = _logistic().set_params(C=settings["inverse_penalty"])
        with one_thread():
            logistic.fit(columns.standardise(X), tiers, sample_weight=tier_weights(tiers))
        return LogisticModel(
            scale=scale,
            medians=tuple(columns.medians.tolist()),
            means=tuple(columns.means.tolist()),
            deviations=tuple(columns.deviations.tolist()),
            weights=tuple(map(tuple, logistic.coef_.tolist())),
            intercepts=tuple(logistic.intercept_.tolist()),
        )


def _losses(
    X: NDArray[np.float64], tiers: NDArray[np.int64], folds: list[Fold], scale: Scale, penalties: tuple[float, ...]
) -> NDArray[np.float64]:
    """Mean log loss over the folds for each inverse penalty."""
    return np.asarray(np.mean([_path(X, tiers, fold, scale, penalties) for fold in folds], axis=0), dtype=np.float64)


def _path(
    X: NDArray[np.float64], tiers: NDArray[np.int64], fold: Fold, scale: Scale, penalties: tuple[float, ...]
) -> list[float]:
    """Log loss on the judging rows for each inverse penalty, each fit started where the one before ended."""
    columns = Columns.of(X[fold.fit], scale)
    fitted, judged = columns.standardise(X[fold.fit]), columns.standardise(X[fold.judge])
    logistic, losses = _logistic(warm_start=True), []
    for inverse_penalty in penalties:
        logistic.set_params(C=inverse_penalty)
        logistic.fit(fitted, tiers[fold.fit], sample_weight=tier_weights(tiers[fold.fit]))
        losses.append(float(log_loss(tiers[fold.judge], logistic.predict_proba(judged), labels=TIERS)))
    return losses
