"""Expected calibration error: how far said and found shares differ, and how much of that is chance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.learn.bootstrap import Bounds, Resamples, ratio

CALIBRATION_BINS: Final = 15
MIN_ROWS_A_BIN: Final = 50
CHANCE_DRAWS: Final = 200
"""Known to about 1.5 % of itself: the error of one draw varies by a fifth."""


@dataclass(frozen=True, slots=True)
class CalibrationBounds:
    """Bounds by creator of the error, and of what it exceeds chance by."""

    error: Bounds
    excess: Bounds


def calibration_bins(confidence: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """The bin of each row, (n_rows,), from the least confident up; None below 50 rows.

    At most 15 bins of equal mass, each of at least 50 rows.
    """
    n_bins = min(CALIBRATION_BINS, len(confidence) // MIN_ROWS_A_BIN)
    if n_bins == 0:
        return None
    bins = np.empty(len(confidence), dtype=np.int64)
    for code, part in enumerate(np.array_split(np.argsort(confidence, kind="stable"), n_bins)):
        bins[part] = code
    return bins


def calibration_error(confidence: NDArray[np.float64], hit: NDArray[np.bool_]) -> float | None:
    """Expected calibration error of the top tier over equal-mass bins; None below 50 rows.

    >>> calibration_error(np.full(100, 0.75), np.arange(100) % 2 == 0)
    0.25
    >>> calibration_error(np.full(49, 0.75), np.ones(49, dtype=bool)) is None
    True
    """
    bins = calibration_bins(confidence)
    return None if bins is None else _error(hit - confidence, bins)


def calibration_error_by_chance(confidence: NDArray[np.float64], *, seed: int) -> float | None:
    """The error that a perfectly calibrated forecast of these confidences shows on so few rows; None below 50.

    Each row is a hit with the probability of its confidence, independently; the mean of 200 draws.
    """
    bins = calibration_bins(confidence)
    if bins is None:
        return None
    rng = np.random.default_rng(seed)
    draws = [_error((rng.random(len(bins)) < confidence) - confidence, bins) for _ in range(CHANCE_DRAWS)]
    return float(np.mean(draws))


def calibration_bounds(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], resamples: Resamples, *, seed: int
) -> CalibrationBounds | None:
    """Bounds by creator; None below 50 rows or where creators are too few.

    Resampling adds noise, and noise adds to an error that has no sign, so resampled errors average above the one
    found: they are moved back until their mean is that one. Rows of a creator miss together, which is chance too
    but more of it than independent rows show; the lower ends of the excess give that up as well.
    """
    bins, by_chance = calibration_bins(confidence), calibration_error_by_chance(confidence, seed=seed)
    if bins is None or by_chance is None:
        return None
    gaps = hit - confidence
    _, centred = _centred(gaps, bins, resamples)
    error, excess = resamples.bounds(np.maximum(centred, 0.0)), resamples.bounds(centred - by_chance)
    if error is None or excess is None:
        return None
    extra = max(0.0, _error_by_chance_of_creators(gaps, bins, resamples.codes, seed=seed) - by_chance)
    low, high = excess.interval
    return CalibrationBounds(error, Bounds(excess.lower - extra, excess.upper, (low - extra, high)))


def centred_errors(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], resamples: Resamples
) -> tuple[float, NDArray[np.float64]] | None:
    """The error and, around it, that of each resample (n_resamples,); None below 50 rows."""
    bins = calibration_bins(confidence)
    return None if bins is None else _centred(hit - confidence, bins, resamples)


def _centred(
    gaps: NDArray[np.float64], bins: NDArray[np.int64], resamples: Resamples
) -> tuple[float, NDArray[np.float64]]:
    found, errors = _error(gaps, bins), _resampled_errors(gaps, bins, resamples)
    return found, found + errors - np.nanmean(errors)


def _error(gaps: NDArray[np.float64], bins: NDArray[np.int64]) -> float:
    """The mean over rows of their bin's gap, without sign."""
    return float(np.abs(np.bincount(bins, weights=gaps)).sum() / len(bins))


def _gaps_by_bin(gaps: NDArray[np.float64], bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each row's gap in the column of its bin, (n_rows, n_bins)."""
    return np.eye(int(bins.max()) + 1)[bins] * gaps[:, None]


def _resampled_errors(gaps: NDArray[np.float64], bins: NDArray[np.int64], resamples: Resamples) -> NDArray[np.float64]:
    """The error in each resample, its bins fixed on the whole sample."""
    totals = resamples.totals(np.column_stack([np.ones(len(gaps)), _gaps_by_bin(gaps, bins)]))
    return ratio(np.abs(totals[:, 1:]).sum(axis=1), totals[:, 0])


def _error_by_chance_of_creators(
    gaps: NDArray[np.float64], bins: NDArray[np.int64], codes: NDArray[np.int64], *, seed: int
) -> float:
    """The error left where each creator's gaps change sign together at random: calibrated, and as much in step.

    The wild cluster bootstrap of Cameron, Gelbach & Miller (2008).
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(CHANCE_DRAWS, int(codes.max()) + 1))
    return float(np.mean([_error(gaps * flips[codes], bins) for flips in signs]))
