"""The cluster bootstrap: how far a figure could have come out otherwise, had other creators been drawn.

Videos of one creator succeed and fail together, so a resample draws whole creators, never single videos.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

N_RESAMPLES: Final = 1_000
"""Another seed then moves an end by about 1.5 % of the interval's width (5,000 rows of 1,500 creators)."""
MIN_CREATORS: Final = 10
"""Fewer clusters than this give bounds that are too tight (Cameron, Gelbach & Miller 2008), so they give none."""
MAX_UNKNOWN_SHARE: Final = 0.05
"""A figure undefined in more resamples than this hangs on a few creators; its bounds would leave that out."""
ONE_SIDED: Final = 0.05
TWO_SIDED: Final = 0.025
BLOCK_WEIGHTS: Final = 4_000_000
"""Row weights held at once: 32 MB as 64-bit sums."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a figure lies at 95 %: each one-sided bound by itself, and the two-sided interval."""

    lower: float
    upper: float
    interval: tuple[float, float]


def interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """The two-sided 95 % percentile interval of resampled figures; None where over 5 % of them are NaN.

    >>> interval(np.arange(1001.0))
    (25.0, 975.0)
    >>> interval(np.array([0.5, np.nan])) is None
    True
    """
    low, high = _percentile(values, TWO_SIDED), _percentile(values, 1 - TWO_SIDED)
    return None if low is None or high is None else (low, high)


def lower_bound(values: NDArray[np.float64]) -> float | None:
    """The one-sided 95 % lower bound: the 5th percentile; None as for ``interval``.

    >>> lower_bound(np.arange(101.0))
    5.0
    """
    return _percentile(values, ONE_SIDED)


def upper_bound(values: NDArray[np.float64]) -> float | None:
    """The one-sided 95 % upper bound: the 95th percentile; None as for ``interval``.

    >>> upper_bound(np.arange(101.0))
    95.0
    """
    return _percentile(values, 1 - ONE_SIDED)


def _percentile(values: NDArray[np.float64], share: float) -> float | None:
    known = values[~np.isnan(values)]
    if len(known) == 0 or len(values) - len(known) > MAX_UNKNOWN_SHARE * len(values):
        return None
    return float(np.quantile(known, share))


def effective_number(counts: NDArray[np.int64]) -> float:
    """How many equally large creators would tell as much: rows^2 / sum of squared counts (Kish 1965); 0 without rows.

    >>> effective_number(np.array([5, 5, 5])), round(effective_number(np.array([400, 3, 3])), 2)
    (3.0, 1.03)
    """
    squares = float((counts.astype(np.float64) ** 2).sum())
    return float(counts.sum()) ** 2 / squares if squares else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Creators drawn with replacement, many times over, and which creator each row belongs to.

    >>> resamples = Resamples.draw(np.repeat(np.arange(20), 3), n=500, seed=1)
    >>> resamples.mean_bounds(np.zeros(60))
    Bounds(lower=0.0, upper=0.0, interval=(0.0, 0.0))
    >>> Resamples.draw(np.zeros(60, dtype=np.int64), n=500, seed=1).mean_bounds(np.arange(60.0)) is None
    True
    """

    codes: NDArray[np.int64]
    """(n_rows,), each a column of ``weights``."""
    weights: NDArray[np.uint8]
    """(n_resamples, n_creators): how often each creator was drawn."""

    @classmethod
    def draw(cls, creators: NDArray[np.int64], *, n: int = N_RESAMPLES, seed: int) -> Self:
        """``n`` resamples of as many creators as the rows have; ``creators`` (n_rows,) holds any one number a creator.

        The same creators and seed give the same resamples, so figures of two forecasts can be compared pair by pair.
        """
        known, codes = np.unique(creators, return_inverse=True)
        rng = np.random.default_rng(seed)
        weights = np.empty((n, len(known)), dtype=np.uint8)  # drawn over 255 times: odds below 1 in 255!
        for resample in weights:
            drawn = rng.integers(max(len(known), 1), size=len(known))
            resample[:] = np.bincount(drawn, minlength=len(known))
        return cls(codes.astype(np.int64), weights)

    @property
    def effective_creators(self) -> float:
        """The effective number of creators in these rows: one who dominates counts as hardly more than one."""
        return effective_number(np.bincount(self.codes))

    def among(self, rows: NDArray[np.bool_]) -> Self:
        """The same resamples for a part of the rows, (n_rows,)."""
        return replace(self, codes=self.codes[rows])

    def totals(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over the rows of each resample, (n_resamples, n_columns), of values (n_rows, n_columns)."""
        n_creators = self.weights.shape[1]
        by_creator = [np.bincount(self.codes, weights=column, minlength=n_creators) for column in values.T]
        sums = np.column_stack(by_creator)
        with _threads().limit(limits=1, user_api="blas"):  # more threads may sum in another order
            parts = [block.astype(np.float64) @ sums for block in self.blocks(n_creators)]
        return np.concatenate(parts)

    def blocks(self, columns: int) -> Iterator[NDArray[np.uint8]]:
        """The weights a few resamples at a time, so that ``columns`` numbers for each of them stay small in memory."""
        step = max(1, BLOCK_WEIGHTS // max(columns, 1))
        for begin in range(0, len(self.weights), step):
            yield self.weights[begin : begin + step]

    def means(self, row_values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of row values (n_rows,) in each resample; NaN in a resample without rows."""
        totals = self.totals(np.column_stack([row_values, np.ones(len(self.codes))]))
        return ratio(totals[:, 0], totals[:, 1])

    def bounds(self, figures: NDArray[np.float64]) -> Bounds | None:
        """The bounds of figures (n_resamples,); None where creators are too few or too many figures unknown."""
        two_sided, lower, upper = interval(figures), lower_bound(figures), upper_bound(figures)
        if self.effective_creators < MIN_CREATORS or two_sided is None or lower is None or upper is None:
            return None
        return Bounds(lower, upper, two_sided)

    def quantile(self, figures: NDArray[np.float64], share: float) -> float | None:
        """A quantile of figures (n_resamples,), a one-sided bound at any level; None as for ``bounds``."""
        return _percentile(figures, share) if self.effective_creators >= MIN_CREATORS else None

    def mean_bounds(self, row_values: NDArray[np.float64]) -> Bounds | None:
        """The bounds of a mean over rows (n_rows,); of a paired difference where the values are differences.

        Values that are all the same have no width: two forecasts that never differ, differ by exactly nothing.
        """
        return self.bounds(self.means(row_values))

    def share_bounds(self, hit: NDArray[np.bool_]) -> Bounds | None:
        """The bounds of a share of rows (n_rows,).

        Where all rows agree no resample differs, and yet nothing is certain: then the exact bound of so many
        independent creators stands (Clopper & Pearson 1934).
        """
        found = self.mean_bounds(hit.astype(np.float64))
        if found is None or not (hit.all() or not hit.any()):
            return found
        one_sided, two_sided = (alpha ** (1 / self.effective_creators) for alpha in (ONE_SIDED, TWO_SIDED))
        if hit.all():
            return Bounds(one_sided, 1.0, (two_sided, 1.0))
        return Bounds(0.0, 1 - one_sided, (0.0, 1 - two_sided))


@cache
def _threads() -> ThreadpoolController:
    """The libraries that count threads, looked for once: it takes longer than most sums."""
    return ThreadpoolController()


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """``above / below``, NaN where ``below`` is not positive.

    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    found = np.full(len(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
