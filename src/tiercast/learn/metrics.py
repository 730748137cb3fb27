"""How good a forecast of tiers was: the field's standard measures, each from one definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, log_loss

from tiercast.core.tiers import N_TIERS, TIERS

Z_95: Final = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
CALIBRATION_BINS: Final = 15
MIN_ROWS_A_BIN: Final = 50


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with its 95 % interval, where one is known."""

    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TierReport:
    """Precision and recall of one tier; null where nothing was predicted or nothing was there."""

    tier: int
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One forecast judged on one set of rows."""

    rows: int
    metrics: Mapping[str, Measure]
    confusion_matrix: tuple[tuple[int, ...], ...]
    """Rows actual, columns predicted, (n_tiers, n_tiers)."""
    per_tier: tuple[TierReport, ...]

    @property
    def accuracy(self) -> Measure:
        """Share of rows whose most likely tier was theirs."""
        return self.metrics["accuracy"]


def wilson_interval(hits: int, rows: int) -> tuple[float, float] | None:
    """The 95 % interval of a proportion (Wilson 1927); None without rows.

    >>> [round(bound, 3) for bound in wilson_interval(60, 100)]
    [0.502, 0.691]
    >>> wilson_interval(0, 0) is None
    True
    """
    if rows == 0:
        return None
    share, z2 = hits / rows, Z_95**2
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z_95 * sqrt(share * (1 - share) / rows + z2 / (4 * rows**2)) / (1 + z2 / rows)
    return max(0.0, centre - half), min(1.0, centre + half)


def confusion(actual: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts, rows actual, columns predicted, (n_tiers, n_tiers).

    >>> confusion(np.array([1, 2]), np.array([1, 1]))[:2, :2].tolist()
    [[1, 0], [1, 0]]
    """
    pairs = np.bincount((actual - 1) * N_TIERS + (predicted - 1), minlength=N_TIERS**2)
    return pairs.reshape(N_TIERS, N_TIERS)


def calibration_error(confidence: NDArray[np.float64], hit: NDArray[np.bool_]) -> float | None:
    """Expected calibration error of the top tier over equal-mass bins; None below 50 rows.

    Each of at most 15 bins holds at least 50 rows.
    """
    bins = min(CALIBRATION_BINS, len(hit) // MIN_ROWS_A_BIN)
    if bins == 0:
        return None
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    gaps = [len(part) * abs(float(hit[part].mean() - confidence[part].mean())) for part in parts]
    return sum(gaps) / len(hit)


def evaluate(
    probabilities: NDArray[np.float64], tiers: NDArray[np.int64], views: NDArray[np.int64] | None
) -> Evaluation:
    """Judge tier probabilities (n_videos, n_tiers) against actual tiers (n_videos,)."""
    predicted = probabilities.argmax(axis=1) + 1
    hit, near = predicted == tiers, np.abs(predicted - tiers) <= 1
    table = confusion(tiers, predicted)
    metrics = {
        "accuracy": _proportion(hit),
        "within_one": _proportion(near),
        "log_loss": Measure(float(log_loss(tiers, probabilities, labels=TIERS))),
        "quadratic_weighted_kappa": Measure(_kappa(tiers, predicted)),
        "expected_calibration_error": Measure(calibration_error(probabilities.max(axis=1), hit)),
        "spearman": Measure(_spearman(probabilities, views)),
    }
    return Evaluation(
        rows=len(tiers),
        metrics=metrics,
        confusion_matrix=tuple(tuple(int(n) for n in row) for row in table),
        per_tier=tuple(_tier_report(table, tier) for tier in TIERS),
    )


def majority_forecast(training: NDArray[np.int64], *, rows: int) -> NDArray[np.float64]:
    """The naive rival: every video gets the training part's tier shares, so its top is the majority tier."""
    shares = np.bincount(training - 1, minlength=N_TIERS) / len(training)
    return np.tile(shares, (rows, 1))


def _proportion(hit: NDArray[np.bool_]) -> Measure:
    rows, hits = len(hit), int(hit.sum())
    return Measure(hits / rows if rows else None, wilson_interval(hits, rows))


def _kappa(tiers: NDArray[np.int64], predicted: NDArray[np.int64]) -> float | None:
    if len(np.unique(np.concatenate([tiers, predicted]))) < 2:
        return None
    return float(cohen_kappa_score(tiers, predicted, labels=TIERS, weights="quadratic"))


def _spearman(probabilities: NDArray[np.float64], views: NDArray[np.int64] | None) -> float | None:
    """Rank correlation of the expected tier with views; None where either never varies."""
    if views is None:
        return None
    expected = probabilities @ np.arange(1, N_TIERS + 1)
    if np.ptp(expected) == 0 or np.ptp(views) == 0:
        return None
    return float(spearmanr(expected, views).statistic)


def _tier_report(table: NDArray[np.int64], tier: int) -> TierReport:
    right, actual, predicted = table[tier - 1, tier - 1], table[tier - 1].sum(), table[:, tier - 1].sum()
    return TierReport(
        tier=tier,
        precision=float(right / predicted) if predicted else None,
        recall=float(right / actual) if actual else None,
        support=int(actual),
    )
