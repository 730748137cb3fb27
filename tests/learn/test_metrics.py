"""Measures against scikit-learn, SciPy, published values and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import (
    cohen_kappa_score,
    confusion_matrix,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from tiercast.core.tiers import TIERS
from tiercast.learn.calibration_error import calibration_error, calibration_error_by_chance
from tiercast.learn.metrics import (
    Evaluation,
    confusion,
    evaluate,
    log_losses,
    majority_forecast,
    wilson_interval,
)

SHARES = {"accuracy", "within_one", "interval_coverage"}
REFERENCE = "calibration_error_by_chance"


def case(rows: int = 300, seed: int = 5, lean: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that lean to the truth, tiers, views; a lean of 1 always names the right tier."""
    rng = np.random.default_rng(seed)
    tiers = rng.integers(1, 6, rows)
    odds = rng.random((rows, 5)) + lean * (np.arange(1, 6) == tiers[:, None])
    return odds / odds.sum(axis=1, keepdims=True), tiers, tiers * 1_000 + rng.integers(0, 1_000, rows)


def by_creator(rows: int = 600, *, a_creator: int = 3, seed: int = 5) -> Evaluation:
    """The case, with creators of so many videos each and an interval of views."""
    probabilities, tiers, views = case(rows, lean=0.4)
    ends = np.column_stack([views * 0.8, np.where(np.arange(rows) % 5 == 0, views * 0.9, views * 1.2)])
    return evaluate(probabilities, tiers, views, creators=np.arange(rows) // a_creator, views_interval=ends, seed=seed)


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


@pytest.mark.parametrize("lean", [0.4, 1.0])
def test_an_evaluation_agrees_with_scikit_learn(lean: float) -> None:
    probabilities, tiers, views = case(lean=lean)
    found = evaluate(probabilities, tiers, views)
    predicted = probabilities.argmax(axis=1) + 1
    measured = {name: measure.value for name, measure in found.metrics.items()}
    expected_tier, sure = probabilities @ np.arange(1, 6), probabilities.max(axis=1)
    error, by_chance = calibration_error(sure, predicted == tiers), calibration_error_by_chance(sure, seed=0)
    assert error is not None
    assert by_chance is not None
    assert measured.pop("interval_coverage") is None
    assert measured == pytest.approx(
        {
            "accuracy": (predicted == tiers).mean(),
            "within_one": (abs(predicted - tiers) <= 1).mean(),
            "log_loss": log_loss(tiers, probabilities, labels=TIERS),
            "quadratic_weighted_kappa": cohen_kappa_score(tiers, predicted, weights="quadratic"),
            "expected_calibration_error": error,
            "calibration_error_by_chance": by_chance,
            "calibration_excess": error - by_chance,
            "spearman": spearmanr(expected_tier, views).statistic,
            "top_tier_auc": roc_auc_score(tiers == 5, probabilities[:, 4]),
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


def test_without_creators_only_shares_of_rows_have_an_interval() -> None:
    probabilities, tiers, views = case()
    ends = np.column_stack([views, views])
    found = evaluate(probabilities, tiers, views, views_interval=ends)
    assert {name for name, measure in found.metrics.items() if measure.interval} == SHARES
    assert found.metrics["interval_coverage"].interval == wilson_interval(300, 300)
    assert found.bounds == {}


def test_by_creator_every_measure_has_an_interval_around_it_and_the_values_stay() -> None:
    found, plain = by_creator(), evaluate(*case(600, lean=0.4), seed=5)
    assert found.bounds.keys() == found.metrics.keys() - {REFERENCE}
    for name, bounds in found.bounds.items():
        value, interval = found.metrics[name].value, found.metrics[name].interval
        assert interval == bounds.interval
        assert value is not None
        assert bounds.interval[0] <= bounds.lower <= value <= bounds.upper <= bounds.interval[1]
        assert bounds.interval[1] - bounds.interval[0] > 0
        assert name == "interval_coverage" or value == plain.metrics[name].value
    assert found.metrics[REFERENCE].interval is None
    assert (found.confusion_matrix, found.per_tier) == (plain.confusion_matrix, plain.per_tier)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    assert by_creator(seed=1) == by_creator(seed=1)
    assert by_creator(seed=1).bounds["spearman"] != by_creator(seed=2).bounds["spearman"]


def test_intervals_by_creator_widen_where_videos_of_a_creator_are_repeated() -> None:
    probabilities, tiers, views = case(lean=0.4)
    ten = np.repeat(np.arange(300), 10)
    once = evaluate(probabilities, tiers, views, creators=np.arange(300))
    repeated = evaluate(probabilities[ten], tiers[ten], views[ten], creators=ten)
    as_if_independent = evaluate(probabilities[ten], tiers[ten], views[ten], creators=np.arange(3_000))
    for name in ("accuracy", "log_loss", "quadratic_weighted_kappa", "spearman", "top_tier_auc"):
        narrow, first, again = (
            np.diff(evaluation.bounds[name].interval)[0] for evaluation in (as_if_independent, once, repeated)
        )
        assert again == pytest.approx(first, rel=0.01)  # a copy tells nothing new
        assert narrow < again / 2.5


def test_few_creators_leave_the_values_and_no_interval() -> None:
    found = by_creator(a_creator=600)
    assert found.bounds == {}
    assert all(measure.interval is None for measure in found.metrics.values())
    assert all(measure.value is not None for measure in found.metrics.values())


def test_a_share_of_all_rows_is_not_certain_by_creator_either() -> None:
    tiers = np.arange(100) % 5 + 1
    found = evaluate(certain(*tiers), tiers, None, creators=np.arange(100))
    assert found.accuracy.value == 1
    assert found.bounds["accuracy"].lower == pytest.approx(0.05 ** (1 / 100))


def test_a_measure_that_is_undefined_has_no_bounds() -> None:
    found = evaluate(certain(*[2] * 60), np.full(60, 2), np.full(60, 9), creators=np.arange(60))
    undefined = {name for name, measure in found.metrics.items() if measure.value is None}
    assert undefined == {"quadratic_weighted_kappa", "spearman", "top_tier_auc", "interval_coverage"}
    assert not undefined & found.bounds.keys()


@pytest.mark.parametrize(("hold_it", "known"), [(1, False), (9, False), (10, True)])
def test_a_top_tier_that_few_creators_hold_has_an_area_but_no_bounds(hold_it: int, known: bool) -> None:
    tiers = np.where(np.arange(200) < 2 * hold_it, 5, 1)
    found = evaluate(certain(*tiers), tiers, None, creators=np.arange(200) // 2)
    assert found.metrics["top_tier_auc"].value == 1.0
    assert ("top_tier_auc" in found.bounds) == known


def test_views_at_either_end_are_covered_and_an_unknown_end_covers_nothing() -> None:
    ends = np.array([[5, 9], [1, 5], [6, 9], [1, 4], [np.nan, 9], [1, np.nan]], dtype=float)
    found = evaluate(certain(1, 2, 3, 4, 5, 1), np.arange(6) % 5 + 1, np.full(6, 5), views_interval=ends)
    assert found.metrics["interval_coverage"].value == pytest.approx(2 / 6)
    without_views = evaluate(certain(1, 2), np.array([1, 2]), None, views_interval=ends[:2])
    assert without_views.metrics["interval_coverage"].value is None


@given(st.integers(0, 500), st.booleans())
@settings(deadline=None, max_examples=20)
def test_the_losses_of_the_rows_average_to_the_log_loss_and_are_never_infinite(seed: int, sure: bool) -> None:
    probabilities, tiers, _ = case(50, seed)
    if sure:
        probabilities = certain(*np.random.default_rng(seed).integers(1, 6, 50))  # mostly wrong, and called impossible
    losses = log_losses(probabilities, tiers)
    assert np.isfinite(losses).all()
    assert losses.mean() == pytest.approx(log_loss(tiers, probabilities, labels=TIERS))


def test_nan_probabilities_are_refused_and_never_measured() -> None:
    probabilities, tiers, views = case(60)
    probabilities[7, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        evaluate(probabilities, tiers, views)


def test_the_naive_rival_always_names_the_commonest_training_tier() -> None:
    forecast = majority_forecast(np.array([1, 2, 2, 2, 5]), rows=3)
    assert forecast.tolist() == [[0.2, 0.6, 0.0, 0.0, 0.2]] * 3
    found = evaluate(forecast, np.array([2, 1, 2]), None)
    assert found.accuracy.value == pytest.approx(2 / 3)
