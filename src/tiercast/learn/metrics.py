"""How good a forecast of tiers was: the field's standard measures, each from one definition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, log_loss, roc_auc_score

from tiercast.core.tiers import N_TIERS, TIERS
from tiercast.learn.bootstrap import Bounds, Resamples
from tiercast.learn.calibration_error import calibration_bounds, calibration_error, calibration_error_by_chance
from tiercast.learn.replicates import areas_under_roc, kappas, rank_correlations

Z_95: Final = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


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
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    """By creator, with the one-sided bounds; only measures that have them, so none where creators are unknown."""

    @property
    def accuracy(self) -> Measure:
        """Share of rows whose most likely tier was theirs."""
        return self.metrics["accuracy"]


_Found = tuple[Measure, Bounds | None]


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


def log_losses(probabilities: NDArray[np.float64], tiers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The log loss of each row, (n_videos,), for paired comparisons; clipped as scikit-learn does, so never infinite.

    >>> log_losses(np.array([[0.5, 0.5, 0, 0, 0], [1, 0, 0, 0, 0]]), np.array([1, 2])).round(3).tolist()
    [0.693, 36.044]
    """
    given = probabilities[np.arange(len(tiers)), tiers - 1].astype(np.float64)
    tiny = np.finfo(np.float64).eps
    return -np.log(np.clip(given, tiny, 1 - tiny))


def evaluate(
    probabilities: NDArray[np.float64],
    tiers: NDArray[np.int64],
    views: NDArray[np.int64] | None,
    *,
    creators: NDArray[np.int64] | None = None,
    views_interval: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Judge tier probabilities (n_videos, n_tiers) against actual tiers (n_videos,).

    With ``creators`` (n_videos,), any one number a creator, every interval is by creator (see ``bootstrap``), the
    same creators and seed being resampled the same way for each forecast; without, rows count as independent and
    only shares of rows have one. ``views_interval`` (n_videos, 2) is the low and high end forecast for the views.
    """
    resamples = None if creators is None else Resamples.draw(creators, seed=seed)
    predicted = probabilities.argmax(axis=1) + 1
    hit, near = predicted == tiers, np.abs(predicted - tiers) <= 1
    table = confusion(tiers, predicted)
    found = {
        "accuracy": _share(hit, resamples),
        "within_one": _share(near, resamples),
        "log_loss": _log_loss(probabilities, tiers, resamples),
        "quadratic_weighted_kappa": _kappa(tiers, predicted, resamples),
        **_calibration(probabilities.max(axis=1), hit, resamples, seed=seed),
        "spearman": _spearman(probabilities, views, resamples),
        "top_tier_auc": _top_tier_auc(probabilities[:, -1], tiers == N_TIERS, resamples),
        "interval_coverage": _share(_covered(views, views_interval), resamples),
    }
    return Evaluation(
        rows=len(tiers),
        metrics={name: measure for name, (measure, _) in found.items()},
        confusion_matrix=tuple(tuple(int(n) for n in row) for row in table),
        per_tier=tuple(tier_report(table, tier) for tier in TIERS),
        bounds={name: bounds for name, (_, bounds) in found.items() if bounds is not None},
    )


def majority_forecast(training: NDArray[np.int64], *, rows: int) -> NDArray[np.float64]:
    """The naive rival: every video gets the training part's tier shares, so its top is the majority tier."""
    shares = np.bincount(training - 1, minlength=N_TIERS) / len(training)
    return np.tile(shares, (rows, 1))


def _measured(value: float | None, bounds: Bounds | None) -> _Found:
    if value is None or bounds is None:
        return Measure(value), None
    return Measure(value, bounds.interval), bounds


def _share(hit: NDArray[np.bool_] | None, resamples: Resamples | None) -> _Found:
    if hit is None or len(hit) == 0:
        return Measure(None), None
    value = int(hit.sum()) / len(hit)
    if resamples is None:
        return Measure(value, wilson_interval(int(hit.sum()), len(hit))), None
    return _measured(value, resamples.share_bounds(hit))


def _log_loss(probabilities: NDArray[np.float64], tiers: NDArray[np.int64], resamples: Resamples | None) -> _Found:
    value = float(log_loss(tiers, probabilities, labels=TIERS))  # refuses NaN
    return _measured(value, resamples.mean_bounds(log_losses(probabilities, tiers)) if resamples else None)


def _kappa(tiers: NDArray[np.int64], predicted: NDArray[np.int64], resamples: Resamples | None) -> _Found:
    """Agreement beyond chance; None where all rows hold one tier, actual and predicted."""
    if len(np.unique(np.concatenate([tiers, predicted]))) < 2:
        return Measure(None), None
    value = float(cohen_kappa_score(tiers, predicted, labels=TIERS, weights="quadratic"))
    return _measured(value, resamples.bounds(kappas(tiers, predicted, resamples)) if resamples else None)


def _calibration(
    confidence: NDArray[np.float64], hit: NDArray[np.bool_], resamples: Resamples | None, *, seed: int
) -> dict[str, _Found]:
    """The error, what chance alone gives (a reference, not an estimate: no interval), and the difference."""
    error, by_chance = calibration_error(confidence, hit), calibration_error_by_chance(confidence, seed=seed)
    excess = None if error is None or by_chance is None else error - by_chance
    bounds = calibration_bounds(confidence, hit, resamples, seed=seed) if resamples else None
    return {
        "expected_calibration_error": _measured(error, bounds.error if bounds else None),
        "calibration_error_by_chance": _measured(by_chance, None),
        "calibration_excess": _measured(excess, bounds.excess if bounds else None),
    }


def _spearman(
    probabilities: NDArray[np.float64], views: NDArray[np.int64] | None, resamples: Resamples | None
) -> _Found:
    """Rank correlation of the expected tier with views; None where either never varies."""
    expected = probabilities @ np.arange(1, N_TIERS + 1)
    if views is None or np.ptp(expected) == 0 or np.ptp(views) == 0:
        return Measure(None), None
    value = float(spearmanr(expected, views).statistic)
    if resamples is None:
        return Measure(value), None
    return _measured(value, resamples.bounds(rank_correlations(expected, views.astype(np.float64), resamples)))


def _top_tier_auc(probability: NDArray[np.float64], actual: NDArray[np.bool_], resamples: Resamples | None) -> _Found:
    """How well the probability of tier 5 ranks the actual tier 5 first; None where all rows are in it or none is.

    Its rows are the rarer class, so its bounds need creators enough among them.
    """
    if actual.all() or not actual.any():
        return Measure(None), None
    value = float(roc_auc_score(actual, probability))
    if resamples is None:
        return Measure(value), None
    return _measured(value, resamples.among(actual).bounds(areas_under_roc(probability, actual, resamples)))


def _covered(views: NDArray[np.int64] | None, views_interval: NDArray[np.float64] | None) -> NDArray[np.bool_] | None:
    """Which views lie within their interval, ends included; an end that is NaN holds nothing."""
    if views is None or views_interval is None:
        return None
    return (views_interval[:, 0] <= views) & (views <= views_interval[:, 1])


def tier_report(table: NDArray[np.int64], tier: int) -> TierReport:
    """Precision and recall of a tier from the confusion counts (n_tiers, n_tiers)."""
    right, actual, predicted = table[tier - 1, tier - 1], table[tier - 1].sum(), table[:, tier - 1].sum()
    return TierReport(
        tier=tier,
        precision=float(right / predicted) if predicted else None,
        recall=float(right / actual) if actual else None,
        support=int(actual),
    )
