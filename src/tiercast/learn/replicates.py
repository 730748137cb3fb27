"""Measures that are no mean over rows, on every resample of creators at once; each (n_resamples,), NaN where undefined.

Each is the measure of the resampled rows written out, except that Spearman keeps the ranks of the whole sample.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tiercast.core.tiers import N_TIERS
from tiercast.learn.bootstrap import Resamples, ratio

ROUNDING: Final = 1e-12
"""A variance below this share of its mean square is what rounding leaves of none."""
QUADRATIC: Final = np.subtract.outer(np.arange(N_TIERS), np.arange(N_TIERS)) ** 2.0


def kappas(tiers: NDArray[np.int64], predicted: NDArray[np.int64], resamples: Resamples) -> NDArray[np.float64]:
    """Quadratic weighted kappa, from the confusion counts of each creator."""
    cells = np.eye(N_TIERS**2)[(tiers - 1) * N_TIERS + predicted - 1]
    tables = resamples.totals(cells).reshape(-1, N_TIERS, N_TIERS)
    rows = tables.sum(axis=(1, 2))
    disagreement = (QUADRATIC * tables).sum(axis=(1, 2)) * rows
    by_chance = np.einsum("ra,ap,rp->r", tables.sum(axis=2), QUADRATIC, tables.sum(axis=1))
    return 1 - ratio(disagreement, by_chance)


def rank_correlations(
    first: NDArray[np.float64], second: NDArray[np.float64], resamples: Resamples
) -> NDArray[np.float64]:
    """Spearman's correlation with ranks fixed on the whole sample: Pearson's, from the moments of each creator."""
    x, y = _centred_ranks(first), _centred_ranks(second)
    sums = resamples.totals(np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y]))
    n, sx, sy, sxx, syy, sxy = sums.T
    variances = [_variance(n, sx, sxx), _variance(n, sy, syy)]
    return np.clip(ratio(n * sxy - sx * sy, np.sqrt(variances[0] * variances[1])), -1, 1)


def _centred_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean ranks from -0.5 to 0.5: small numbers, so that sums of squares keep their digits."""
    return (np.asarray(rankdata(values), dtype=np.float64) - (len(values) + 1) / 2) / len(values)


def _variance(n: NDArray[np.float64], total: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """n^2 times the variance; exactly 0 where only rounding is left."""
    scaled = n * squares - total * total
    return np.where(scaled > ROUNDING * n * squares, scaled, 0.0)


def areas_under_roc(
    scores: NDArray[np.float64], actual: NDArray[np.bool_], resamples: Resamples
) -> NDArray[np.float64]:
    """ROC AUC by Mann and Whitney: the share of (positive, negative) pairs in their order, ties counting half."""
    negatives = np.flatnonzero(~actual)[np.argsort(scores[~actual], kind="stable")]
    below = np.searchsorted(scores[negatives], scores[actual], side="left")
    not_above = np.searchsorted(scores[negatives], scores[actual], side="right")
    found = []
    for block in resamples.blocks(len(scores)):
        passed = np.zeros((len(block), len(negatives) + 1), dtype=np.int64)
        np.cumsum(block[:, resamples.codes[negatives]], axis=1, dtype=np.int64, out=passed[:, 1:])
        positive = block[:, resamples.codes[actual]].astype(np.int64)
        doubled = ((passed[:, below] + passed[:, not_above]) * positive).sum(axis=1)
        found.append(ratio(doubled / 2, (positive.sum(axis=1) * passed[:, -1]).astype(np.float64)))
    return np.concatenate(found)
