"""Confident parts: by hand, against the rule written out, and where nothing can be proven."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.bootstrap import Resamples
from tiercast.learn.confidence import at_threshold, confidence_threshold, confident_curve


def case(
    rows: int, *, seed: int = 1, a_creator: int = 1, low: float = 0.2, high: float = 0.9
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibrated confidence from ``low`` to ``high``, hits, creators of ``a_creator`` rows each."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(low, high, rows)
    return confidence, rng.random(rows) < confidence, rng.permutation(np.arange(rows) // a_creator)


def test_the_curve_goes_from_the_most_confident_down_in_steps_of_five_percent() -> None:
    confidence, hit = np.arange(200) / 200, np.arange(200) >= 150  # the upper quarter is right
    curve = confident_curve(confidence, hit, np.arange(200), seed=1)
    assert [part.rows for part in curve] == [10 * step for step in range(1, 21)]
    assert [part.coverage for part in curve] == pytest.approx([0.05 * step for step in range(1, 21)])
    assert [part.threshold for part in curve] == pytest.approx([1 - 0.05 * step for step in range(1, 21)])
    assert [part.accuracy.value for part in curve] == pytest.approx([min(1, 5 / step) for step in range(1, 21)])
    assert curve[-1].accuracy.interval == pytest.approx((0.19, 0.31), abs=0.015)


def test_rows_of_one_confidence_stay_together() -> None:
    confidence = np.repeat([0.3, 0.6, 0.9], [100, 60, 40])
    curve = confident_curve(confidence, np.ones(200, dtype=bool), np.arange(200), seed=1)
    assert {(part.threshold, part.rows, part.coverage) for part in curve} == {
        (0.9, 40, 0.2),
        (0.6, 100, 0.5),
        (0.3, 200, 1.0),
    }


@given(st.lists(st.sampled_from([0.2, 0.3, 0.45, 0.6, 0.61, 0.8, 0.99]), min_size=1, max_size=90))
@settings(deadline=None, max_examples=40)
def test_each_part_covers_its_step_and_holds_all_rows_of_its_confidence(confidences: list[float]) -> None:
    confidence = np.array(confidences)
    rows = len(confidence)
    curve = confident_curve(confidence, confidence > 0.5, np.arange(rows), seed=1)
    assert len(curve) == 20
    for step, part in enumerate(curve, start=1):
        assert part.rows == (confidence >= part.threshold).sum() >= step * rows / 20 - 1e-9
        assert (confidence > part.threshold).sum() < step * rows / 20 + 1e-9 or part.rows == 1
        assert part.accuracy.value == (confidence[confidence >= part.threshold] > 0.5).mean()
    assert curve[-1].rows == rows


def test_the_threshold_is_that_of_the_rule_written_out() -> None:
    confidence, hit, creators = case(1_000, a_creator=3)
    resamples = Resamples.draw(creators, seed=4)
    descending, expected = np.sort(confidence)[::-1], None
    for step in range(1, 21):
        threshold = descending[50 * step - 1]
        accuracies = []
        for times in resamples.weights:
            inside = np.repeat(confidence >= threshold, times[resamples.codes])
            accuracies.append(np.repeat(hit, times[resamples.codes])[inside].mean())
        if np.quantile(accuracies, 0.05) < 0.6:
            break
        expected = threshold
    assert expected is not None
    assert 0.3 < expected < 0.6
    assert confidence_threshold(confidence, hit, creators, seed=4) == expected


def test_the_threshold_is_the_same_for_a_seed_and_falls_with_the_target() -> None:
    rows = case(2_000)
    found = [confidence_threshold(*rows, target=target, seed=1) for target in (0.5, 0.6, 0.7)]
    assert found[1] == confidence_threshold(*rows, seed=1)
    assert all(threshold is not None for threshold in found)
    assert found == sorted(found)  # type: ignore[type-var]
    assert confidence_threshold(*rows, target=0.95, seed=1) is None


def test_everything_is_confident_where_everything_is_right_though_never_certain() -> None:
    confidence, creators = np.linspace(0.4, 0.9, 400), np.arange(400) // 4
    hit = np.ones(400, dtype=bool)
    assert confidence_threshold(confidence, hit, creators, seed=1) == 0.4
    whole = confident_curve(confidence, hit, creators, seed=1)[-1]
    assert whole.accuracy.value == 1
    assert whole.lower_bound == pytest.approx(0.05 ** (1 / 100))


def test_the_first_failure_ends_it_even_where_more_rows_would_pass() -> None:
    confidence = np.linspace(1, 0, 1_000)
    hit = np.arange(1_000) >= 200  # the surest fifth is wrong, the rest right
    assert confident_curve(confidence, hit, np.arange(1_000), seed=1)[-1].lower_bound > 0.7  # type: ignore[operator]
    assert confidence_threshold(confidence, hit, np.arange(1_000), seed=1) is None


def test_steps_too_small_to_tell_are_passed_over_and_never_set_the_threshold() -> None:
    confidence = np.linspace(1, 0.3, 200)
    wrong_at_the_top = (np.arange(200) >= 5) & (np.arange(200) < 100)
    curve = confident_curve(confidence, wrong_at_the_top, np.arange(200), seed=1)
    assert [part.rows for part in curve if part.lower_bound is None] == [10, 20, 30, 40]
    assert [part.accuracy.interval is None for part in curve] == [part.lower_bound is None for part in curve]
    found = confidence_threshold(confidence, wrong_at_the_top, np.arange(200), seed=1)
    assert found is not None
    assert 100 <= (confidence >= found).sum() <= 150


@pytest.mark.parametrize("rows", [0, 1, 19, 49])
def test_fewer_than_fifty_rows_prove_nothing(rows: int) -> None:
    confidence, hit, creators = np.linspace(0.9, 0.5, rows), np.ones(rows, dtype=bool), np.arange(rows)
    assert confidence_threshold(confidence, hit, creators, seed=1) is None
    assert all(part.lower_bound is None for part in confident_curve(confidence, hit, creators, seed=1))


@pytest.mark.parametrize(
    "creators",
    [
        pytest.param(np.zeros(1_000, dtype=np.int64), id="one creator"),
        pytest.param(np.arange(1_000) % 9, id="nine creators"),
        pytest.param(np.maximum(np.arange(1_000) - 900, 0), id="one of 100 has nine rows in ten"),
    ],
)
def test_few_creators_prove_nothing_however_many_rows(creators: np.ndarray) -> None:
    confidence = np.random.default_rng(1).permutation(np.linspace(0.5, 0.9, 1_000))
    hit = np.arange(1_000) % 10 > 0
    assert confidence_threshold(confidence, hit, creators, seed=1) is None
    found = at_threshold(confidence, hit, creators, threshold=0.5, seed=1)
    assert (found.rows, found.coverage, found.accuracy.value) == (1_000, 1.0, 0.9)
    assert found.accuracy.interval is found.lower_bound is None


def test_an_accuracy_below_the_target_is_hardly_ever_taken_for_proven_where_videos_of_a_creator_agree() -> None:
    rng = np.random.default_rng(3)
    taken = 0
    for seed in range(100):
        creators = rng.integers(0, 60, 400)
        hit = rng.random(400) < rng.beta(1.16, 0.84, 60)[creators]  # true accuracy .58 whatever the confidence
        taken += confidence_threshold(rng.random(400), hit, creators, seed=seed) is not None
    assert taken <= 5


def test_rows_at_the_threshold_are_inside() -> None:
    confidence = np.array([0.5] * 60 + [0.4999] * 40)
    found = at_threshold(confidence, np.arange(100) < 30, np.arange(100), threshold=0.5, seed=1)
    assert (found.threshold, found.rows, found.coverage, found.accuracy.value) == (0.5, 60, 0.6, 0.5)
    assert found.accuracy.interval == pytest.approx((0.37, 0.63), abs=0.03)
    assert found.lower_bound == pytest.approx(0.39, abs=0.03)


def test_a_threshold_above_all_rows_covers_nothing() -> None:
    for rows in (0, 100):
        found = at_threshold(np.full(rows, 0.5), np.ones(rows, dtype=bool), np.arange(rows), threshold=0.6, seed=1)
        assert (found.rows, found.coverage, found.accuracy.value, found.lower_bound) == (0, 0.0, None, None)


def test_nan_confidence_is_refused_and_never_confident() -> None:
    confidence, hit, creators = case(100)
    confidence[:3] = np.nan
    with pytest.raises(ValueError, match="3 of 100 confidences are NaN"):
        confidence_threshold(confidence, hit, creators, seed=1)
    assert at_threshold(confidence, hit, creators, threshold=0.0, seed=1).rows == 97
