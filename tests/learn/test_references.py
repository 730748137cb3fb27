"""What tiers are relative to: everybody, a platform, a cohort, or the creator's own usual views."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.canonical import canonical_json
from tiercast.core.tiers import RelativeTo, tier_edges, tier_of
from tiercast.learn.references import (
    ALL,
    BAND_NAMES,
    FOLLOWER_BANDS,
    Standpoint,
    TierReference,
    cut_reference,
    log_edges,
)

RELATIVE = pytest.mark.parametrize("relative_to", RelativeTo)
NAN = float("nan")


def standpoint(
    platforms: list[str], *, followers: object = NAN, usual: object = NAN, posts: object = 0.0
) -> Standpoint:
    """Rows of these platforms; anything else the same for each row, or one value a row."""
    full = [
        np.broadcast_to(np.asarray(part, dtype=np.float64), (len(platforms),)) for part in (followers, usual, posts)
    ]
    return Standpoint(platforms, *full)


def store(count: int = 3_000, seed: int = 5) -> tuple[np.ndarray, Standpoint]:
    """Three platforms of unlike sizes, followers from none to millions, creators with and without earlier posts."""
    rng = np.random.default_rng(seed)
    platforms = rng.choice(["tiktok", "youtube", "instagram"], count, p=[0.6, 0.38, 0.02]).tolist()
    followers = np.exp(rng.uniform(4, 16, count))
    usual = rng.uniform(4, 12, count)
    factor = np.array([{"tiktok": 0.0, "youtube": -2.0, "instagram": 1.0}[platform] for platform in platforms])
    views = 1 + np.exp(usual + factor + rng.normal(0, 1, count)).astype(np.int64)
    followers[rng.random(count) < 0.1] = NAN
    posts = rng.integers(0, 10, count).astype(np.float64)
    usual[posts == 0] = NAN
    return views, Standpoint(platforms, followers, usual, posts)


def cut(relative_to: RelativeTo, *, min_cohort: int = 100, min_posts: int = 3) -> TierReference:
    views, rows = store()
    return cut_reference(views, rows, relative_to, min_cohort=min_cohort, min_posts=min_posts)


# all


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.lists(st.integers(0, 10**9), min_size=1))
@settings(deadline=None)
def test_tiers_over_all_are_those_of_the_core(training: list[int], asked: list[int]) -> None:
    reference = cut_reference(
        np.array(training), standpoint(["tiktok"] * len(training)), RelativeTo.ALL, min_cohort=1, min_posts=0
    )
    edges = tier_edges(training)
    assert reference.edges == {ALL: edges}
    assert reference.edges_of_all == edges
    views = [*asked, *training, *edges, *(edge + 1 for edge in edges)]
    rows = standpoint(["youtube"] * len(views))
    assert reference.tiers(np.array(views), rows).tolist() == [tier_of(count, edges) for count in views]
    assert reference.groups(rows) == [ALL] * len(views)


@given(st.floats(0, 1e9), st.integers(0, 10**9))
@settings(deadline=None)
def test_a_distribution_asked_at_the_log_edges_is_asked_between_the_tiers(edge: float, views: int) -> None:
    whole = np.floor(np.array([edge]))
    for count in (views, int(whole[0]), int(whole[0]) + 1):
        assert (np.log1p(float(count)) > log_edges(whole)[0]) == (count > whole[0])


# platform and cohort


def test_each_platform_has_the_edges_of_its_own_videos() -> None:
    views, rows = store()
    reference, platforms = cut(RelativeTo.PLATFORM), np.array(rows.platforms)
    assert {*reference.edges} == {ALL, "tiktok", "youtube"}  # instagram has some sixty videos
    for name in ("tiktok", "youtube"):
        assert reference.edges[name] == tier_edges(views[platforms == name].tolist())
    assert reference.edges_of_all == tier_edges(views.tolist())
    edges = reference.edges_of(rows)
    for row, platform in enumerate(rows.platforms):
        assert tuple(edges[row]) == reference.edges.get(platform, reference.edges[ALL])


def test_each_cohort_has_the_edges_of_videos_with_about_as_many_followers() -> None:
    views, rows = store()
    reference, platforms = cut(RelativeTo.COHORT, min_cohort=50), np.array(rows.platforms)
    inside = (platforms == "tiktok") & (rows.followers >= 10_000) & (rows.followers < 100_000)
    assert reference.edges["tiktok, 10k-100k followers"] == tier_edges(views[inside].tolist())
    assert reference.edges["tiktok"] == tier_edges(views[platforms == "tiktok"].tolist())
    assert {"instagram", "tiktok, over 1M followers", "youtube, under 1k followers"} <= {*reference.edges}


@pytest.mark.parametrize(
    ("followers", "band"),
    [
        (0, "under 1k"), (999, "under 1k"), (1_000, "1k-10k"), (9_999, "1k-10k"), (10_000, "10k-100k"),
        (99_999, "10k-100k"), (100_000, "100k-1M"), (999_999, "100k-1M"), (1_000_000, "over 1M"), (10**9, "over 1M"),
    ],
)  # fmt: skip
def test_a_band_of_followers_begins_at_its_lower_end(followers: float, band: str) -> None:
    names = {f"youtube, {name} followers": (1, 2, 3, 4) for name in BAND_NAMES}
    reference = TierReference(RelativeTo.COHORT, {ALL: (5, 6, 7, 8), **names})
    assert reference.groups(standpoint(["youtube"], followers=followers)) == [f"youtube, {band} followers"]
    assert len(BAND_NAMES) == len(FOLLOWER_BANDS) + 1


@pytest.mark.parametrize(
    ("relative_to", "size", "expected"),
    [
        (RelativeTo.PLATFORM, 40, {ALL, "youtube"}),
        (RelativeTo.PLATFORM, 41, {ALL}),
        (RelativeTo.COHORT, 30, {ALL, "youtube", "youtube, 1k-10k followers"}),
        (RelativeTo.COHORT, 31, {ALL, "youtube"}),
        (RelativeTo.COHORT, 41, {ALL}),
    ],
)
def test_a_group_of_just_enough_videos_has_edges_and_one_short_has_none(
    relative_to: RelativeTo, size: int, expected: set[str]
) -> None:
    rows = standpoint(["youtube"] * 40, followers=[5_000.0] * 30 + [NAN] * 10)
    reference = cut_reference(np.arange(40), rows, relative_to, min_cohort=size, min_posts=0)
    assert {*reference.edges} == expected


def test_a_row_falls_back_to_the_next_wider_group_and_says_so() -> None:
    edges = {ALL: (1, 2, 3, 4), "tiktok": (11, 12, 13, 14), "tiktok, 1k-10k followers": (21, 22, 23, 24)}
    rows = standpoint(["tiktok", "tiktok", "tiktok", "unheard"], followers=[5_000, 50_000, NAN, 5_000])
    reference = TierReference(RelativeTo.COHORT, edges)
    groups = ["tiktok, 1k-10k followers", "tiktok", "tiktok", ALL]
    assert reference.groups(rows) == groups
    assert reference.edges_of(rows).tolist() == [list(edges[group]) for group in groups]
    assert reference.tiers(np.array([22, 22, 12, 3]), rows).tolist() == [2, 5, 2, 3]


def test_a_platform_that_is_called_all_does_not_stand_for_everybody() -> None:
    views, rows = np.arange(400), standpoint(["all"] * 200 + ["tiktok"] * 200)
    for relative_to in (RelativeTo.PLATFORM, RelativeTo.COHORT):
        reference = cut_reference(views, rows, relative_to, min_cohort=100, min_posts=0)
        assert reference.edges_of_all == tier_edges(views.tolist())


# creator


def test_a_creator_is_measured_against_the_views_they_usually_have() -> None:
    views, rows = store()
    reference = cut(RelativeTo.CREATOR)
    own = (rows.posts >= 3) & ~np.isnan(rows.usual)
    over = sorted((np.log1p(views[own]) - rows.usual[own]).tolist())
    assert reference.multiples == tuple(over[percentile * (len(over) - 1) // 100] for percentile in (20, 40, 60, 80))
    assert (reference.min_posts, {*reference.edges}) == (3, {ALL})
    assert reference.groups(rows) == ["creator" if mine else ALL for mine in own.tolist()]
    counted = Counter(reference.tiers(views, rows)[own].tolist())
    assert [counted[tier] for tier in range(1, 6)] == pytest.approx([own.sum() / 5] * 5, abs=1.5)


def test_the_edges_of_creators_are_taken_where_those_of_views_are() -> None:
    views = np.arange(10, 20)
    rows = standpoint(["tiktok"] * 10, usual=0.0, posts=5)
    reference = cut_reference(views, rows, RelativeTo.CREATOR, min_cohort=10, min_posts=5)
    assert reference.edges_of(rows)[0].tolist() == [*tier_edges(views.tolist())] == [11, 13, 15, 17]


def test_twice_the_usual_views_mean_twice_the_edges() -> None:
    reference = TierReference(RelativeTo.CREATOR, {ALL: (1, 2, 3, 4)}, tuple(np.log([0.5, 1.0, 2.0, 4.0])), 2)
    rows = standpoint(["tiktok"] * 4, usual=np.log([1_000, 2_000, 1_000, NAN]), posts=[2, 2, 1, 9])
    assert reference.groups(rows) == ["creator", "creator", ALL, ALL]  # too few posts; none whose views are known
    assert reference.edges_of(rows).tolist() == [
        [499, 999, 1_999, 3_999],  # views + 1 are compared
        [999, 1_999, 3_999, 7_999],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
    ]
    assert reference.tiers(np.array([1_000, 1_000, 3, 3]), rows).tolist() == [3, 2, 3, 3]


def test_a_video_on_an_edge_lies_below_it_whatever_the_last_bit_says() -> None:
    rng = np.random.default_rng(8)
    views, usual = rng.integers(1, 10**8, 2_000), rng.uniform(1, 18, 2_000)
    for count, middle in zip(views.tolist(), usual.tolist(), strict=True):
        multiple = float(np.log1p(count) - middle)
        reference = TierReference(RelativeTo.CREATOR, {ALL: (1, 2, 3, 4)}, (multiple,) * 4, 0)
        rows = standpoint(["tiktok"] * 2, usual=middle)
        assert reference.tiers(np.array([count, count + 1]), rows).tolist() == [1, 5]


@given(st.floats(0, 18), st.floats(-3, 3), st.integers(0, 10**8))
@settings(deadline=None)
def test_the_log_edges_of_a_creator_lie_between_the_tiers(usual: float, multiple: float, views: int) -> None:
    reference = TierReference(RelativeTo.CREATOR, {ALL: (1, 2, 3, 4)}, (multiple,) * 4, 0)
    edge = float(np.expm1(usual + multiple))
    for count in (views, max(0, int(edge)), max(0, int(edge) + 1)):
        rows = standpoint(["tiktok"], usual=usual)
        above = np.log1p(float(count)) > log_edges(reference.edges_of(rows))[0, 0]
        assert above == (reference.tiers(np.array([count]), rows)[0] == 5)


@pytest.mark.parametrize(("posts", "expected"), [(2, ALL), (3, "creator"), (4, "creator"), (NAN, ALL)])
def test_a_creator_of_just_enough_posts_is_measured_by_them(posts: float, expected: str) -> None:
    assert cut(RelativeTo.CREATOR).groups(standpoint(["tiktok"], usual=5.0, posts=posts)) == [expected]


def test_creators_of_whom_too_few_are_known_leave_everyone_to_all() -> None:
    views, rows = store()
    own = int(((rows.posts >= 3) & ~np.isnan(rows.usual)).sum())
    just = cut_reference(views, rows, RelativeTo.CREATOR, min_cohort=own, min_posts=3)
    short = cut_reference(views, rows, RelativeTo.CREATOR, min_cohort=own + 1, min_posts=3)
    assert just.multiples is not None
    assert short.multiples is None
    assert {*short.groups(rows)} == {ALL}
    assert short.edges_of(rows).tolist() == [list(tier_edges(views.tolist()))] * len(views)


# every one


@RELATIVE
def test_a_document_gives_the_same_reference_back(relative_to: RelativeTo) -> None:
    views, rows = store()
    reference = cut(relative_to)
    again = TierReference.from_document(json.loads(canonical_json(reference.to_document())))
    assert again == reference
    assert again.groups(rows) == reference.groups(rows)
    assert again.edges_of(rows).tobytes() == reference.edges_of(rows).tobytes()
    assert again.tiers(views, rows).tolist() == reference.tiers(views, rows).tolist()


def test_a_document_of_creators_of_whom_too_few_are_known_comes_back_as_well() -> None:
    reference = cut(RelativeTo.CREATOR, min_cohort=10_000)
    again = TierReference.from_document(json.loads(canonical_json(reference.to_document())))
    assert again == reference
    assert again.groups(standpoint(["tiktok"], usual=5.0, posts=10**6)) == [ALL]


GOOD = {"relative_to": "all", "edges": {"all": [1, 2, 3, 4]}, "multiples": None, "min_posts": 0}


@pytest.mark.parametrize(
    "damaged",
    [
        *({key: value for key, value in GOOD.items() if key != missing} for missing in GOOD),
        {**GOOD, "relative_to": "moon"},
        {**GOOD, "edges": None},
        {**GOOD, "edges": [1, 2, 3, 4]},
        {**GOOD, "edges": {}},
        {**GOOD, "edges": {"all": [1, 2, 3]}},
        {**GOOD, "edges": {"all": 7}},
        {**GOOD, "multiples": [1, 2]},
        {**GOOD, "multiples": 3},
        {**GOOD, "min_posts": "many"},
        {**GOOD, "min_posts": None},
    ],
)
def test_a_document_of_another_make_is_refused(damaged: dict[str, object]) -> None:
    assert TierReference.from_document(GOOD).edges_of_all == (1, 2, 3, 4)
    with pytest.raises((KeyError, TypeError, ValueError)):
        TierReference.from_document(damaged)


@RELATIVE
def test_nobody_asked_is_nobody_answered(relative_to: RelativeTo) -> None:
    reference, nobody = cut(relative_to), standpoint([])
    assert reference.edges_of(nobody).shape == (0, 4)
    assert reference.groups(nobody) == []
    assert reference.tiers(np.zeros(0, dtype=np.int64), nobody).shape == (0,)


@RELATIVE
def test_a_row_alone_has_the_edges_it_has_among_others(relative_to: RelativeTo) -> None:
    _, rows = store(200)
    reference = cut(relative_to)
    together = reference.edges_of(rows)
    for row in range(200):
        parts = (part[row : row + 1] for part in (rows.followers, rows.usual, rows.posts))
        assert reference.edges_of(Standpoint([rows.platforms[row]], *parts)).tobytes() == together[row].tobytes()
