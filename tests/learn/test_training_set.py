"""Weights of tiers, and the fingerprint and ranges of a training set."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.learn.models import Inputs
from tiercast.learn.recipes import Fold
from tiercast.learn.references import TierReference
from tiercast.learn.training_set import MIN_CUTS, N_CUTS, Timing, TrainingSet, tier_weights

X = np.linspace(0, 1, 60).reshape(4, 15)
SET = TrainingSet(
    moment=Moment.OBSERVED,
    inputs=Inputs(X, np.tile(np.log([2.5, 21.5, 31.5, 41.5]), (4, 1)), np.zeros(4)),
    unknown=np.zeros((4, 15), dtype=bool),
    tiers=np.array([1, 2, 2, 5]),
    weights=np.array([0.5, 0.6, 0.7, 0.8]),
    is_test=np.array([False, False, True, False]),
    identities=[("tiktok", "1"), ("tiktok", "2"), ("youtube", "3"), ("tiktok", "4")],
    creators=np.array([1, 1, 2, 3]),
    label="views",
    views=np.array([1, 20, 30, 500]),
    reference=TierReference(RelativeTo.ALL, {"all": (1, 20, 30, 40)}),
)


def showing(other: np.ndarray) -> TrainingSet:
    """The set with other features."""
    return replace(SET, inputs=replace(SET.inputs, X=other))


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
    training, test = SET.rows(test=False), SET.rows(test=True)
    assert (SET.numbers(test=False).tolist(), SET.numbers(test=True).tolist()) == ([0, 1, 3], [2])
    assert (training.inputs.X.tolist(), test.inputs.X.tolist()) == (X[[0, 1, 3]].tolist(), X[[2]].tolist())
    assert (training.tiers.tolist(), test.tiers.tolist()) == ([1, 2, 5], [2])
    assert (training.weights.tolist(), test.weights.tolist()) == ([0.5, 0.6, 0.8], [0.7])
    assert training.log_views is not None
    assert training.log_views.tolist() == np.log1p([1.0, 20.0, 500.0]).tolist()
    assert replace(SET, views=None).rows(test=True).log_views is None
    assert (SET.n_videos, SET.tier_distribution) == (4, (1, 2, 0, 0, 1))


def test_the_edges_over_all_videos_are_those_of_the_reference() -> None:
    assert SET.tier_edges == (1, 20, 30, 40)
    assert replace(SET, reference=None, label="given").tier_edges is None


def test_the_share_of_unknown_is_counted_on_training_rows() -> None:
    unknown = SET.unknown.copy()
    unknown[2], unknown[0, 0] = True, True
    assert replace(SET, unknown=unknown).missing_shares().tolist() == [1 / 3, *[0.0] * 14]


def test_a_fingerprint_counts_its_side_and_does_not_see_the_other() -> None:
    training, test = SET.fingerprint(test=False), SET.fingerprint(test=True)
    assert (training.rows, test.rows) == (3, 1)
    other = showing(X + np.array([[0], [0], [1e-12], [0]]))
    assert other.fingerprint(test=False) == training
    assert other.fingerprint(test=True) != test


@pytest.mark.parametrize(
    "changed",
    [
        replace(SET, tiers=np.array([1, 3, 2, 5])),
        showing(X * (1 + 1e-15)),
        replace(SET, views=np.array([1, 21, 30, 500])),
        replace(SET, identities=[("tiktok", "1"), ("tiktok", "9"), ("youtube", "3"), ("tiktok", "4")]),
        replace(SET, identities=[("tiktok", "1"), ("tiktok2", ""), ("youtube", "3"), ("tiktok", "4")]),
        replace(SET, is_test=np.array([False, True, True, False])),
    ],
)
def test_a_fingerprint_changes_with_identities_features_tiers_views_and_sides(changed: TrainingSet) -> None:
    assert changed.fingerprint(test=False) != SET.fingerprint(test=False)


def test_the_range_of_log_views_is_that_of_the_training_rows() -> None:
    assert SET.log_views_range() == pytest.approx((0.0, np.log(500)))
    assert replace(SET, views=None, label="given").log_views_range() is None


DAY = 86_400_000_000
"""Microseconds."""


def dated(rows: int, *, known_after: int = 7 * DAY, tests: int = 0) -> TrainingSet:
    """One post an hour, its label known so long after posting; the newest test, the rest in another order."""
    posted = np.random.default_rng(5).permutation(rows) * (DAY // 24)
    return TrainingSet(
        moment=Moment.DRAFT,
        inputs=Inputs(np.zeros((rows, 3))),
        unknown=np.zeros((rows, 3), dtype=bool),
        tiers=1 + np.arange(rows) % 5,
        weights=np.ones(rows),
        is_test=posted >= (rows - tests) * (DAY // 24),
        identities=[("tiktok", str(row)) for row in range(rows)],
        creators=np.arange(rows),
        label="views",
        timing=Timing(posted, posted + known_after, (posted + 7 * DAY,)),
    )


def judged_together(folds: list[Fold]) -> list[int]:
    return sorted(np.concatenate([fold.judge for fold in folds]).tolist())


def test_rows_with_times_are_judged_by_what_was_known_when_each_block_began() -> None:
    training_set = dated(2_000, tests=400)
    assert training_set.timing is not None
    own = training_set.numbers(test=False)
    posted, known = training_set.timing.posted_at[own], training_set.timing.known_at[own]
    folds = training_set.folds(seed=42)
    assert len(folds) == N_CUTS
    assert judged_together(folds) == np.flatnonzero(posted >= np.sort(posted)[800]).tolist()  # the newer half
    for fold in folds:
        begins = posted[fold.judge].min()
        assert known[fold.fit].max() <= begins
        assert posted[fold.fit].max() < begins
    begins = [posted[fold.judge].min() for fold in folds]
    assert begins == sorted(begins)


def test_no_fold_knows_a_test_row() -> None:
    training_set = dated(2_000, tests=400)
    numbers = [row for fold in training_set.folds(seed=42) for row in (*fold.fit.tolist(), *fold.judge.tolist())]
    assert max(numbers) < len(training_set.numbers(test=False)) == 1_600


def test_a_tier_that_only_test_rows_have_is_none_to_fit_on() -> None:
    training_set = dated(2_000, tests=400)
    unseen = np.where(training_set.is_test, 5, np.minimum(training_set.tiers, 4))
    assert replace(training_set, tiers=unseen).folds(seed=42) == []


def test_labels_that_all_came_with_one_late_scrape_count_from_the_horizon_on() -> None:
    late = dated(2_000, known_after=0)
    assert late.timing is not None
    scrape = np.full(2_000, late.timing.posted_at.max() + DAY)
    once = replace(late, timing=replace(late.timing, known_at=scrape))
    at_horizon = replace(late, timing=replace(late.timing, known_at=late.timing.posted_at + 7 * DAY))
    found, expected = once.folds(seed=42), at_horizon.folds(seed=42)
    assert len(found) == N_CUTS
    assert [fold.fit.tolist() for fold in found] == [fold.fit.tolist() for fold in expected]
    assert [fold.judge.tolist() for fold in found] == [fold.judge.tolist() for fold in expected]
    assert once.falls_back()
    assert not at_horizon.falls_back()


def test_strict_labels_that_came_too_late_give_no_folds() -> None:
    late = dated(2_000, known_after=0)
    assert late.timing is not None
    scrape = np.full(2_000, late.timing.posted_at.max() + DAY)
    strict = replace(late, timing=replace(late.timing, known_at=scrape, otherwise_known_at=()))
    assert strict.folds(seed=42) == []


def test_videos_that_span_no_more_than_the_horizon_are_judged_by_posting_only_where_that_is_allowed() -> None:
    short = dated(7 * 24, known_after=30 * DAY)  # a week of posts, none of which had its label within it
    own = replace(short, tiers=1 + np.arange(7 * 24) % 5)
    assert own.folds(seed=42) == []
    assert own.timing is not None
    posted = own.timing.posted_at
    by_posting = replace(own, timing=replace(own.timing, otherwise_known_at=(posted + 7 * DAY, posted)))
    assert len(by_posting.folds(seed=42)) >= MIN_CUTS
    assert by_posting.falls_back()
    for fold in by_posting.folds(seed=42):
        assert posted[fold.fit].max() < posted[fold.judge].min()


def test_rows_without_times_are_judged_by_three_folds_drawn_by_tier() -> None:
    training_set = replace(dated(2_000), timing=None)
    folds = training_set.folds(seed=42)
    assert len(folds) == 3
    assert judged_together(folds) == list(range(2_000))
    for fold in folds:
        assert np.bincount(training_set.tiers[fold.judge])[1:] == pytest.approx([400 / 3] * 5, abs=1)


@pytest.mark.parametrize(("rows", "fits"), [(200, [100, 125, 150, 175]), (198, [123, 148, 173]), (120, [105]), (9, [])])
def test_a_block_is_judged_where_the_rows_before_it_are_enough(rows: int, fits: list[int]) -> None:
    known_at_once = dated(rows, known_after=0)
    expected = fits if len(fits) >= MIN_CUTS else []  # one block alone tells nothing of time
    assert [len(fold.fit) for fold in known_at_once.folds(seed=42)] == expected


def test_a_block_before_which_a_tier_never_came_is_not_judged() -> None:
    training_set = dated(400, known_after=0)
    assert training_set.timing is not None
    late = training_set.timing.posted_at > np.sort(training_set.timing.posted_at)[220]
    rare = replace(training_set, tiers=np.where((training_set.tiers == 3) & ~late, 2, training_set.tiers))
    assert [len(fold.fit) for fold in training_set.folds(seed=42)] == [200, 250, 300, 350]
    assert [len(fold.fit) for fold in rare.folds(seed=42)] == [250, 300, 350]
