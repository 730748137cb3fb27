"""Which forecasts to call confident: how accuracy falls as more of them are taken in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.learn.bootstrap import Resamples
from tiercast.learn.metrics import Measure

STEPS: Final = 20
"""Steps of 5 %."""
MIN_ROWS: Final = 50
"""Fewer rows prove no accuracy: 30 hits of 49 leave a lower bound below .50."""


@dataclass(frozen=True, slots=True)
class ConfidentPart:
    """The rows of at least one confidence, and how often their most likely tier was theirs."""

    threshold: float
    """The lowest confidence inside; rows of exactly this confidence are inside."""
    rows: int
    coverage: float
    """Share of all rows, 0 to 1."""
    accuracy: Measure
    """With its interval by creator, where there are creators enough."""
    lower_bound: float | None
    """One-sided 95 % bound of the accuracy, by creator; None where rows or creators are too few to tell."""


def confident_curve(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], creators: NDArray[np.int64], *, seed: int
) -> tuple[ConfidentPart, ...]:
    """The most confident 5 %, 10 %, ... 100 % of the rows, (n_rows,) each; equal confidence stays together.

    A part therefore covers its 5 % step or more, and steps that end at the same confidence are the same part.
    Raises ValueError where a confidence is NaN.
    """
    return tuple(_parts(confidence, hit, creators, seed=seed))


def confidence_threshold(
    confidence: NDArray[np.float64],
    hit: NDArray[np.bool_],
    creators: NDArray[np.int64],
    *,
    target: float = 0.60,
    seed: int,
) -> float | None:
    """The confidence from which on accuracy is proven to be at least ``target``; None where it is from nowhere on.

    From the most confident down in steps of 5 %, for as long as the one-sided 95 % lower bound by creator of the
    accuracy above reaches the target; the first failure ends it. A step of fewer than 50 rows, or of effectively
    fewer than 10 creators, tells nothing: it is passed over, and never sets the threshold.
    """
    proven = None
    for part in _parts(confidence, hit, creators, seed=seed):
        if part.lower_bound is None:
            continue
        if part.lower_bound < target:
            break
        proven = part.threshold
    return proven


def at_threshold(
    confidence: NDArray[np.float64],
    hit: NDArray[np.bool_],
    creators: NDArray[np.int64],
    *,
    threshold: float,
    seed: int,
) -> ConfidentPart:
    """The rows of at least ``threshold``, such as test rows at a threshold learned on others.

    >>> at_threshold(np.array([0.9, 0.4]), np.array([True, False]), np.array([1, 2]), threshold=0.5, seed=0)
    ConfidentPart(threshold=0.5, rows=1, coverage=0.5, accuracy=Measure(value=1.0, interval=None), lower_bound=None)
    """
    return _part(confidence, hit, Resamples.draw(creators, seed=seed), threshold=threshold)


def _parts(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], creators: NDArray[np.int64], *, seed: int
) -> Iterator[ConfidentPart]:
    unknown, rows = int(np.isnan(confidence).sum()), len(confidence)
    if unknown:
        raise ValueError(f"{unknown} of {rows} confidences are NaN, so nobody knows which rows are the surest")
    resamples = Resamples.draw(creators, seed=seed)
    descending = np.sort(confidence)[::-1]
    for step in range(1, STEPS + 1 if rows else 1):
        inside = -(-step * rows // STEPS)  # rounded up, so never none
        yield _part(confidence, hit, resamples, threshold=float(descending[inside - 1]))


def _part(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], resamples: Resamples, *, threshold: float
) -> ConfidentPart:
    inside = confidence >= threshold
    rows = int(inside.sum())
    bounds = resamples.among(inside).share_bounds(hit[inside]) if rows >= MIN_ROWS else None
    return ConfidentPart(
        threshold=threshold,
        rows=rows,
        coverage=rows / len(confidence) if len(confidence) else 0.0,
        accuracy=Measure(float(hit[inside].mean()) if rows else None, bounds.interval if bounds else None),
        lower_bound=bounds.lower if bounds else None,
    )
