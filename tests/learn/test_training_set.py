"""Weights of tiers, and the fingerprint and ranges of a training set."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.training_set import TrainingSet, tier_weights

SET = TrainingSet(
    X=np.linspace(0, 1, 60).reshape(4, 15),
    unknown=np.zeros((4, 15), dtype=bool),
    tiers=np.array([1, 2, 2, 5]),
    is_test=np.array([False, False, True, False]),
    identities=[("tiktok", "1"), ("tiktok", "2"), ("youtube", "3"), ("tiktok", "4")],
    label="views",
    held={},
    views=np.array([1, 20, 30, 500]),
    tier_edges=(1, 20, 30, 40),
    newest_video_at=None,
)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=300))
@settings(deadline=None)
def test_no_tier_weighs_more_than_three_times_the_lightest(tiers: list[int]) -> None:
    weights = tier_weights(np.array(tiers))
    assert weights.shape == (len(tiers),)
    assert (weights > 0).all()
    assert weights.max() <= 3 * weights.min() * (1 + 1e-12)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=300))
@settings(deadline=None)
def test_below_the_cap_every_tier_weighs_the_same_in_sum(tiers: list[int]) -> None:
    given_tiers = np.array(tiers)
    weights, present = tier_weights(given_tiers), sorted(set(tiers))
    sums = [weights[given_tiers == tier].sum() for tier in present]
    uncapped = [tier for tier in present if weights[given_tiers == tier][0] < 3 * weights.min() * (1 - 1e-12)]
    assert [sums[present.index(tier)] for tier in uncapped] == pytest.approx([len(tiers) / 5] * len(uncapped))


def test_a_rare_tier_is_capped_and_equal_tiers_all_weigh_one() -> None:
    weights = tier_weights(np.array([1] * 100 + [2]))
    assert weights[-1] == 3 * weights[0]
    assert tier_weights(np.array([1, 2, 3, 4, 5] * 4)).tolist() == [1.0] * 20


def test_both_sides_together_are_all_rows() -> None:
    (X, tiers), (X_test, tiers_test) = SET.side(test=False), SET.side(test=True)
    assert (X.shape, X_test.shape) == ((3, 15), (1, 15))
    assert (tiers.tolist(), tiers_test.tolist()) == ([1, 2, 5], [2])
    assert (SET.n_videos, SET.tier_distribution) == (4, (1, 2, 0, 0, 1))


def test_a_fingerprint_counts_its_side_and_does_not_see_the_other() -> None:
    training, test = SET.fingerprint(test=False), SET.fingerprint(test=True)
    assert (training.rows, test.rows) == (3, 1)
    other = replace(SET, X=SET.X + np.array([[0], [0], [1e-12], [0]]))
    assert other.fingerprint(test=False) == training
    assert other.fingerprint(test=True) != test


@pytest.mark.parametrize(
    "changed",
    [
        replace(SET, tiers=np.array([1, 3, 2, 5])),
        replace(SET, X=SET.X * (1 + 1e-15)),
        replace(SET, identities=[("tiktok", "1"), ("tiktok", "9"), ("youtube", "3"), ("tiktok", "4")]),
        replace(SET, identities=[("tiktok", "1"), ("tiktok2", ""), ("youtube", "3"), ("tiktok", "4")]),
        replace(SET, is_test=np.array([False, True, True, False])),
    ],
)
def test_a_fingerprint_changes_with_identities_features_tiers_and_sides(changed: TrainingSet) -> None:
    assert changed.fingerprint(test=False) != SET.fingerprint(test=False)


def test_the_range_of_log_views_is_that_of_the_training_rows() -> None:
    assert SET.log_views_range() == pytest.approx((0.0, np.log(500)))
    assert replace(SET, views=None, label="given").log_views_range() is None
