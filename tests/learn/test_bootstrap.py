"""Resampling creators, against rows that are literally drawn, against theory, and where it must stay silent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.bootstrap import (
    Bounds,
    Resamples,
    effective_number,
    interval,
    lower_bound,
    upper_bound,
)
from tiercast.learn.metrics import wilson_interval


def drawn_rows(resamples: Resamples, index: int) -> np.ndarray:
    """The rows of one resample, each as often as its creator was drawn."""
    return np.repeat(np.arange(len(resamples.codes)), resamples.weights[index, resamples.codes])


def width(found: Bounds | None) -> float:
    assert found is not None
    return found.interval[1] - found.interval[0]


def test_each_resample_draws_as_many_creators_as_there_are() -> None:
    resamples = Resamples.draw(np.arange(300) // 3, n=200, seed=1)
    assert resamples.weights.shape == (200, 100)
    assert (resamples.weights.sum(axis=1) == 100).all()
    assert resamples.weights.mean(axis=0) == pytest.approx(1, abs=0.3)
    assert resamples.weights.astype(float).var() == pytest.approx(0.99, abs=0.05)  # multinomial: 1 - 1/100


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    creators = np.arange(60) // 2
    first, again, other = (Resamples.draw(creators, n=50, seed=seed).weights for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_creators_may_carry_any_numbers() -> None:
    plain, odd = (Resamples.draw(c, n=20, seed=1) for c in (np.array([0, 1, 1, 2]), np.array([-7, 40, 40, 10**12])))
    assert odd.codes.tolist() == plain.codes.tolist() == [0, 1, 1, 2]
    assert (odd.weights == plain.weights).all()


def test_weights_of_five_thousand_creators_are_held_in_five_megabytes() -> None:
    assert Resamples.draw(np.arange(5_000), seed=1).weights.nbytes == 5_000_000


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-9, 9)), min_size=1, max_size=40), st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_totals_and_means_are_those_of_the_rows_drawn(rows: list[tuple[int, float]], seed: int) -> None:
    values = np.array([value for _, value in rows])
    resamples = Resamples.draw(np.array([creator for creator, _ in rows]), n=15, seed=seed)
    drawn = [drawn_rows(resamples, index) for index in range(15)]
    totals = resamples.totals(np.column_stack([values, values**2]))
    assert totals[:, 0] == pytest.approx([values[part].sum() for part in drawn], abs=1e-9)
    assert totals[:, 1] == pytest.approx([(values[part] ** 2).sum() for part in drawn], abs=1e-9)
    assert resamples.means(values) == pytest.approx([values[part].mean() for part in drawn], abs=1e-9)


def test_a_part_of_the_rows_keeps_its_resamples_and_is_unknown_where_it_was_not_drawn() -> None:
    creators, inside = np.array([0, 0, 1, 2, 2, 2]), np.array([False, False, True, False, True, False])
    whole = Resamples.draw(creators, n=40, seed=3)
    means = whole.among(inside).means(np.array([10.0, 20.0]))
    for index, found in enumerate(means):
        times = whole.weights[index, [1, 2]].astype(float)
        expected = np.nan if times.sum() == 0 else (times @ [10, 20]) / times.sum()
        assert found == pytest.approx(expected, nan_ok=True)
    assert np.isnan(means).any()


def test_blocks_are_the_weights_in_order() -> None:
    resamples = Resamples.draw(np.arange(30), n=70, seed=1)
    blocks = list(resamples.blocks(1_000_000))
    assert len(blocks) == 18
    assert (np.concatenate(blocks) == resamples.weights).all()


def test_the_bounds_are_percentiles() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1_001.0))
    assert interval(values) == (25, 975)
    assert (lower_bound(values), upper_bound(values)) == (50, 950)


@pytest.mark.parametrize(("unknown", "known"), [(0, True), (50, True), (51, False), (1_000, False)])
def test_up_to_five_percent_of_nan_is_left_out_and_more_makes_the_bounds_unknown(unknown: int, known: bool) -> None:
    values = np.random.default_rng(1).normal(size=1_000)
    expected = interval(values[unknown:])
    values[:unknown] = np.nan
    assert interval(values) == (expected if known else None)
    assert (lower_bound(values) is not None) == (upper_bound(values) is not None) == known


def test_no_resamples_have_no_bounds() -> None:
    nothing = np.array([])
    assert interval(nothing) is lower_bound(nothing) is upper_bound(nothing) is None


def test_one_dominant_creator_counts_as_hardly_more_than_one() -> None:
    assert effective_number(np.array([4, 4, 4, 4])) == 4
    assert 1 < effective_number(np.array([500, *[1] * 20])) < 1.1
    assert effective_number(np.array([], dtype=np.int64)) == 0


@pytest.mark.parametrize(
    "creators",
    [
        pytest.param(np.zeros(500, dtype=np.int64), id="one creator"),
        pytest.param(np.arange(450) % 9, id="nine creators"),
        pytest.param(np.concatenate([np.zeros(400), np.arange(50)]).astype(np.int64), id="one of 50 has most rows"),
        pytest.param(np.array([], dtype=np.int64), id="nobody"),
    ],
)
def test_too_few_creators_have_no_bounds_however_many_rows(creators: np.ndarray) -> None:
    resamples = Resamples.draw(creators, n=100, seed=1)
    values = np.random.default_rng(1).random(len(creators))
    assert resamples.mean_bounds(values) is None
    assert resamples.share_bounds(values > 0.5) is None
    assert resamples.share_bounds(values >= 0) is None


def test_the_bounds_of_a_mean_are_those_of_theory_where_each_creator_has_one_video() -> None:
    values = np.random.default_rng(4).normal(3, 2, 1_000)
    found = Resamples.draw(np.arange(1_000), n=4_000, seed=1).mean_bounds(values)
    error = values.std() / np.sqrt(1_000)
    assert found is not None
    assert found.interval == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.01)
    assert (found.lower, found.upper) == pytest.approx(
        (values.mean() - 1.645 * error, values.mean() + 1.645 * error), abs=0.01
    )


def test_intervals_are_wider_than_wilsons_where_videos_of_a_creator_agree() -> None:
    rng = np.random.default_rng(2)
    creators = np.repeat(np.arange(200), 10)
    agreeing, independent = (rng.random(200) < 0.6)[creators], rng.random(2_000) < 0.6
    resamples = Resamples.draw(creators, seed=1)
    for hit, expected in ((agreeing, np.sqrt(10)), (independent, 1.0)):  # ten that agree tell as much as one
        wilson = wilson_interval(int(hit.sum()), 2_000)
        assert wilson is not None
        assert width(resamples.share_bounds(hit)) / (wilson[1] - wilson[0]) == pytest.approx(expected, rel=0.15)


def test_intervals_hold_the_truth_as_often_as_they_say_where_videos_of_a_creator_agree() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for seed in range(200):
        creators = rng.integers(0, 80, 400)
        hit = rng.random(400) < rng.beta(3, 2, 80)[creators]  # true share .6
        found = Resamples.draw(creators, n=400, seed=seed).share_bounds(hit)
        held += found is not None and found.interval[0] <= 0.6 <= found.interval[1]
    assert 0.90 <= held / 200 <= 0.98


def test_a_paired_difference_is_far_narrower_than_the_figures_it_compares() -> None:
    rng = np.random.default_rng(6)
    creators = np.repeat(np.arange(100), 5)
    hardness = rng.gamma(2, 0.5, 100)[creators]
    first, second = hardness + rng.normal(0, 0.05, 500), hardness + 0.05 + rng.normal(0, 0.05, 500)
    resamples = Resamples.draw(creators, seed=1)
    difference = resamples.mean_bounds(second - first)
    assert difference is not None
    assert 0.03 < difference.lower < 0.05 < difference.upper < 0.07
    assert width(difference) < width(resamples.mean_bounds(first)) / 10


def test_forecasts_that_never_differ_differ_by_exactly_nothing() -> None:
    found = Resamples.draw(np.arange(100), n=50, seed=1).mean_bounds(np.zeros(100))
    assert found == Bounds(0.0, 0.0, (0.0, 0.0))


def test_a_share_of_all_or_no_rows_is_never_certain() -> None:
    resamples = Resamples.draw(np.repeat(np.arange(20), 50), n=100, seed=1)
    everything, nothing = (resamples.share_bounds(np.full(1_000, hit)) for hit in (True, False))
    assert everything is not None
    assert nothing is not None
    assert everything.lower == pytest.approx(0.05 ** (1 / 20))
    assert everything.interval == pytest.approx((0.025 ** (1 / 20), 1.0))
    assert (nothing.lower, nothing.upper) == pytest.approx((0.0, 1 - everything.lower))
    assert nothing.interval == pytest.approx((0.0, 1 - everything.interval[0]))


def test_a_value_that_is_nan_leaves_no_bounds() -> None:
    values = np.arange(100.0)
    values[3] = np.nan
    assert Resamples.draw(np.arange(100), n=100, seed=1).mean_bounds(values) is None


@given(st.integers(0, 1_000))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    creators, values, order = rng.integers(0, 40, 120), rng.normal(size=120), rng.permutation(120)
    first = Resamples.draw(creators, n=100, seed=seed).mean_bounds(values)
    second = Resamples.draw(creators[order], n=100, seed=seed).mean_bounds(values[order])
    assert first is not None
    assert second is not None
    assert (*first.interval, first.lower) == pytest.approx((*second.interval, second.lower))


def test_a_quantile_is_a_bound_at_any_level_and_unknown_where_bounds_are() -> None:
    values = np.random.default_rng(1).normal(size=200)
    resamples = Resamples.draw(np.arange(200) // 2, seed=1)
    means, bounds = resamples.means(values), resamples.mean_bounds(values)
    assert bounds is not None
    assert resamples.quantile(means, 0.05) == bounds.lower
    assert resamples.quantile(means, 0.95) == bounds.upper
    levels = [resamples.quantile(means, share) for share in (0.01, 0.05, 0.5, 0.95, 0.99)]
    assert levels == sorted(levels)  # type: ignore[type-var]
    few = Resamples.draw(np.arange(200) % 9, seed=1)
    assert few.quantile(few.means(values), 0.05) is None
    assert resamples.quantile(np.full(1_000, np.nan), 0.05) is None
