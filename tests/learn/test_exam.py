"""Several forecasts of the same videos, held against each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tiercast.core.tiers import tier_edges
from tiercast.learn.exam import Known, Sheet, compared, naive, pooled, tiers_at
from tiercast.learn.references import log_edges

EDGES = log_edges(np.array([10.0, 20.0, 30.0, 40.0]))
NOTHING = Known(None, None)


def sheet(hits: list[bool]) -> Sheet:
    return Sheet(np.array(hits), np.zeros(len(hits)))


def test_the_first_forecaster_is_the_one_that_others_are_held_against() -> None:
    creators = np.repeat(np.arange(40), 5)
    rng = np.random.default_rng(1)
    better = Sheet(rng.random(200) < 0.8, np.zeros(200))
    worse = Sheet(better.hit & (rng.random(200) < 0.7), np.ones(200))
    marks = compared({"champion": better, "other": worse}, creators, seed=1)
    low, high = marks["other"].ahead.interval or (0, 0)
    assert marks["champion"].ahead.value == 0
    assert marks["other"].ahead.value == pytest.approx(better.hit.mean() - worse.hit.mean())
    assert 0 < low < (marks["other"].ahead.value or 0) < high
    assert marks["other"].log_loss == 1


def test_too_few_creators_give_a_value_and_no_interval() -> None:
    marks = compared({"champion": sheet([True, False])}, np.array([1, 1]), seed=1)["champion"]
    assert (marks.accuracy.value, marks.accuracy.interval) == (0.5, None)


def test_without_videos_nothing_is_known() -> None:
    marks = compared({"champion": sheet([])}, np.empty(0, np.int64), seed=1)["champion"]
    assert (marks.accuracy.value, marks.log_loss, marks.ahead.value) == (None, None, None)


def test_only_who_marked_every_part_is_pooled() -> None:
    parts = [{"a": sheet([True]), "b": sheet([False])}, {"a": sheet([False, True])}]
    whole = pooled(parts)
    assert list(whole) == ["a"]
    assert whole["a"].hit.tolist() == [True, False, True]
    assert pooled([]) == {}


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 10**9)))
def test_tiers_are_one_more_than_the_edges_exceeded(views: np.ndarray) -> None:  # type: ignore[type-arg]
    edges = tier_edges(views.tolist())
    expected = [1 + sum(view > edge for edge in edges) for view in views.tolist()]
    assert tiers_at(views, log_edges(np.array(edges, dtype=np.float64))).tolist() == expected


def test_a_creator_of_whom_nothing_is_known_gets_everybodys_shares() -> None:
    views = np.array([5] * 50 + [50] * 50)
    then = Known(np.log1p(np.array([5.0] * 50 + [50.0] * 50)), None)
    asked = Known(np.array([np.log1p(5.0), np.log1p(50.0), np.nan]), None)
    told = naive(views, then, asked, 3, EDGES)["creators_usual"]
    assert told.argmax(axis=1).tolist()[:2] == [0, 4]
    assert told[2].tolist() == [0.5, 0, 0, 0, 0.5]


def test_first_views_speak_where_some_were_seen() -> None:
    views, start = np.arange(1, 101), np.log1p(np.arange(1.0, 101.0))
    told = naive(views, Known(None, start), Known(None, start[[0, 99]]), 2, log_edges(np.array([20.0, 40, 60, 80])))
    assert set(told) == {"majority", "first_views"}
    assert told["first_views"].argmax(axis=1).tolist() == [0, 4]
    assert set(naive(views, NOTHING, NOTHING, 2, EDGES)) == {"majority"}
