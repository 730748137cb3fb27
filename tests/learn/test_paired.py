"""Two forecasts of the same rows, compared row by row and creator by creator."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.bootstrap import Resamples
from tiercast.learn.metrics import log_losses
from tiercast.learn.paired import Difference, Paired, paired

N = 1_200
SOME = settings(max_examples=20, deadline=None)


def rows(seed: int = 1, *, n: int = N, creators: int = 240) -> tuple[np.ndarray, np.ndarray, Resamples]:
    """Tiers, a calibrated forecast of them, and resamples of creators of five rows each."""
    rng = np.random.default_rng(seed)
    forecast = rng.dirichlet(np.full(5, 0.7), n)
    tiers = 1 + (rng.random(n)[:, None] > np.cumsum(forecast, axis=1)[:, :-1]).sum(axis=1)
    return tiers, forecast, Resamples.draw(np.arange(n) % creators, seed=3)


def blurred(forecast: np.ndarray, share: float) -> np.ndarray:
    """The same forecast with this share of it spread evenly."""
    return (1 - share) * forecast + share / 5


def mean_difference(by_row: np.ndarray, resamples: Resamples) -> Difference | None:
    return Difference.of(float(by_row.mean()), resamples.means(by_row), resamples)


def differences(found: Paired) -> list[Difference]:
    every = [found.accuracy, found.log_loss, found.calibration]
    assert all(every)
    return every  # type: ignore[return-value]


@given(st.integers(0, 99))
@SOME
def test_a_forecast_differs_from_itself_by_exactly_nothing(seed: int) -> None:
    tiers, forecast, resamples = rows(seed)
    found = paired(forecast, forecast.copy(), tiers, resamples)
    assert (found.rows, found.creators) == (N, 240)
    for each in differences(found):
        assert astuple(each) == (0, 0, 0, 0, 0, (0, 0))


@given(st.integers(0, 99), st.floats(0.05, 0.9))
@SOME
def test_swapping_the_two_turns_every_difference_round(seed: int, share: float) -> None:
    tiers, forecast, resamples = rows(seed)
    there = differences(paired(forecast, blurred(forecast, share), tiers, resamples))
    back = differences(paired(blurred(forecast, share), forecast, tiers, resamples))
    for one, other in zip(there, back, strict=True):
        assert one.value == pytest.approx(-other.value)
        assert one.lower == pytest.approx(-other.upper, abs=1e-9)
        assert one.strict_lower == pytest.approx(-other.strict_upper, abs=1e-9)
        assert one.interval == pytest.approx([-other.interval[1], -other.interval[0]], abs=1e-9)


@given(st.integers(0, 99), st.floats(0.05, 0.9))
@SOME
def test_bounds_at_99_percent_lie_outside_of_those_at_95(seed: int, share: float) -> None:
    tiers, forecast, resamples = rows(seed)
    for each in differences(paired(forecast, blurred(forecast, share), tiers, resamples)):
        assert (
            each.strict_lower <= each.interval[0] <= each.lower <= each.upper <= each.interval[1] <= each.strict_upper
        )


def test_the_differences_are_those_of_the_measures_themselves() -> None:
    tiers, forecast, resamples = rows()
    rng = np.random.default_rng(9)
    other = rng.dirichlet(np.full(5, 0.7), N)
    found = paired(forecast, other, tiers, resamples)
    hits = [(each.argmax(axis=1) + 1 == tiers).mean() for each in (forecast, other)]
    losses = [log_losses(each, tiers).mean() for each in (forecast, other)]
    assert found.accuracy is not None
    assert found.log_loss is not None
    assert found.calibration is not None
    assert found.accuracy.value == pytest.approx(hits[0] - hits[1])
    assert found.log_loss.value == pytest.approx(losses[1] - losses[0])
    assert found.accuracy.lower > 0
    assert found.log_loss.lower > 0
    assert found.calibration.upper < 0  # what knows nothing is sure of it all the same


def test_rows_of_one_creator_are_no_independent_proof() -> None:
    """The same differences, each in twenty rows of one creator: bounds are wider than of rows by themselves."""
    rng = np.random.default_rng(4)
    by_creator = rng.choice([-1.0, 0.0, 1.0], 60)
    values = np.repeat(by_creator, 20)
    together = mean_difference(values, Resamples.draw(np.repeat(np.arange(60), 20), seed=1))
    alone = mean_difference(values, Resamples.draw(np.arange(1_200), seed=1))
    assert together is not None
    assert alone is not None
    assert together.value == alone.value
    assert together.upper - together.lower > 3 * (alone.upper - alone.lower)


@pytest.mark.parametrize("creators", [1, 5, 9])
def test_too_few_creators_tell_nothing(creators: int) -> None:
    tiers, forecast, _ = rows()
    resamples = Resamples.draw(np.arange(N) % creators, seed=1)
    found = paired(forecast, blurred(forecast, 0.5), tiers, resamples)
    assert (found.rows, found.creators) == (N, creators)
    assert (found.accuracy, found.log_loss, found.calibration) == (None, None, None)


def test_one_creator_who_dominates_counts_as_few() -> None:
    creators = np.where(np.arange(N) < 1_100, 0, np.arange(N))
    assert mean_difference(np.ones(N), Resamples.draw(creators, seed=1)) is None


def test_below_fifty_rows_calibration_is_not_compared_and_the_rest_is() -> None:
    tiers, forecast, resamples = rows(n=49, creators=49)
    found = paired(forecast, blurred(forecast, 0.5), tiers, resamples)
    assert found.calibration is None
    assert found.accuracy is not None
    assert found.log_loss is not None


def test_a_proven_difference_holds_in_nineteen_of_twenty_draws_of_rows() -> None:
    """Two equal models: the lower bound of one over the other exceeds 0 in about one of twenty draws."""
    exceeded = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        by_row = rng.choice([-1.0, 0.0, 1.0], 400, p=[0.1, 0.8, 0.1])
        found = mean_difference(by_row, Resamples.draw(np.arange(400) // 2, n=400, seed=7))
        assert found is not None
        exceeded += found.lower > 0
    assert 1 <= exceeded <= 20
