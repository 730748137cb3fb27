"""A forecast carried to other edges: whole, monotone, unmoved where the edges are, and near what is true."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from tiercast.learn.carry import LEAST_SHARE, carried

FLOOR = 5 * LEAST_SHARE
"""What the least share of every tier can move a sum of them by."""
RANGE = (0.0, 15.0)
JUST = 1e-5
"""How far above an edge is just above it, in log views."""

heights = st.floats(0.1, 15.0, allow_nan=False)
ascending = st.lists(heights, min_size=4, max_size=4).map(sorted)
shares = st.lists(st.floats(0.001, 1), min_size=5, max_size=5).map(lambda raw: np.array(raw) / sum(raw))
SOME = settings(max_examples=150, deadline=None)


def carry(probabilities: object, own: object, asked: object, log_range: tuple[float, float] = RANGE) -> np.ndarray:
    """One row."""
    return carried(np.array([probabilities]), np.array([own]), log_range, np.array([asked]))[0]


def below(probabilities: np.ndarray) -> np.ndarray:
    return np.cumsum(probabilities, axis=-1)[..., :-1]


@given(st.lists(st.tuples(shares, ascending), min_size=1, max_size=6))
@SOME
def test_unmoved_edges_keep_probabilities_bit_for_bit(rows: list[tuple[np.ndarray, list[float]]]) -> None:
    said, own = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert carried(said, own, RANGE, own.copy()).tobytes() == said.tobytes()


@given(shares, ascending, ascending)
@SOME
def test_a_carried_row_is_whole_and_no_tier_is_impossible(
    said: np.ndarray, own: list[float], asked: list[float]
) -> None:
    found = carry(said, own, asked)
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1, abs=1e-12)
    if own != asked:
        assert found.min() >= LEAST_SHARE / (1 + FLOOR)


@given(shares, ascending, ascending, st.integers(0, 3), st.floats(0, 3))
@SOME
def test_a_higher_edge_never_holds_less_below_it(
    said: np.ndarray, own: list[float], asked: list[float], number: int, rise: float
) -> None:
    higher = [edge + rise * (place >= number) for place, edge in enumerate(asked)]
    lower, upper = (below(carry(said, own, edges))[number] for edges in (asked, higher))
    assert upper >= lower - 2 * FLOOR


@given(shares, ascending, ascending)
@SOME
def test_at_an_edge_of_its_own_the_forecast_says_what_it_said(
    said: np.ndarray, own: list[float], asked: list[float]
) -> None:
    """Three of the four edges are its own, where they do not fall together."""
    shifted = [*own[1:], own[-1] + 1]
    if min(np.diff(own)) > 1e-6:
        np.testing.assert_allclose(below(carry(said, own, shifted))[:3], below(said)[1:], atol=FLOOR)


@given(shares, ascending)
@SOME
def test_beyond_what_training_saw_nothing_is_expected(said: np.ndarray, own: list[float]) -> None:
    over, under = [16.0, 17.0, 18.0, 19.0], [-4.0, -3.0, -2.0, -1.0]
    assert carry(said, own, over)[0] >= 1 - FLOOR
    assert carry(said, own, under)[4] >= 1 - FLOOR


@given(shares, heights, st.integers(1, 4), ascending)
@SOME
def test_edges_that_fall_together_hold_their_share_at_one_point(
    said: np.ndarray, tied: float, count: int, asked: list[float]
) -> None:
    assume(tied + JUST < RANGE[1])  # above the end of the range lies everything, whatever was said of its edges
    own = sorted([tied] * count + [tied + 1 + place for place in range(4 - count)])
    found = carry(said, own, asked)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    just_above = carry(said, own, [edge + JUST for edge in own])
    assert below(just_above)[count - 1] == pytest.approx(below(said)[count - 1], abs=FLOOR + 1e-3)


@pytest.mark.parametrize("log_range", [(5.0, 6.0), (8.0, 8.0), (20.0, 30.0)])
def test_a_training_range_that_does_not_span_the_edges_is_widened_to_them(log_range: tuple[float, float]) -> None:
    found = carry([0.2] * 5, [2.0, 4.0, 7.0, 9.0], [2.5, 4.5, 7.5, 9.5], log_range)
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert below(found)[1] > 0.4  # more than lay below the edge before it rose


@given(st.lists(st.tuples(shares, ascending, ascending, st.booleans()), min_size=2, max_size=12))
@SOME
def test_every_row_is_carried_between_its_own_edges_as_if_it_were_alone(
    rows: list[tuple[np.ndarray, list[float], list[float], bool]],
) -> None:
    """Tiers relative to the creator have other edges in every row; some rows share them, some did not move."""
    own = [rows[0][1] if shares_first else edges for _, edges, _, shares_first in rows]
    said, asked = np.array([row[0] for row in rows]), np.array([row[2] for row in rows])
    together = carried(said, np.array(own), RANGE, asked)
    alone = [carry(*row) for row in zip(said, own, asked, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)


def test_nothing_is_written_over() -> None:
    said, own = np.full((2, 5), 0.2), np.log([[11.5, 101.5, 1001.5, 10001.5]] * 2)
    carried(said, own, RANGE, own + 1)
    assert (said == 0.2).all()
    assert carried(np.empty((0, 5)), np.empty((0, 4)), RANGE, np.empty((0, 4))).shape == (0, 5)


@pytest.mark.parametrize("factor", [1.1, 1.5, 2.0, 1 / 1.5])
@pytest.mark.parametrize("tails", [norm, t(4)], ids=["normal", "heavy tails"])
def test_a_known_distribution_is_met_at_moved_edges(factor: float, tails: Any) -> None:
    """Log views of a video stray by .7 around its own middle, and edges cut all videos into fifths."""
    rng = np.random.default_rng(1)
    middle = rng.normal(10, 1.3, 2_000)
    edges = np.quantile(middle + rng.normal(0, 0.7, 2_000), [0.2, 0.4, 0.6, 0.8])
    asked = edges + np.log(factor)

    def true(points: np.ndarray) -> np.ndarray:
        share = tails.cdf((points - middle[:, None]) / 0.7)
        return np.diff(np.hstack([np.zeros((2_000, 1)), share, np.ones((2_000, 1))]), axis=1)

    wide = np.broadcast_to(edges, (2_000, 4)), np.broadcast_to(asked, (2_000, 4))
    found = carried(true(edges), wide[0], (middle.min() - 2, middle.max() + 2), wide[1])
    truth = true(asked)
    lost = (truth * np.log(np.maximum(truth, 1e-9) / found)).sum(axis=1).mean()  # what carrying costs in log loss
    assert np.abs(found - truth).mean() < 0.01
    assert lost < 0.005
