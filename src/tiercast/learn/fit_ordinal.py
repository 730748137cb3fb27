"""A regression on log views: a booster for where videos end, another for how far they stray, and the residuals."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from tiercast.learn.boosting import answers
from tiercast.learn.fit_boosted import MAX_BINS, WORKERS
from tiercast.learn.ordinal import Line, OrdinalModel
from tiercast.learn.recipes import Fold, Rows, Trial

MEAN_ROUNDS: Final = 100
SCALE_ROUNDS: Final = 50
HALVES: Final = 2
"""Residuals come from models that did not see the row: two halves, each told by the other."""
BLOCK_ROWS: Final = 32
"""The halves are alternating blocks of rows: neighbours in time may be of one video, which would tell itself."""
N_GROUPS: Final = 8
"""Groups of like means: where the mean is low the residuals lean up, where it is high they lean down."""
MIN_ROWS_A_GROUP: Final = 60
N_QUANTILES: Final = 101
LEAST_RESIDUAL: Final = 0.02
"""A hundredth of a log unit is how sites round views; smaller residuals are no smaller uncertainty."""
RIDGE: Final = 10.0

SETTINGS: Final[dict[str, object]] = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_depth": 4,
    "max_bin": MAX_BINS,
    "eta": 0.06,
    "min_child_weight": 10,
    "reg_lambda": 5,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "seed": 0,
    "nthread": 1,
}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OrdinalRecipe:
    """Has nothing to choose. Where views have a start they only grow from it, and growth follows a straight line in
    every column first: trees know no post younger than the youngest they were shown, and a line goes on."""

    grows: bool = False
    name: str = field(default="ordinal", init=False)

    def trials(self, rows: Rows, folds: Sequence[Fold]) -> list[Trial]:
        """The folds' judging rows; fits run two at a time."""

        def judged(fold: Fold) -> tuple[Floats, Floats]:
            model, judge = self.fit(rows[fold.fit], {}), rows[fold.judge]
            came = np.zeros(len(judge)) if judge.log_views is None else judge.log_views
            return model.probabilities(judge.inputs), model.shares_below(judge.inputs, came[:, None])[:, 0]

        with ThreadPoolExecutor(WORKERS) as workers:
            shares, levels = zip(*workers.map(judged, folds), strict=True)
        return [Trial({}, np.concatenate(shares), np.concatenate(levels))]

    def fit(self, rows: Rows, settings: Mapping[str, object]) -> OrdinalModel:  # noqa: ARG002  (there are none)
        """A regression of these rows; raises ValueError where they carry no views."""
        if rows.log_views is None or rows.inputs.start is None:
            raise ValueError("a regression on views needs views")
        target = rows.log_views - rows.inputs.start
        X, weights = rows.inputs.X, rows.weights
        columns = tuple(range(X.shape[1])) if self.grows else ()
        foretold = _foretold(X, target, weights, columns)
        residual = target - foretold
        stray = np.log(np.abs(residual) + LEAST_RESIDUAL)
        scale_line, scale = _regression(X, stray, weights, columns, SCALE_ROUNDS)
        mean_line, mean = _regression(X, target, weights, columns, MEAN_ROUNDS)
        in_scale = residual / np.exp(scale_line.at(X) + answers(scale, X))
        bounds, table = _residual_table(foretold, in_scale, weights)
        return OrdinalModel(mean_line, mean, scale_line, scale, bounds, table, grows=self.grows)


def _foretold(X: Floats, target: Floats, weights: Floats, columns: tuple[int, ...]) -> Floats:
    """The target of each row as told by a model of the other half of the rows."""
    rows = len(target)
    half = np.arange(rows) // max(1, min(BLOCK_ROWS, rows // HALVES)) % HALVES
    foretold = np.empty(len(target))
    for number in range(HALVES):
        others, own = half != number, half == number
        straight, booster = _regression(X[others], target[others], weights[others], columns, MEAN_ROUNDS)
        foretold[own] = straight.at(X[own]) + answers(booster, X[own])
    return foretold


def _regression(
    X: Floats, target: Floats, weights: Floats, columns: tuple[int, ...], rounds: int
) -> tuple[Line, xgb.Booster]:
    line = _line(X, target, weights, columns)
    rest = target - line.at(X)
    matrix = xgb.QuantileDMatrix(X, rest, weight=weights, max_bin=MAX_BINS, nthread=1)
    return line, xgb.train(SETTINGS, matrix, rounds)


def _line(X: Floats, target: Floats, weights: Floats, columns: tuple[int, ...]) -> Line:
    """Ridge regression on standardised columns; without columns the weighted mean."""
    mean = float(np.average(target, weights=weights))
    if not columns:
        return Line(constant=mean)
    chosen = X[:, list(columns)]
    blank = np.isnan(chosen).all(axis=0)
    medians = np.where(blank, 0.0, np.nanmedian(np.where(blank, 0.0, chosen), axis=0))
    known = np.where(np.isnan(chosen), medians, chosen)
    centres, spreads = known.mean(axis=0), known.std(axis=0)
    spreads = np.where(spreads > 0, spreads, 1.0)
    Z = (known - centres) / spreads
    gram = np.einsum("ij,ik,i->jk", Z, Z, weights) + RIDGE * np.eye(Z.shape[1])
    slopes = np.linalg.solve(gram, np.einsum("ij,i->j", Z, weights * (target - mean))) / spreads
    return Line(columns, tuple(medians.tolist()), tuple(slopes.tolist()), mean - float(slopes @ centres))


def _residual_table(
    means: Floats, residuals: Floats, weights: Floats
) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Bounds between groups of like means, and each group's quantiles of residuals."""
    n_groups = max(1, min(N_GROUPS, len(means) // MIN_ROWS_A_GROUP))
    bounds = np.quantile(means, np.arange(1, n_groups) / n_groups)
    group = np.searchsorted(bounds, means, side="right")
    used = np.unique(group)  # where many means are the same, a group may have no row
    table = [_quantiles(residuals[group == number], weights[group == number]) for number in used.tolist()]
    bounds = bounds[used[1:] - 1]
    return tuple(bounds.tolist()), tuple(tuple(row.tolist()) for row in table)


def _quantiles(values: Floats, weights: Floats) -> Floats:
    """Evenly spaced weighted quantiles; the ends lie a little outside of what was seen."""
    order = np.argsort(values, kind="stable")
    ranked, weight = values[order], weights[order]
    level = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    found = np.interp(np.linspace(0, 1, N_QUANTILES), level, ranked)
    step = max(float(found[-1] - found[0]) / N_QUANTILES, LEAST_RESIDUAL)
    found[0], found[-1] = found[0] - step, found[-1] + step
    return found
