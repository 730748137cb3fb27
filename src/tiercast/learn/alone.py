"""What a single feature tells by itself: the first place where a leak shows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.tiers import N_TIERS

BINS: Final = 64
"""Finer than any honest feature needs, coarse enough for twenty rows a bin where two thousand train."""


def names_alone(
    training: NDArray[np.float64], tiers: NDArray[np.int64], asked: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    """The tier (n_asked,) that a column alone names: the commonest among training rows (n_rows,) of the same bin.

    Bins hold about equally many rows; unknown values are a bin of their own. None where the column never varies.

    >>> column, tiers = np.arange(100.0), np.repeat([1, 2, 3, 4, 5], 20)
    >>> names_alone(column, tiers, np.array([3.0, 50.0, 99.0])).tolist()
    [1, 3, 5]
    """
    known = training[~np.isnan(training)]
    if not len(known) or (len(known) == len(training) and known.min() == known.max()):
        return None
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.zeros((len(edges) + 2, N_TIERS))
    np.add.at(counts, (_bins(training, edges), tiers - 1), 1)
    counts += 1e-3 * np.bincount(tiers - 1, minlength=N_TIERS) / len(tiers)  # an empty bin says what all say
    named: NDArray[np.int64] = counts.argmax(axis=1)[_bins(asked, edges)] + 1
    return named


def _bins(column: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    placed = np.searchsorted(edges, np.nan_to_num(column), side="right")
    return np.where(np.isnan(column), len(edges) + 1, placed).astype(np.int64)
