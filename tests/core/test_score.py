"""One score of several signals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.core.errors import InvalidInput
from tiercast.core.score import score_signals

WEIGHTS = {"behavioral": 0.35, "gemini": 0.25, "ml": 0.15, "rules": 0.15, "trends": 0.10}
ALL = {"behavioral": 72, "gemini": 64, "ml": 61.4, "rules": 80, "trends": 55}

weights = st.dictionaries(
    st.text(min_size=1, max_size=8), st.floats(1e-6, 1e6, exclude_min=True), min_size=1, max_size=8
)
values = st.one_of(st.none(), st.integers(0, 100), st.floats(0, 100))


@st.composite
def scorable(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, object]]:
    """Weights, and signals of which at least one is there."""
    names = draw(weights)
    signals = {name: draw(values) for name in names}
    signals[draw(st.sampled_from(list(names)))] = draw(st.floats(0, 100))
    return names, signals


def test_the_contract_s_weights_without_ml() -> None:
    scored = score_signals(WEIGHTS, {**ALL, "ml": None})
    told = {name: round(share, 4) for name, share in scored.weights.items()}
    assert told == {"behavioral": 0.4118, "gemini": 0.2941, "rules": 0.1765, "trends": 0.1176}
    assert scored.missing == ("ml",)


def test_all_five_signals_keep_the_weights_of_the_settings() -> None:
    scored = score_signals(WEIGHTS, ALL)
    assert scored.weights == pytest.approx(WEIGHTS)
    assert scored.contributions == pytest.approx(
        {"behavioral": 25.2, "gemini": 16.0, "ml": 9.21, "rules": 12.0, "trends": 5.5}
    )
    assert (scored.overall_score, scored.missing) == (68, ())


def test_a_zero_counts_and_a_missing_signal_does_not() -> None:
    assert score_signals({"a": 1, "b": 1}, {"a": 80, "b": 0}).overall_score == 40
    assert score_signals({"a": 1, "b": 1}, {"a": 80}).overall_score == 80


@pytest.mark.parametrize(
    ("value", "score"), [(72.5, 73), (0.5, 1), (1.5, 2), (2.5, 3), (99.4999, 99), (0, 0), (100, 100)]
)
def test_halves_are_rounded_up(value: float, score: int) -> None:
    assert score_signals({"a": 1}, {"a": value}).overall_score == score


def test_a_half_that_binary_fractions_fall_short_of_is_a_half() -> None:
    scored = score_signals({"a": 0.1, "b": 0.7, "c": 0.2}, {"a": 14, "b": 63, "c": 0})
    assert scored.unrounded < 45.5
    assert scored.overall_score == 46


@given(scorable())
def test_weights_sum_to_one(case: tuple[dict[str, float], dict[str, object]]) -> None:
    scored = score_signals(*case)
    assert abs(math.fsum(scored.weights.values()) - 1) <= 1e-9
    assert {*scored.weights, *scored.missing} == {*case[0]}


@given(scorable())
def test_contributions_sum_to_the_score_and_stay_in_range(case: tuple[dict[str, float], dict[str, object]]) -> None:
    scored = score_signals(*case)
    assert abs(scored.unrounded - scored.overall_score) <= 0.5 + 1e-9
    assert 0 <= scored.overall_score <= 100
    low, high = min(scored.signals.values()), max(scored.signals.values())
    assert low - 1e-9 <= scored.unrounded <= high + 1e-9
    for name, points in scored.contributions.items():
        assert points == pytest.approx(scored.weights[name] * scored.signals[name])


@given(scorable(), st.randoms())
def test_the_order_of_weights_and_signals_does_not_matter(
    case: tuple[dict[str, float], dict[str, object]], random: object
) -> None:
    shuffled = [list(each.items()) for each in case]
    for each in shuffled:
        random.shuffle(each)  # type: ignore[attr-defined]
    one, other = score_signals(*case), score_signals(*(dict(each) for each in shuffled))  # type: ignore[arg-type]
    assert (one.overall_score, one.unrounded, one.weights, one.contributions) == (
        other.overall_score,
        other.unrounded,
        other.weights,
        other.contributions,
    )


@given(scorable(), st.data())
def test_removing_a_signal_keeps_the_ratios_of_the_others(
    case: tuple[dict[str, float], dict[str, object]], data: st.DataObject
) -> None:
    names, signals = case
    whole = score_signals(names, signals)
    if len(whole.signals) < 2:
        return
    gone = data.draw(st.sampled_from(sorted(whole.signals)))
    rest = score_signals(names, {**signals, gone: None})
    kept = sorted(rest.weights)
    for name in kept:
        assert rest.weights[name] / rest.weights[kept[0]] == pytest.approx(whole.weights[name] / whole.weights[kept[0]])
    assert all(rest.weights[name] >= whole.weights[name] for name in kept)


WRONG = [-0.001, 100.5, math.nan, math.inf, True, False, "72", [], {}, 10**5000, "x" * 10**6]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: type(value).__name__)
def test_what_is_no_number_of_points_is_refused_with_the_value(value: object) -> None:
    with pytest.raises(
        InvalidInput, match=r"The signal 'rules' is .*; a signal is a number of 0 to 100, or null"
    ) as told:
        score_signals(WEIGHTS, {"rules": value})
    assert len(str(told.value)) < 250


def test_an_unknown_name_is_told_with_the_nearest_and_all() -> None:
    with pytest.raises(InvalidInput, match=r"no signal 'behavioural'; did you mean 'behavioral'\? The signals are beh"):
        score_signals(WEIGHTS, {"behavioural": 70})
    with pytest.raises(InvalidInput, match=r"no signal 'mood'\. The signals are behavioral, gemini, ml, rules, trends"):
        score_signals(WEIGHTS, {"mood": None, "rules": 3})


@pytest.mark.parametrize("signals", [{}, {"ml": None}, dict.fromkeys(WEIGHTS)])
def test_without_any_signal_there_is_no_score(signals: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="Every signal is missing, so there is no score"):
        score_signals(WEIGHTS, signals)


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(InvalidInput, match="weight of the signal 'a'"):
        score_signals({"a": weight, "b": 1}, {"a": 1, "b": 1})


def test_weights_of_any_size_are_shares() -> None:
    scored = score_signals({"a": 1e308, "b": 1e308, "c": 5e-324}, {"a": 40, "b": 60, "c": 100})
    assert (scored.overall_score, scored.weights["a"]) == (50, 0.5)
