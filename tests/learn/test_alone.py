"""What a single feature tells by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.alone import BINS, names_alone

NAN = np.nan


def fifths(count: int = 1_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Views and the tiers that they are cut into."""
    views = np.random.default_rng(seed).lognormal(9, 1.3, count)
    return views, 1 + np.searchsorted(np.quantile(views, [0.2, 0.4, 0.6, 0.8]), views)


@pytest.mark.parametrize("disguise", [np.log, lambda x: -x, lambda x: x**3, lambda x: 1 / x])
def test_a_feature_computed_from_views_names_nearly_every_tier(disguise) -> None:  # type: ignore[no-untyped-def]
    views, tiers = fifths(2_000)
    training, test = slice(1_600), slice(1_600, None)
    column = disguise(views)
    named = names_alone(column[training], tiers[training], column[test])
    assert named is not None
    assert (named == tiers[test]).mean() > 0.93


def test_a_feature_that_is_unknown_for_some_tiers_only_is_a_leak_too() -> None:
    _, tiers = fifths()
    column = np.where(tiers > 3, NAN, 1.0)
    named = names_alone(column, tiers, column)
    assert named is not None
    assert {*named[tiers > 3].tolist()} <= {4, 5}
    assert (named == tiers).mean() == pytest.approx(0.4, abs=0.01)


def test_noise_names_about_a_fifth_of_rows_it_has_not_seen() -> None:
    _, tiers = fifths(4_000)
    noise = np.random.default_rng(2).random(4_000)
    named = names_alone(noise[:3_000], tiers[:3_000], noise[3_000:])
    assert named is not None
    assert (named == tiers[3_000:]).mean() == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("column", [np.full(50, NAN), np.full(50, 3.0)])
def test_a_column_that_never_varies_tells_nothing(column: np.ndarray) -> None:
    assert names_alone(column, fifths(50)[1], column) is None


def test_a_value_that_training_never_showed_is_of_the_nearest_bin_and_an_empty_bin_says_what_all_say() -> None:
    tiers = np.array([1] * 60 + [5] * 40)
    column = np.arange(100.0)
    named = names_alone(column, tiers, np.array([-1e9, 1e9, NAN]))
    assert named is not None
    assert named.tolist() == [1, 5, 1]  # no training row was unknown: the commonest tier of all


@given(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=5, max_size=200), st.integers(0, 9))
@settings(deadline=None, max_examples=60)
def test_any_column_names_tiers_that_exist_for_each_row(column: list[float], seed: int) -> None:
    values = np.array(column)
    tiers = np.random.default_rng(seed).integers(1, 6, len(values))
    named = names_alone(values, tiers, np.append(values, [0.0, NAN]))
    if named is not None:
        assert named.shape == (len(values) + 2,)
        assert {*named.tolist()} <= {*tiers.tolist()}


def test_bins_are_few_enough_for_rows_to_speak_for_each_other() -> None:
    """With as many bins as rows a column of noise would name its own training rows rightly."""
    _, tiers = fifths(2_000)
    noise = np.random.default_rng(3).random(2_000)
    named = names_alone(noise, tiers, noise)
    assert named is not None
    assert (named == tiers).mean() < 0.35
    assert BINS == 64
