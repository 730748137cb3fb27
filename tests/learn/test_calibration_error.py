"""Calibration error: by hand, against chance, and how often its excess accuses a forecast that is calibrated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tiercast.learn.bootstrap import Resamples
from tiercast.learn.calibration_error import (
    CalibrationBounds,
    calibration_bins,
    calibration_bounds,
    calibration_error,
    calibration_error_by_chance,
)


def case(
    seed: int, *, rows: int = 3_000, creators: int = 900, agreement: float = 0.0, over: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, hit and creator: ``over`` confident by so much, creators' hits correlated (latent ``agreement``)."""
    rng = np.random.default_rng(seed)
    creator = rng.integers(0, creators, rows)
    confidence = 0.2 + 0.7 * rng.beta(4, 5, rows)
    latent = np.sqrt(agreement) * rng.normal(size=creators)[creator] + np.sqrt(1 - agreement) * rng.normal(size=rows)
    return confidence, latent < norm.ppf(np.clip(confidence - over, 0.001, 0.999)), creator


def bounds(seed: int, **how: float) -> CalibrationBounds:
    confidence, hit, creators = case(seed, **how)  # type: ignore[arg-type]
    found = calibration_bounds(confidence, hit, Resamples.draw(creators, n=400, seed=seed), seed=seed)
    assert found is not None
    return found


def test_a_calibrated_forecast_has_almost_no_calibration_error() -> None:
    assert calibration_error(np.full(100, 0.5), np.arange(100) % 2 == 0) == pytest.approx(0)
    thirds = np.concatenate([np.arange(50) < hits for hits in (10, 25, 40)])
    assert calibration_error(np.repeat([0.2, 0.5, 0.8], 50), thirds) == pytest.approx(0)
    rng = np.random.default_rng(3)
    sure = rng.uniform(0.2, 1.0, 60_000)
    assert calibration_error(sure, rng.random(60_000) < sure) < 0.01  # type: ignore[operator]


def test_an_overconfident_forecast_has_the_error_of_its_excess() -> None:
    rng = np.random.default_rng(3)
    true_share = rng.uniform(0.2, 0.7, 60_000)
    found = calibration_error(true_share + 0.25, rng.random(60_000) < true_share)
    assert found == pytest.approx(0.25, abs=0.01)


def test_the_gaps_of_the_bins_are_weighed_by_their_rows_and_never_cancel() -> None:
    confidence = np.repeat([0.3, 0.9], 50)
    hit = np.concatenate([np.arange(50) < 25, np.arange(50) < 35])  # .5 said .3, .7 said .9
    assert calibration_error(confidence, hit) == pytest.approx(0.2)


@pytest.mark.parametrize(("rows", "known"), [(0, False), (49, False), (50, True), (749, True), (5_000, True)])
def test_calibration_is_unknown_below_fifty_rows(rows: int, known: bool) -> None:
    confidence, hit = np.full(rows, 0.75), np.ones(rows, dtype=bool)
    found = calibration_error(confidence, hit)
    assert found == (pytest.approx(0.25) if known else None)
    assert (calibration_error_by_chance(confidence, seed=1) is not None) == known
    resamples = Resamples.draw(np.arange(rows), n=50, seed=1)
    assert (calibration_bounds(confidence, hit, resamples, seed=1) is not None) == known


@given(st.integers(50, 900), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_bins_are_of_equal_mass_hold_fifty_rows_and_rise_with_confidence(rows: int, seed: int) -> None:
    confidence = np.random.default_rng(seed).random(rows).round(2)
    bins = calibration_bins(confidence)
    assert bins is not None
    sizes = np.bincount(bins)
    assert len(sizes) == min(15, rows // 50)
    assert sizes.min() >= 50
    assert np.ptp(sizes) <= 1
    for code in range(len(sizes) - 1):
        assert confidence[bins == code].max() <= confidence[bins == code + 1].min()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_error_by_chance_is_that_of_binomial_counts(share: float) -> None:
    rows_a_bin = 3_000 // 15
    hits = np.random.default_rng(1).binomial(rows_a_bin, share, 200_000) / rows_a_bin
    expected = np.abs(hits - share).mean()
    assert calibration_error_by_chance(np.full(3_000, share), seed=1) == pytest.approx(expected, rel=0.05)


def test_the_error_by_chance_is_the_same_for_a_seed_and_shrinks_with_the_rows() -> None:
    few, many = np.full(750, 0.5), np.full(75_000, 0.5)
    assert calibration_error_by_chance(few, seed=1) == calibration_error_by_chance(few, seed=1)
    ratio = calibration_error_by_chance(few, seed=1) / calibration_error_by_chance(many, seed=1)  # type: ignore[operator]
    assert ratio == pytest.approx(10, rel=0.1)


def test_a_forecast_sure_of_everything_shows_no_error_by_chance() -> None:
    assert calibration_error_by_chance(np.ones(100), seed=1) == 0


def test_resampled_errors_are_those_of_the_rows_drawn_in_their_first_bins() -> None:
    confidence, hit, creators = case(1, rows=400, creators=120)
    resamples, bins = Resamples.draw(creators, n=200, seed=1), calibration_bins(confidence)
    assert bins is not None
    errors = []
    for times in resamples.weights:
        part = np.repeat(np.arange(400), times[resamples.codes])
        gaps = [
            (bins[part] == b).sum() * abs((hit - confidence)[part][bins[part] == b].mean())
            for b in range(bins.max() + 1)
        ]
        errors.append(sum(gaps) / len(part))
    centred = np.array(errors) - np.mean(errors) + calibration_error(confidence, hit)
    found = calibration_bounds(confidence, hit, resamples, seed=1)
    assert found is not None
    assert found.error.interval == pytest.approx(np.quantile(np.maximum(centred, 0), [0.025, 0.975]))
    assert found.error.lower == pytest.approx(np.quantile(np.maximum(centred, 0), 0.05))


@pytest.mark.parametrize("agreement", [0.0, 0.5])
def test_a_calibrated_forecast_is_hardly_ever_accused_even_where_videos_of_a_creator_agree(agreement: float) -> None:
    accused = sum(bounds(seed, creators=300, agreement=agreement).excess.lower > 0 for seed in range(100))
    assert accused <= 7


@pytest.mark.parametrize("agreement", [0.0, 0.5])
def test_a_forecast_that_is_over_confident_by_a_tenth_is_nearly_always_accused(agreement: float) -> None:
    accused = sum(bounds(seed, agreement=agreement, over=0.1).excess.lower > 0 for seed in range(25))
    assert accused >= 24


@given(st.integers(0, 500), st.sampled_from([0.0, 0.05, 0.2]), st.sampled_from([0.0, 0.6]))
@settings(deadline=None, max_examples=15)
def test_intervals_hold_the_figure_they_belong_to(seed: int, over: float, agreement: float) -> None:
    how = {"rows": 300, "creators": 60, "over": over, "agreement": agreement}
    confidence, hit, _ = case(seed, **how)  # type: ignore[arg-type]
    found, error = bounds(seed, **how), calibration_error(confidence, hit)
    by_chance = calibration_error_by_chance(confidence, seed=seed)
    assert error is not None
    assert by_chance is not None
    assert 0 <= found.error.interval[0] <= error <= found.error.interval[1]
    assert found.excess.interval[0] <= found.excess.lower <= error - by_chance <= found.excess.upper


def test_a_single_creator_gives_no_bounds() -> None:
    confidence, hit, _ = case(1)
    one = Resamples.draw(np.zeros(3_000, dtype=np.int64), n=50, seed=1)
    assert calibration_bounds(confidence, hit, one, seed=1) is None
