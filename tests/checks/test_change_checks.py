"""Every outcome of the questions about what changed in the data since the champion learned."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.samples import BARS, BELOW, CHAMPION, DATA, FIRST_DATA, GIVEN, NOW
from tiercast.checks.change import (
    EdgesMovedAsBefore,
    NoFeatureVanished,
    RowsAreNew,
    VideosAreFresh,
    ZerosDidNotJump,
    edge_factor,
)
from tiercast.checks.evidence import ChampionFacts, EdgeHistory, Newest
from tiercast.core.findings import Outcome, Verdict, verdict_of

# D103: no feature of the champion vanished


@pytest.mark.parametrize(
    ("champion", "all_missing", "lately", "outcome", "observed"),
    [
        (None, ("like_rate",), (), Outcome.NOT_APPLICABLE, None),
        (GIVEN, ("like_rate",), (), Outcome.NOT_APPLICABLE, None),
        (CHAMPION, (), (), Outcome.PASS, 0),
        (CHAMPION, ("hour_posted",), ("hour_posted",), Outcome.PASS, 0),
        (CHAMPION, ("hour_posted", "like_rate"), (), Outcome.FAIL, 1),
        (CHAMPION, ("share_rate", "like_rate"), (), Outcome.FAIL, 2),
        (CHAMPION, (), ("like_rate",), Outcome.FAIL, 1),
        (CHAMPION, ("share_rate",), ("share_rate", "like_rate"), Outcome.FAIL, 2),
    ],
)
def test_only_a_feature_that_the_champion_relied_on_can_vanish(
    champion: ChampionFacts | None,
    all_missing: tuple[str, ...],
    lately: tuple[str, ...],
    outcome: Outcome,
    observed: float | None,
) -> None:
    evidence = replace(DATA, champion=champion, all_missing=all_missing, newly_missing=lately)
    finding = NoFeatureVanished().judge(evidence)
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0)


def test_a_vanished_feature_is_named_with_where_it_vanished_and_the_champion_that_needs_it() -> None:
    gone = replace(DATA, all_missing=("like_rate", "hour_posted"))
    sentence = NoFeatureVanished().judge(gone).explanation
    assert sentence.startswith("Unknown on every video: like_rate. Champion c0ffeec0ffee learned from it")
    lately = NoFeatureVanished().judge(replace(DATA, newly_missing=("share_rate",))).explanation
    assert lately.startswith("Unknown on nearly every video, of all or of the newest week: share_rate. Champion c0ff")


# D105: zeros did not jump


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (0.1, 0.3, Outcome.PASS),
        (0.7, 0.9, Outcome.PASS),  # in floating point .9 - .7 is above .2
        (0.1, 0.3 + BELOW, Outcome.FAIL),
        (0.0, 1.0, Outcome.FAIL),
        (1.0, 0.0, Outcome.PASS),
    ],
)
def test_zeros_rise_by_a_fifth_of_the_videos_or_more(before: float, now: float, outcome: Outcome) -> None:
    champion = replace(CHAMPION, zero_shares={"like_rate": before})
    whole = replace(DATA, champion=champion, zero_shares={"like_rate": now}, newest_zero_shares={})
    finding = ZerosDidNotJump().judge(whole)
    assert (finding.outcome, finding.observed, finding.required) == (outcome, now - before, 0.20)
    assert f"like_rate is zero on {now:.1%} of the videos, {before:.1%}" in finding.explanation


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (0.7, 0.9, Outcome.PASS),
        (0.7 - BELOW, 0.9, Outcome.FAIL),
        (0.0, 1.0, Outcome.FAIL),
        (0.95, 1.0, Outcome.PASS),
        (0.0, 0.9 - BELOW, Outcome.NOT_APPLICABLE),  # young videos have more zeros by themselves
    ],
)
def test_a_count_that_is_zero_nearly_everywhere_in_the_newest_week_alone_is_no_longer_read(
    before: float, now: float, outcome: Outcome
) -> None:
    """Also before the first promotion."""
    week = replace(DATA, champion=None, zero_shares={"like_rate": before}, newest_zero_shares={"like_rate": now})
    finding = ZerosDidNotJump().judge(week)
    assert finding.outcome is outcome
    if outcome is not Outcome.NOT_APPLICABLE:
        told = f"like_rate is zero on {now:.1%} of the newest week's videos, {before:.1%} of all"
        assert told in finding.explanation


def test_zeros_are_compared_only_where_both_sides_recorded_them() -> None:
    champion = replace(CHAMPION, zero_shares={"gone": 0.0})
    unrecorded = replace(DATA, champion=champion, newest_zero_shares={})
    assert ZerosDidNotJump().judge(unrecorded).outcome is Outcome.NOT_APPLICABLE


def test_the_largest_of_all_rises_is_told() -> None:
    worse = replace(DATA, newest_zero_shares={"like_rate": 0.15, "share_rate": 0.9})
    finding = ZerosDidNotJump().judge(worse)
    assert (finding.outcome, finding.observed) == (Outcome.FAIL, pytest.approx(0.89))
    assert "share_rate is zero on 90.0%" in finding.explanation
    assert "name D105 in gate.warn_only" in finding.explanation


# D106: tier edges moved no more than they ever did

BEFORE = (99, 999, 9_999, 99_999)


def edges_moved(factor: float, *earlier: float) -> EdgeHistory:
    """Edges that moved by ``factor`` since the last promotion, and by these factors between earlier ones."""
    history = [BEFORE]
    for each in earlier:
        history.append(tuple(round((edge + 1) * each) - 1 for edge in history[-1]))  # type: ignore[arg-type]
    today = tuple(round((edge + 1) * factor) - 1 for edge in history[-1])
    return EdgeHistory(today, tuple(history))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moved", "outcome", "limit"),
    [
        (edges_moved(1.0), Outcome.PASS, 1.5),
        (edges_moved(1.5), Outcome.PASS, 1.5),
        (edges_moved(1.51), Outcome.FAIL, 1.5),
        (edges_moved(0.5), Outcome.FAIL, 1.5),
        (edges_moved(2.0, 1.1), Outcome.FAIL, 1.5),
        (edges_moved(2.0, 2.0), Outcome.PASS, 2.0),
        (edges_moved(0.5, 2.0), Outcome.PASS, 2.0),
        (edges_moved(2.0, 1.0, 0.4, 1.0), Outcome.PASS, 2.5),
        (edges_moved(3.0, 2.0), Outcome.FAIL, 2.0),
    ],
)
def test_edges_may_move_by_a_half_or_as_much_as_they_ever_did(
    moved: EdgeHistory, outcome: Outcome, limit: float
) -> None:
    finding = EdgesMovedAsBefore().judge(replace(DATA, edges=moved))
    assert (finding.outcome, finding.required) == (outcome, pytest.approx(limit))
    assert f"moved by a factor of {finding.observed:.2f}" in finding.explanation
    assert f"{limit:.2f} is allowed" in finding.explanation


def test_slow_drift_under_a_champion_that_stays_does_not_stop_every_run() -> None:
    moved = replace(edges_moved(2.0), weeks=2.0)
    finding = EdgesMovedAsBefore().judge(replace(DATA, edges=moved))
    assert (finding.outcome, finding.required) == (Outcome.PASS, pytest.approx(2.25))
    assert EdgesMovedAsBefore().judge(replace(DATA, edges=replace(moved, weeks=1.5))).outcome is Outcome.FAIL


def test_a_single_edge_that_leapt_is_enough() -> None:
    one = EdgeHistory((99, 999, 9_999, 199_999), (BEFORE,))
    finding = EdgesMovedAsBefore().judge(replace(DATA, edges=one))
    assert (finding.outcome, finding.observed) == (Outcome.FAIL, pytest.approx(2.0))


tiers = st.lists(st.integers(0, 10**9), min_size=4, max_size=4).map(lambda edges: tuple(sorted(edges)))


@given(tiers, tiers)
def test_a_move_is_as_large_there_as_back_and_none_where_nothing_moved(
    first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    assert edge_factor(first, then) == pytest.approx(edge_factor(then, first))
    assert edge_factor(first, then) >= 1
    assert edge_factor(first, first) == 1


# D107: the newest video is of this week


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        (timedelta(days=7), Outcome.PASS),
        (timedelta(days=7, minutes=1), Outcome.FAIL),
        (timedelta(days=8), Outcome.FAIL),
        (timedelta(0), Outcome.PASS),
        (timedelta(hours=-2), Outcome.PASS),  # a clock ahead of ours
    ],
)
def test_the_newest_video_is_a_week_old_or_older(age: timedelta, outcome: Outcome) -> None:
    dated = Newest(NOW - age, NOW)
    finding = VideosAreFresh().judge(replace(DATA, newest=dated))
    assert (finding.outcome, finding.required) == (outcome, 7)
    assert finding.observed == age / timedelta(days=1)
    assert ("still runs" in finding.explanation) == (outcome is Outcome.FAIL)
    first = VideosAreFresh().judge(replace(FIRST_DATA, newest=dated))
    assert first.outcome is Outcome.NOT_APPLICABLE


# D108: there is something new to learn


@pytest.mark.parametrize(
    ("rows", "settings", "outcome"),
    [
        (False, False, Outcome.PASS),
        (False, True, Outcome.PASS),
        (True, False, Outcome.PASS),
        (True, True, Outcome.FAIL),
    ],
)
def test_the_same_rows_with_the_same_settings_are_nothing_new(rows: bool, settings: bool, outcome: Outcome) -> None:
    champion = replace(CHAMPION, same_rows=rows, same_settings=settings)
    finding = RowsAreNew().judge(replace(DATA, champion=champion))
    assert finding.outcome is outcome
    assert ("the same rows as last time" in finding.explanation) == (outcome is Outcome.FAIL)


def test_doubt_about_the_data_holds_and_rejects_nobody() -> None:
    for spoiled in (
        replace(DATA, all_missing=("like_rate",)),
        replace(DATA, newest_zero_shares={"share_rate": 1.0}),
        replace(DATA, edges=edges_moved(4)),
        replace(DATA, newest=Newest(NOW - timedelta(days=8), NOW)),
        replace(DATA, champion=replace(CHAMPION, same_rows=True, same_settings=True)),
    ):
        checks = (NoFeatureVanished(), ZerosDidNotJump(), EdgesMovedAsBefore(), VideosAreFresh(), RowsAreNew())
        assert verdict_of(check.judge(spoiled) for check in checks) is Verdict.HOLD
    assert BARS.max_edge_factor == 1.5
