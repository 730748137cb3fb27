"""Which candidate is chosen, how it is tempered and from where on it is trusted, and which rows say so."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tiercast.learn.blend import mean_of, tempered
from tiercast.learn.confidence import confidence_threshold
from tiercast.learn.recipes import Trial, mean_log_loss
from tiercast.learn.selection import AVERAGE, TARGET, TEMPERATURES, Judging, Selected, fitted_temperature, select

ROWS = 2_000
"""Judged rows, the older thousand of which choose."""


@cache
def truth() -> np.ndarray:
    """The tier probabilities that the outcomes follow: some rows are easy, some hard."""
    rng = np.random.default_rng(1)
    odds = np.exp(rng.uniform(0, 3, (ROWS, 1)) * rng.standard_normal((ROWS, 5)))
    return odds / odds.sum(axis=1, keepdims=True)


@cache
def judging() -> Judging:
    rng = np.random.default_rng(2)
    tiers = 1 + (truth().cumsum(axis=1) < rng.random((ROWS, 1))).sum(axis=1)
    return Judging.of(tiers, rng.integers(0, 200, ROWS), np.arange(ROWS))


def blurred(noise: float, seed: int, **changes: object) -> Trial:
    """A trial that tells the truth with errors of its own."""
    rng = np.random.default_rng(seed)
    odds = truth() * np.exp(noise * rng.standard_normal(truth().shape))
    return replace(Trial({"seed": seed}, odds / odds.sum(axis=1, keepdims=True)), **changes)  # type: ignore[arg-type]


def picked(judged: Judging | None = None, **tried: Trial | list[Trial]) -> Selected:
    lists = {name: [trials] if isinstance(trials, Trial) else trials for name, trials in tried.items()}
    return select(lists, judged or judging(), seed=0)


def with_outcomes(which: np.ndarray, seed: int) -> Judging:
    """The same rows with other outcomes where ``which`` says so."""
    tiers = judging().tiers.copy()
    tiers[which] = np.random.default_rng(seed).permutation(tiers[which])
    assert (tiers != judging().tiers).any()
    return replace(judging(), tiers=tiers)


# which half serves what


def test_the_older_half_chooses_and_the_newer_sets_the_threshold() -> None:
    order = np.array([50, 10, 40, 20, 30])
    assert Judging.of(np.ones(5, int), np.arange(5), order).chooses.tolist() == [False, True, False, True, True]
    assert judging().chooses.tolist() == [True] * 1_000 + [False] * 1_000


def test_rows_of_the_same_time_are_never_torn_apart() -> None:
    order = np.array([1, 2, 2, 2, 3, 4])
    assert Judging.of(np.ones(6, int), np.arange(6), order).chooses.tolist() == [True] * 4 + [False] * 2
    assert Judging.of(np.ones(4, int), np.arange(4), np.zeros(4, int)).chooses.all()
    assert len(Judging.of(np.ones(0, int), np.arange(0), np.arange(0)).chooses) == 0


@given(arrays(np.int64, st.integers(1, 50), elements=st.integers(0, 20)))
@settings(deadline=None)
def test_whatever_the_order_at_least_half_choose_and_all_of_them_are_older(order: np.ndarray) -> None:
    chooses = Judging.of(np.ones(len(order), int), np.arange(len(order)), order).chooses
    assert chooses.sum() >= len(order) / 2
    assert chooses.all() or order[chooses].max() < order[~chooses].min()


# the candidate


def test_the_recipe_that_errs_less_is_chosen() -> None:
    for tried in ({"good": blurred(0.3, 1), "bad": blurred(3, 2)}, {"bad": blurred(3, 2), "good": blurred(0.3, 1)}):
        selected = picked(**tried)
        assert selected.name == "good"
        assert {**selected.members} == {"good": {"seed": 1}}


def test_the_settings_that_err_less_are_chosen() -> None:
    selected = picked(only=[blurred(2, 1), blurred(0.2, 2), blurred(1, 3)])
    assert selected.members["only"] == {"seed": 2}
    assert [(line.name, line.settings) for line in selected.lines] == [("only", {"seed": 2})]


def test_an_average_is_chosen_where_errors_differ() -> None:
    selected = picked(one=blurred(1, 1), two=blurred(1, 2))
    assert selected.name == AVERAGE
    assert {**selected.members} == {"one": {"seed": 1}, "two": {"seed": 2}}


def test_an_average_is_of_those_that_help() -> None:
    selected = picked(one=blurred(1, 1), bad=blurred(6, 3), two=blurred(1, 2))
    assert [*selected.members] == ["one", "two"]
    assert selected.lines[-1].settings == {"of": ["one", "two"]}


def test_of_two_that_err_alike_the_one_alone_is_enough() -> None:
    same = blurred(0.5, 1)
    assert picked(one=same, two=same).name == "one"


def test_the_lines_tell_the_loss_on_the_rows_that_choose() -> None:
    one, two, old = blurred(0.5, 1), blurred(1, 2), judging().chooses
    lines = picked(one=one, two=two).lines
    expected = [mean_log_loss(each[old], judging().tiers[old]) for each in (one.probabilities, two.probabilities)]
    expected.append(mean_log_loss(mean_of([one.probabilities[old], two.probabilities[old]]), judging().tiers[old]))
    assert [line.name for line in lines] == ["one", "two", AVERAGE]
    assert [line.log_loss for line in lines] == pytest.approx(expected, abs=1e-12)


# temperature


@pytest.mark.parametrize("temperature", [0.9, 1.0, 1.4, 2.0])
def test_the_temperature_undoes_what_made_a_forecast_too_sure_or_too_shy(temperature: float) -> None:
    odds = truth() ** temperature
    sure = Trial({}, odds / odds.sum(axis=1, keepdims=True))
    selected = picked(sure=sure)
    assert selected.temperature == pytest.approx(temperature, abs=0.15)
    old = judging().chooses
    before, after = (mean_log_loss(each[old], judging().tiers[old]) for each in (
        sure.probabilities, tempered(sure.probabilities, selected.temperature)))  # fmt: skip
    assert after <= before + 1e-9


def test_a_temperature_stays_within_its_bounds() -> None:
    shy, certain = truth() ** 0.2, truth() ** 9
    found = [fitted_temperature(each / each.sum(axis=1, keepdims=True), judging().tiers) for each in (shy, certain)]
    assert found == pytest.approx(TEMPERATURES, abs=0.001)


def test_it_is_the_mean_that_is_tempered() -> None:
    one, two, old = blurred(1, 1), blurred(1, 2), judging().chooses
    mean = mean_of([one.probabilities[old], two.probabilities[old]])
    assert picked(one=one, two=two).temperature == fitted_temperature(mean, judging().tiers[old])


# what each half may say


@pytest.mark.parametrize("seed", range(3))
def test_what_came_of_the_newer_half_chooses_nothing(seed: int) -> None:
    levels = np.random.default_rng(5).random(ROWS)
    tried = {"one": [blurred(1, 1), blurred(1.1, 4)], "two": [blurred(1, 2, levels=levels)], "bad": [blurred(3, 3)]}
    first, other = (select(tried, judged, seed=0) for judged in (judging(), with_outcomes(~judging().chooses, seed)))
    assert (first.name, first.members) == (other.name, other.members)
    assert (first.temperature, first.range_levels, first.lines) == (other.temperature, other.range_levels, other.lines)
    assert first.threshold is not None
    assert other.threshold is None  # outcomes drawn by lot prove no confidence


def test_what_was_forecast_of_the_newer_half_chooses_nothing() -> None:
    def torn(trial: Trial) -> Trial:
        mixed, levels = trial.probabilities.copy(), trial.levels
        mixed[1_000:] = np.random.default_rng(7).dirichlet(np.ones(5), 1_000)
        return replace(
            trial, probabilities=mixed, levels=None if levels is None else levels * (np.arange(ROWS) < 1_000)
        )

    levels = np.random.default_rng(5).random(ROWS)
    tried = {"one": [blurred(1, 1), blurred(1.1, 4)], "two": [blurred(1, 2, levels=levels)]}
    other = select({name: [torn(trial) for trial in trials] for name, trials in tried.items()}, judging(), seed=0)
    first = select(tried, judging(), seed=0)
    assert (first.name, first.members, first.temperature) == (other.name, other.members, other.temperature)
    assert (first.range_levels, first.lines) == (other.range_levels, other.lines)


def test_the_threshold_is_that_of_the_newer_half_at_the_chosen_temperature() -> None:
    only, new = blurred(0.3, 1), ~judging().chooses
    first, other = picked(only=only), picked(with_outcomes(~new, 1), only=only)
    assert first.temperature != other.temperature  # other outcomes in the older half
    for selected in (first, other):
        forecast = tempered(only.probabilities, selected.temperature)[new]
        hit = forecast.argmax(axis=1) + 1 == judging().tiers[new]
        expected = confidence_threshold(forecast.max(axis=1), hit, judging().creators[new], target=TARGET, seed=0)
        assert expected is not None
        assert selected.threshold == expected


def test_at_the_same_choice_what_came_of_the_older_half_says_nothing_of_the_threshold() -> None:
    certain = Trial({}, truth() ** 9 / (truth() ** 9).sum(axis=1, keepdims=True))  # as flat as may be, whatever came
    first = picked(certain=certain)
    assert first.temperature == pytest.approx(TEMPERATURES[1], abs=0.001)
    assert first.threshold is not None
    for seed in range(3):
        assert replace(picked(with_outcomes(judging().chooses, seed), certain=certain), lines=first.lines) == first


def test_the_threshold_is_proven_where_it_is_set() -> None:
    only = blurred(0.3, 1)
    selected = picked(only=only)
    new = ~judging().chooses
    forecast = tempered(only.probabilities, selected.temperature)[new]
    sure = forecast.max(axis=1) >= selected.threshold
    assert 0.2 < sure.mean() < 1
    hit = forecast.argmax(axis=1) + 1 == judging().tiers[new]
    assert hit[sure].mean() > TARGET
    assert hit.mean() < hit[sure].mean()


def test_without_a_newer_half_there_is_no_threshold() -> None:
    everybody = replace(judging(), chooses=np.ones(ROWS, dtype=bool))
    assert picked(everybody, only=blurred(0.3, 1)).threshold is None


# the range of views


def test_the_range_is_where_four_in_five_of_the_choosing_rows_ended() -> None:
    levels = np.linspace(0, 1, ROWS) ** 2
    low, high = picked(one=blurred(1, 1), two=blurred(1, 2, levels=levels)).range_levels
    old = levels[judging().chooses]
    assert (low, high) == pytest.approx(np.clip(np.quantile(old, (0.1, 0.9)), [0.005, 0.6], [0.4, 0.995]), abs=6e-4)
    shy = 0.5 + 0.2 * (np.random.default_rng(3).random(ROWS) - 0.5)
    low, high = picked(one=blurred(1, 1, levels=shy)).range_levels
    assert (low, high) == (0.4, 0.6)


def test_a_sure_regression_gets_a_wider_range_and_one_too_shy_a_narrower() -> None:
    rng = np.random.default_rng(4)
    calibrated = rng.random(ROWS)
    too_sure = np.where(rng.random(ROWS) < 0.5, calibrated, np.round(calibrated))  # half end at the very ends
    too_shy = 0.5 + (calibrated - 0.5) / 2
    spans = []
    for levels in (too_sure, calibrated, too_shy):
        low, high = picked(one=blurred(1, 1, levels=levels)).range_levels
        spans.append(high - low)
        assert 0 <= low < 0.5 < high <= 1
    assert spans[0] > spans[1] > spans[2]
    assert spans[1] == pytest.approx(0.8, abs=0.03)


def test_without_a_regression_the_range_has_its_nominal_ends() -> None:
    assert picked(one=blurred(1, 1)).range_levels == pytest.approx((0.1, 0.9))


def test_the_same_trials_give_the_same_selection() -> None:
    tried = {"one": [blurred(1, 1)], "two": [blurred(1, 2)]}
    assert select(tried, judging(), seed=3) == select(tried, judging(), seed=3)
