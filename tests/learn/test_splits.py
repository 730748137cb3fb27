"""Splits: by a hash, a function of the video and not of the run; by time, nothing known later than it counts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.tiers import tier_edges
from tiercast.learn.splits import TimeSplit, order_keys, stratified_test_rows, time_cuts, time_split

tier_lists = st.lists(st.integers(1, 5), min_size=1, max_size=300)


def identities(count: int, start: int = 0) -> list[tuple[str, str]]:
    return [("tiktok", str(7_498_897_212_299_136_274 + n)) for n in range(start, start + count)]


def sides(tiers: np.ndarray, names: list[tuple[str, str]], seed: int = 42) -> np.ndarray:
    return stratified_test_rows(tiers, order_keys(names, seed=seed), share=0.2)


@given(tier_lists, st.integers(0, 2**32), st.sampled_from([0.1, 0.2, 0.25, 0.5]))
@settings(deadline=None)
def test_each_tier_gives_its_rounded_share_to_the_test_side(tiers: list[int], seed: int, share: float) -> None:
    given_tiers = np.array(tiers)
    is_test = stratified_test_rows(given_tiers, order_keys(identities(len(tiers)), seed=seed), share=share)
    for tier in set(tiers):
        rows = int((given_tiers == tier).sum())
        assert int(is_test[given_tiers == tier].sum()) == int(np.floor(share * rows + 0.5))


@given(tier_lists, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_sides_do_not_depend_on_the_order_of_rows(tiers: list[int], random: object) -> None:
    names, given_tiers = identities(len(tiers)), np.array(tiers)
    order = list(range(len(tiers)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = sides(given_tiers[order], [names[place] for place in order])
    assert shuffled.tolist() == sides(given_tiers, names)[order].tolist()


def test_the_key_of_a_video_is_the_same_in_every_run() -> None:
    keys = order_keys([("tiktok", "7498897212299136274"), ("youtube", "dQw4w9WgXcQ")], seed=42)
    assert keys.tolist() == [15563574552101242986, 1590799646701241809]
    alone = order_keys([("youtube", "dQw4w9WgXcQ")], seed=42)
    assert alone.tolist() == [1590799646701241809]


def test_keys_differ_by_seed_platform_and_id_and_by_where_one_ends() -> None:
    names = [("tiktok", "12"), ("tiktok1", "2"), ("youtube", "12"), ("tiktok", "1")]
    keys = [*order_keys(names, seed=42).tolist(), *order_keys(names, seed=43).tolist()]
    assert len(set(keys)) == 8


def test_keys_are_uniform_enough_to_split_by() -> None:
    keys = order_keys(identities(20_000), seed=42) / 2**64
    tenths = np.histogram(keys, bins=10, range=(0, 1))[0]
    assert (abs(tenths - 2_000) < 5 * np.sqrt(2_000)).all()


def test_within_a_tier_adding_videos_moves_only_those_near_the_border() -> None:
    names, more = identities(1_000), identities(1_100)
    before, after = sides(np.ones(1_000, int), names), sides(np.ones(1_100, int), more)[:1_000]
    assert (before == after).mean() > 0.97
    assert before.sum() == 200


def test_from_week_to_week_nine_of_ten_videos_keep_their_side() -> None:
    rng = np.random.default_rng(7)
    views = np.rint(np.exp(rng.normal(9, 2, 12_000))).astype(np.int64) + 1
    names = identities(12_000)

    def week(first: int) -> tuple[list[tuple[str, str]], dict[tuple[str, str], bool]]:
        part, grown = names[first : first + 10_000], views[first : first + 10_000]
        edges = tier_edges(grown.tolist())
        is_test = sides(1 + (grown[:, None] > np.array(edges)).sum(axis=1), part)
        return part, dict(zip(part, is_test.tolist(), strict=True))

    (old, was), (new, now) = week(0), week(2_000)
    common = set(old) & set(new)
    assert len(common) == 8_000
    kept = np.mean([was[name] == now[name] for name in common])
    assert kept >= 0.97
    assert np.mean([now[name] for name in common if was[name]]) >= 0.90  # chance alone would leave 20 %


# By time ---------------------------------------------------------------------------------------------------------

HORIZON = 7
posted_and_delays = st.lists(st.tuples(st.integers(-20, 60), st.integers(0, 40)), max_size=80)
shares = st.sampled_from([0.05, 0.2, 0.25, 0.5, 1])
knowns = st.sampled_from(["strict", "as_scraped", "auto"])
Times = tuple[np.ndarray, np.ndarray]


def times(pairs: list[tuple[int, int]]) -> Times:
    """When each row was posted and when its label was observed."""
    posted = np.array([posted for posted, _ in pairs], dtype=np.int64)
    return posted, posted + np.array([delay for _, delay in pairs], dtype=np.int64)


def split(given_times: Times, share: float = 0.2, known: str = "strict", min_training: int = 1) -> TimeSplit:
    return time_split(*given_times, HORIZON, share=share, known=known, min_training=min_training)  # type: ignore[arg-type]


@given(posted_and_delays, shares, knowns, st.integers(0, 50))
@settings(deadline=None)
def test_no_training_label_is_known_after_the_test_begins(
    pairs: list[tuple[int, int]], share: float, known: str, min_training: int
) -> None:
    posted, observed = times(pairs)
    found = split((posted, observed), share, known, min_training)
    counted_from = observed if found.rule == "strict" else posted + HORIZON
    assert not (found.is_training & found.is_test).any()
    for row in np.flatnonzero(found.is_training):
        assert counted_from[row] <= found.test_begins_at
        assert posted[row] < found.test_begins_at
    for row in np.flatnonzero(~found.is_training & ~found.is_test):
        assert counted_from[row] > found.test_begins_at


@given(posted_and_delays, shares)
@settings(deadline=None)
def test_the_newest_share_tests_and_equal_times_are_never_torn_apart(
    pairs: list[tuple[int, int]], share: float
) -> None:
    posted, observed = times(pairs)
    found = split((posted, observed), share)
    older, newer = posted[~found.is_test], posted[found.is_test]
    assert not set(older.tolist()) & set(newer.tolist())
    if len(posted):
        wanted = max(1, int(np.floor(share * len(posted) + 0.5)))
        assert found.test_begins_at == newer.min() == np.sort(posted)[len(posted) - wanted]
        assert (older < newer.min()).all()
        assert len(newer) - (newer == newer.min()).sum() < wanted <= len(newer)


@given(posted_and_delays, shares, st.integers(0, 50))
@settings(deadline=None)
def test_auto_falls_back_only_where_strict_leaves_too_few(
    pairs: list[tuple[int, int]], share: float, min_training: int
) -> None:
    strict, as_scraped, auto = (split(times(pairs), share, k, min_training) for k in ("strict", "as_scraped", "auto"))
    assert (strict.rule, as_scraped.rule) == ("strict", "as_scraped")
    gains = as_scraped.is_training.sum() > strict.is_training.sum()
    assert auto.rule == ("as_scraped" if strict.is_training.sum() < min_training and gains else "strict")
    assert auto.is_training.tolist() == (strict if auto.rule == "strict" else as_scraped).is_training.tolist()
    for found in (strict, as_scraped, auto):
        assert (found.left_strict, found.left_as_scraped) == (strict.is_training.sum(), as_scraped.is_training.sum())
        assert found.is_test.tolist() == strict.is_test.tolist()


@given(posted_and_delays, shares, knowns, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_sides_in_time_do_not_depend_on_the_order_of_rows(
    pairs: list[tuple[int, int]], share: float, known: str, random: object
) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight, shuffled = split(times(pairs), share, known), split(times([pairs[n] for n in order]), share, known)
    assert shuffled.is_test.tolist() == [bool(straight.is_test[n]) for n in order]
    assert shuffled.is_training.tolist() == [bool(straight.is_training[n]) for n in order]


@pytest.mark.parametrize(("min_training", "rule"), [(4, "strict"), (5, "as_scraped")])
def test_auto_stays_strict_down_to_the_last_row_that_is_needed(min_training: int, rule: str) -> None:
    delayed = times([(0, 5), (1, 5), (2, 38), (3, 38), (4, 5), (40, 5)])  # the third is known just as the test begins
    found = split(delayed, known="auto", min_training=min_training)
    assert (found.rule, found.left_strict, found.left_as_scraped) == (rule, 4, 5)
    assert found.is_training.tolist() == [True, True, True, rule != "strict", True, False]


def test_a_label_known_just_as_the_test_begins_trains() -> None:
    assert split(times([(0, 10), (1, 10), (10, 1)])).is_training.tolist() == [True, False, False]
    as_scraped = split(times([(3, 99), (4, 99), (10, 1)]), known="as_scraped")
    assert as_scraped.is_training.tolist() == [True, False, False]


def test_no_rows_split_into_nothing() -> None:
    found = split(times([]), known="auto")
    assert (found.is_training.shape, found.is_test.shape, found.test_begins_at) == ((0,), (0,), None)
    assert (found.left_strict, found.left_as_scraped) == (0, 0)
    assert time_cuts(*times([]), n_cuts=3, first_share=0.5) == []


def test_rows_posted_all_at_once_all_test() -> None:
    found = split(times([(5, 0)] * 10))
    assert found.is_test.all()
    assert found.test_begins_at == 5
    assert time_cuts(*times([(5, 0)] * 10), n_cuts=3, first_share=0.5) == []


@given(posted_and_delays, st.integers(1, 5), st.sampled_from([0, 0.3, 0.5, 1]))
@settings(deadline=None)
def test_a_cut_judges_what_was_posted_after_all_it_knew(
    pairs: list[tuple[int, int]], n_cuts: int, first_share: float
) -> None:
    posted, known = times(pairs)
    cuts = time_cuts(posted, known, n_cuts=n_cuts, first_share=first_share)
    assert len(cuts) <= n_cuts
    for fit, judge in cuts:
        begins_at = posted[judge].min()
        assert len(fit)
        assert len(judge)
        assert fit.tolist() == [n for n in range(len(posted)) if posted[n] < begins_at and known[n] <= begins_at]
        assert judge.tolist() == sorted(judge.tolist())
    for (_, earlier), (_, later) in pairwise(cuts):
        assert posted[earlier].max() < posted[later].min()


@given(posted_and_delays, st.integers(1, 5), st.sampled_from([0.3, 0.5]))
@settings(deadline=None)
def test_cuts_tear_no_equal_times_apart_and_never_judge_the_first_share(
    pairs: list[tuple[int, int]], n_cuts: int, first_share: float
) -> None:
    posted, known = times(pairs)
    judged = [set(judge.tolist()) for _, judge in time_cuts(posted, known, n_cuts=n_cuts, first_share=first_share)]
    for rows in judged:
        assert rows == {n for n in range(len(posted)) if posted[n] in posted[list(rows)]}
    first = np.argsort(posted, kind="stable")[: int(np.floor(first_share * len(posted) + 0.5))].tolist()
    assert not set(first) & set().union(*judged)


@given(st.integers(1, 100), st.integers(1, 6), st.sampled_from([0.25, 0.5]), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_blocks_of_different_times_are_equal_to_one_row_and_judge_all_the_rest(
    n_rows: int, n_cuts: int, first_share: float, random: object
) -> None:
    posted = list(range(n_rows))
    random.shuffle(posted)  # type: ignore[attr-defined]
    times_now = np.array(posted)
    cuts = time_cuts(times_now, times_now, n_cuts=n_cuts, first_share=first_share)
    first = int(np.floor(first_share * n_rows + 0.5))
    if first and n_rows - first >= n_cuts:
        sizes = [len(judge) for _, judge in cuts]
        assert len(sizes) == n_cuts
        assert max(sizes) - min(sizes) <= 1
        assert sorted(times_now[np.concatenate([judge for _, judge in cuts])].tolist()) == list(range(first, n_rows))


def test_a_cut_without_a_label_known_in_time_is_left_out() -> None:
    late = times([(0, 4), (1, 4), (2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (7, 4)])
    cuts = time_cuts(*late, n_cuts=3, first_share=0.25)
    assert [(fit.tolist(), judge.tolist()) for fit, judge in cuts] == [([0], [4, 5]), ([0, 1, 2], [6, 7])]
