"""Regularised multinomial logistic regression, on columns scaled the way the labels turn out to need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from tiercast.learn.logistic import FAR, LogisticModel, Scale, with_flags
from tiercast.learn.recipes import Fold, Rows, Trial

SCALES: Final[tuple[Scale, ...]] = ("linear", "log")
INVERSE_PENALTIES: Final = (0.1, 10.0, 1e5)
"""From strong shrinkage, for a few hundred noisy rows, to almost none, for labels cut from the features."""
FLAGGED_FROM: Final = 0.01
"""A column that is unknown less often is not worth a column of its own."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How raw features become the logistic's columns; learned from the rows it was made of."""

    scale: Scale
    flags: tuple[int, ...]
    medians: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[np.float64], scale: Scale) -> "Columns":
        """Medians of the known values, then mean and standard deviation after rescaling."""
        medians = column_medians(X)
        missing = np.isnan(X).mean(axis=0)
        flags = tuple(np.flatnonzero((missing > FLAGGED_FROM) & (missing < 1)).tolist())
        columns = with_flags(X, medians, scale, flags)
        varies = np.ptp(columns, axis=0) > 0  # the deviation of a constant is rounding, and no scale for other rows
        return cls(scale, flags, medians, columns.mean(axis=0), np.where(varies, columns.std(axis=0), 1.0))

    def standardise(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns of mean 0 and deviation 1 on the rows this was made of."""
        columns = with_flags(X, self.medians, self.scale, self.flags)
        return np.clip((columns - self.means) / self.deviations, -FAR, FAR)


def one_thread() -> threadpool_limits:
    """Linear algebra on one thread: the matrices are small, and more threads sum in another order."""
    return threadpool_limits(limits=1, user_api="blas")


def column_medians(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each column's known values; 0 where none is known, which then carries no weight."""
    known = ~np.isnan(X).all(axis=0)
    medians = np.zeros(X.shape[1])
    medians[known] = np.nanmedian(X[:, known], axis=0)
    return medians


@dataclass(frozen=True, slots=True)
class LogisticRecipe:
    """Chooses between scales of the columns and strengths of shrinkage."""

    scales: tuple[Scale, ...] = SCALES
    inverse_penalties: tuple[float, ...] = INVERSE_PENALTIES
    solver: str = "newton-cholesky"
    """Newton's method needs 8 to 16 steps where columns are few; with many, each step costs their number cubed."""
    tolerance: float = 1e-4
    steps: int = 100
    name: str = field(default="logistic", init=False)

    def trials(self, rows: Rows, folds: Sequence[Fold]) -> list[Trial]:
        """Every scale with every penalty."""
        tried: list[Trial] = []
        with one_thread():
            for scale in self.scales:
                answers = [self._path(rows, fold, scale) for fold in folds]
                for place, penalty in enumerate(self.inverse_penalties):
                    settings = {"scale": scale, "inverse_penalty": penalty}
                    tried.append(Trial(settings, np.concatenate([answer[place] for answer in answers])))
        return tried

    def fit(self, rows: Rows, settings: Mapping[str, object]) -> LogisticModel:
        """The served form of a logistic regression of these rows."""
        scale: Scale = "log" if settings["scale"] == "log" else "linear"
        columns = Columns.of(rows.inputs.X, scale)
        logistic = self._logistic().set_params(C=settings["inverse_penalty"])
        with one_thread():
            logistic.fit(columns.standardise(rows.inputs.X), rows.tiers, sample_weight=rows.weights)
        return LogisticModel(
            scale=scale,
            flags=columns.flags,
            medians=tuple(columns.medians.tolist()),
            means=tuple(columns.means.tolist()),
            deviations=tuple(columns.deviations.tolist()),
            weights=tuple(map(tuple, logistic.coef_.tolist())),
            intercepts=tuple(logistic.intercept_.tolist()),
        )

    def _logistic(self, *, warm_start: bool = False) -> LogisticRegression:
        return LogisticRegression(solver=self.solver, max_iter=self.steps, tol=self.tolerance, warm_start=warm_start)

    def _path(self, rows: Rows, fold: Fold, scale: Scale) -> list[NDArray[np.float64]]:
        """Probabilities of the judging rows for each penalty, each fit started where the one before ended."""
        fitted = rows[fold.fit]
        columns = Columns.of(fitted.inputs.X, scale)
        X, judged = columns.standardise(fitted.inputs.X), columns.standardise(rows.inputs.X[fold.judge])
        logistic, answers = self._logistic(warm_start=True), []
        for inverse_penalty in self.inverse_penalties:
            logistic.set_params(C=inverse_penalty)
            logistic.fit(X, fitted.tiers, sample_weight=fitted.weights)
            answers.append(np.asarray(logistic.predict_proba(judged), dtype=np.float64))
        return answers
