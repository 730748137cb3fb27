"""Splits: a function of the video, not of the run."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.tiers import tier_edges
from tiercast.learn.splits import order_keys, stratified_test_rows

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
