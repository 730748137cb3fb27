"""Tier edges, tiers and scores, against NumPy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.core.tiers import N_TIERS, TIERS, score, tier_edges, tier_of

views_lists = st.one_of(
    st.lists(st.integers(0, 2**40), min_size=1, max_size=200),
    st.lists(st.integers(0, 3), min_size=1, max_size=200),  # heavy ties
)


@given(views_lists)
def test_edges_are_the_lower_percentiles_of_numpy(views: list[int]) -> None:
    expected = np.percentile(np.array(views), [20, 40, 60, 80], method="lower")
    assert tier_edges(views) == tuple(expected.tolist())


@given(views_lists, st.randoms(use_true_random=False))
def test_edges_do_not_depend_on_the_order_of_the_videos(views: list[int], random: object) -> None:
    shuffled = list(views)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tier_edges(shuffled) == tier_edges(views)


@given(st.sets(st.integers(0, 10**9), min_size=5, max_size=300))
def test_without_ties_tiers_differ_by_two_videos_at_most(views: set[int]) -> None:
    edges = tier_edges(sorted(views))
    sizes = [sum(tier_of(v, edges) == tier for v in views) for tier in TIERS]
    assert max(sizes) - min(sizes) <= 2
    assert sum(sizes) == len(views)


def test_heavy_ties_leave_tiers_empty() -> None:
    edges = tier_edges([7] * 90 + [9] * 10)
    assert edges == (7, 7, 7, 7)
    assert {tier_of(views, edges) for views in (7, 9)} == {1, 5}


def test_a_percentile_that_falls_on_a_whole_position_is_that_position() -> None:
    assert tier_edges(range(101)) == (20, 40, 60, 80)
    assert tier_edges([5]) == (5, 5, 5, 5)


def test_edges_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one video"):
        tier_edges([])


@given(st.integers(0, 2**40), views_lists)
def test_a_tier_counts_the_edges_that_are_exceeded(views: int, others: list[int]) -> None:
    edges = tier_edges(others)
    assert tier_of(views, edges) == 1 + int(np.searchsorted(np.array(edges), views, side="left"))
    assert tier_of(views, edges) <= tier_of(views + 1, edges) <= N_TIERS


@pytest.mark.parametrize(("tier", "midpoint"), [(1, 12.5), (2, 35.0), (3, 55.0), (4, 72.5), (5, 90.0)])
def test_a_certain_tier_scores_its_midpoint(tier: int, midpoint: float) -> None:
    assert score([float(t == tier) for t in TIERS]) == midpoint


def test_a_score_is_the_expected_midpoint_to_one_decimal() -> None:
    assert score((0.1, 0.2, 0.3, 0.25, 0.15)) == 56.4  # 1.25 + 7 + 16.5 + 18.125 + 13.5 = 56.375


def test_a_score_needs_five_probabilities() -> None:
    with pytest.raises(ValueError, match="longer"):
        score((0.5, 0.5))
