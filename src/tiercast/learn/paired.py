"""Two forecasts of the same rows: how much better one of them is, with bounds by creator."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tiercast.learn.bootstrap import Resamples, ratio
from tiercast.learn.calibration_error import centred_errors
from tiercast.learn.metrics import log_losses

STRICT: Final = 0.01
"""One-sided level where the same comparison comes back week after week: at 5 % one of twenty would slip through."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first of two forecasts is, in the unit of its measure; below 0 it is worse."""

    value: float
    lower: float
    """One-sided 95 % bound: it is at least this much better."""
    upper: float
    strict_lower: float
    """The same at 99 %."""
    strict_upper: float
    interval: tuple[float, float]
    """Two-sided, 95 %."""

    @classmethod
    def of(cls, value: float, resampled: Floats, resamples: Resamples) -> Self | None:
        """From the same difference in each resample; None where creators are too few or it is unknown in many."""
        bounds = resamples.bounds(resampled)
        low, high = (resamples.quantile(resampled, level) for level in (STRICT, 1 - STRICT))
        if bounds is None or low is None or high is None:
            return None
        return cls(value, bounds.lower, bounds.upper, low, high, bounds.interval)


@dataclass(frozen=True, slots=True)
class Paired:
    """A forecast less a rival's on the same rows, measure by measure; None where too few creators can tell."""

    rows: int
    creators: int
    accuracy: Difference | None
    log_loss: Difference | None
    """Above 0 the first forecast's log loss is lower."""
    calibration: Difference | None
    """Above 0 the first forecast's expected calibration error is higher."""


def paired(first: Floats, second: Floats, tiers: NDArray[np.int64], resamples: Resamples) -> Paired:
    """Two forecasts (n_videos, n_tiers) of the same tiers (n_videos,), row by row, resampled by creator."""
    hits = [forecast.argmax(axis=1) + 1 == tiers for forecast in (first, second)]
    more_hits = hits[0].astype(np.float64) - hits[1]
    lower_loss = log_losses(second, tiers) - log_losses(first, tiers)
    totals = resamples.totals(np.column_stack([more_hits, lower_loss, np.ones(len(tiers))]))
    means = [ratio(totals[:, column], totals[:, 2]) for column in (0, 1)]
    errors = [
        centred_errors(forecast.max(axis=1), hit, resamples)
        for forecast, hit in zip((first, second), hits, strict=True)
    ]
    return Paired(
        rows=len(tiers),
        creators=len(np.unique(resamples.codes)),
        accuracy=Difference.of(float(more_hits.mean()), means[0], resamples),
        log_loss=Difference.of(float(lower_loss.mean()), means[1], resamples),
        calibration=_error_difference(errors, resamples),
    )


def _error_difference(errors: list[tuple[float, Floats] | None], resamples: Resamples) -> Difference | None:
    first, second = errors
    if first is None or second is None:
        return None
    return Difference.of(first[0] - second[0], first[1] - second[1], resamples)
