"""Measures against scikit-learn, SciPy, published values and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import cohen_kappa_score, confusion_matrix, log_loss, precision_score, recall_score

from tiercast.core.tiers import TIERS
from tiercast.learn.metrics import calibration_error, confusion, evaluate, majority_forecast, wilson_interval


def case(rows: int = 300, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that lean to the truth, tiers, views."""
    rng = np.random.default_rng(seed)
    tiers = rng.integers(1, 6, rows)
    odds = rng.random((rows, 5)) + (np.arange(1, 6) == tiers[:, None])
    return odds / odds.sum(axis=1, keepdims=True), tiers, tiers * 1_000 + rng.integers(0, 1_000, rows)


def certain(*tiers: int) -> np.ndarray:
    return np.eye(5)[np.array(tiers) - 1]


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_wilson_interval_has_its_published_values(hits: int, rows: int, low: float, high: float) -> None:
    assert wilson_interval(hits, rows) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5_000), st.floats(0, 1))
@settings(deadline=None)
def test_the_wilson_interval_is_scipys_and_stays_within_zero_and_one(rows: int, share: float) -> None:
    hits = int(share * rows)
    found = wilson_interval(hits, rows)
    expected = binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found is not None
    assert 0 <= found[0] <= hits / rows + 1e-12
    assert hits / rows - 1e-12 <= found[1] <= 1


def test_no_rows_have_no_interval() -> None:
    assert wilson_interval(0, 0) is None


def test_an_evaluation_agrees_with_scikit_learn() -> None:
    probabilities, tiers, views = case()
    found = evaluate(probabilities, tiers, views)
    predicted = probabilities.argmax(axis=1) + 1
    measured = {name: measure.value for name, measure in found.metrics.items()}
    expected_tier = probabilities @ np.arange(1, 6)
    assert measured == pytest.approx(
        {
            "accuracy": (predicted == tiers).mean(),
            "within_one": (abs(predicted - tiers) <= 1).mean(),
            "log_loss": log_loss(tiers, probabilities, labels=TIERS),
            "quadratic_weighted_kappa": cohen_kappa_score(tiers, predicted, weights="quadratic"),
            "expected_calibration_error": calibration_error(probabilities.max(axis=1), predicted == tiers),
            "spearman": spearmanr(expected_tier, views).statistic,
        }
    )
    assert np.array(found.confusion_matrix).tolist() == confusion_matrix(tiers, predicted, labels=TIERS).tolist()
    assert [r.precision for r in found.per_tier] == pytest.approx(
        precision_score(tiers, predicted, labels=TIERS, average=None)
    )
    assert [r.recall for r in found.per_tier] == pytest.approx(
        recall_score(tiers, predicted, labels=TIERS, average=None)
    )
    assert sum(report.support for report in found.per_tier) == found.rows == 300


def test_log_loss_and_accuracy_by_hand() -> None:
    probabilities = np.array([[0.5, 0.2, 0.1, 0.1, 0.1], [0.1, 0.2, 0.4, 0.2, 0.1]])
    found = evaluate(probabilities, np.array([1, 2]), None)
    assert found.metrics["log_loss"].value == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2)
    assert found.accuracy.value == 0.5
    assert found.accuracy.interval == wilson_interval(1, 2)
    assert found.metrics["within_one"].value == 1.0


def test_rows_are_actual_and_columns_predicted() -> None:
    table = confusion(np.array([1, 1, 5, 3]), np.array([1, 2, 5, 2]))
    assert table.shape == (5, 5)
    assert (table[0, 0], table[0, 1], table[4, 4], table[2, 1], table.sum()) == (1, 1, 1, 1, 4)


def test_precision_is_none_where_nothing_was_predicted_and_recall_where_nothing_was_there() -> None:
    found = evaluate(certain(1, 1, 2), np.array([1, 3, 1]), None)
    by_tier = {report.tier: (report.precision, report.recall, report.support) for report in found.per_tier}
    assert by_tier == {1: (0.5, 0.5, 2), 2: (0.0, None, 0), 3: (None, 0.0, 1), 4: (None, None, 0), 5: (None, None, 0)}


def test_kappa_and_rank_correlation_are_none_where_nothing_varies() -> None:
    same = evaluate(certain(2, 2, 2), np.array([2, 2, 2]), np.array([5, 6, 7]))
    assert same.metrics["quadratic_weighted_kappa"].value is None
    assert same.metrics["spearman"].value is None
    equal_views = evaluate(certain(1, 2, 3), np.array([1, 2, 3]), np.array([5, 5, 5]))
    assert equal_views.metrics["spearman"].value is None
    assert equal_views.metrics["quadratic_weighted_kappa"].value == 1.0
    assert evaluate(certain(1, 2), np.array([1, 2]), None).metrics["spearman"].value is None


def test_only_shares_of_rows_have_an_interval() -> None:
    found = evaluate(*case())
    assert {name for name, measure in found.metrics.items() if measure.interval} == {"accuracy", "within_one"}


def test_nan_probabilities_are_refused_and_never_measured() -> None:
    probabilities, tiers, views = case(60)
    probabilities[7, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        evaluate(probabilities, tiers, views)


def test_a_calibrated_forecast_has_almost_no_calibration_error() -> None:
    assert calibration_error(np.full(100, 0.5), np.arange(100) % 2 == 0) == pytest.approx(0)
    thirds = np.concatenate([np.arange(50) < hits for hits in (10, 25, 40)])
    assert calibration_error(np.repeat([0.2, 0.5, 0.8], 50), thirds) == pytest.approx(0)
    rng = np.random.default_rng(3)
    sure = rng.uniform(0.2, 1.0, 60_000)
    assert calibration_error(sure, rng.random(60_000) < sure) < 0.01  # type: ignore[operator]


def test_an_overconfident_forecast_has_the_error_of_its_excess() -> None:
    rng = np.random.default_rng(3)
    true_share = rng.uniform(0.2, 0.7, 60_000)
    found = calibration_error(true_share + 0.25, rng.random(60_000) < true_share)
    assert found == pytest.approx(0.25, abs=0.01)


def test_the_gaps_of_the_bins_are_weighed_by_their_rows_and_never_cancel() -> None:
    confidence = np.repeat([0.3, 0.9], 50)
    hit = np.concatenate([np.arange(50) < 25, np.arange(50) < 35])  # .5 said .3, .7 said .9
    assert calibration_error(confidence, hit) == pytest.approx(0.2)


@pytest.mark.parametrize(("rows", "known"), [(0, False), (49, False), (50, True), (749, True), (5_000, True)])
def test_calibration_is_unknown_below_fifty_rows(rows: int, known: bool) -> None:
    found = calibration_error(np.full(rows, 0.75), np.ones(rows, dtype=bool))
    assert (found is not None) == known
    assert found is None or found == pytest.approx(0.25)


def test_the_naive_rival_always_names_the_commonest_training_tier() -> None:
    forecast = majority_forecast(np.array([1, 2, 2, 2, 5]), rows=3)
    assert forecast.tolist() == [[0.2, 0.6, 0.0, 0.0, 0.2]] * 3
    found = evaluate(forecast, np.array([2, 1, 2]), None)
    assert found.accuracy.value == pytest.approx(2 / 3)
