"""The regression on views: one distribution, asked at the edges, at any point, and at any level."""

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.canonical import canonical_json
from tiercast.core.errors import InvalidInput
from tiercast.learn.boosting import answers
from tiercast.learn.fit_ordinal import N_GROUPS, N_QUANTILES, OrdinalRecipe, _quantiles
from tiercast.learn.models import Inputs, load_model
from tiercast.learn.ordinal import FILE, LEAST_SHARE, MEAN_FILE, ROUNDING, SCALE_FILE, Line, OrdinalModel
from tiercast.learn.recipes import Fold, Rows
from tiercast.learn.training_set import tier_weights

GROWS = pytest.mark.parametrize("grows", [False, True], ids=["any", "grows"])
EDGES = np.array([6.0, 7.0, 8.0, 9.5])
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def videos(count: int = 1_200, seed: int = 1, *, grows: bool = False) -> Rows:
    """Log views around 4 + 6 x0, straying by .2 to 1.4 with x1; a tenth unknown in columns that say nothing."""
    rng = np.random.default_rng(seed)
    X = rng.random((count, 6))
    start = 3 * rng.random(count) if grows else np.zeros(count)
    stray = (0.2 + 1.2 * X[:, 1]) * rng.standard_normal(count)
    ended = start + np.abs(1 + 6 * X[:, 0] + stray) if grows else 4 + 6 * X[:, 0] + stray
    X[:, 2:][rng.random((count, 4)) < 0.1] = np.nan
    edges = EDGES + rng.normal(0, 0.3, (count, 1))  # each video's own, as with tiers relative to its creator
    tiers = 1 + (ended[:, None] > edges).sum(axis=1)
    return Rows(Inputs(X, edges, start), tiers, tier_weights(tiers), ended)


@cache
def model(*, grows: bool) -> OrdinalModel:
    return OrdinalRecipe(grows=grows).fit(replace(videos(grows=grows), weights=np.ones(1_200)), {})


@cache
def asked(*, grows: bool) -> Inputs:
    return videos(300, seed=2, grows=grows).inputs


@GROWS
def test_probabilities_sum_to_one_and_none_is_impossible(grows: bool) -> None:
    found = model(grows=grows).probabilities(asked(grows=grows))
    assert found.shape == (300, 5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert found.min() >= LEAST_SHARE / (1 + 5 * LEAST_SHARE)
    assert np.ptp(found, axis=0).min() > 0.3  # and they tell videos apart


@GROWS
def test_probabilities_are_the_shares_between_the_edges(grows: bool) -> None:
    inputs = asked(grows=grows)
    assert inputs.edges is not None
    below = model(grows=grows).shares_below(inputs, inputs.edges)
    assert (np.diff(below, axis=1) >= 0).all()
    between = np.diff(np.hstack([np.zeros((300, 1)), below, np.ones((300, 1))]), axis=1)
    floored = np.maximum(between, LEAST_SHARE)
    expected = floored / floored.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(grows=grows).probabilities(inputs), expected, rtol=0, atol=1e-12)


def test_edges_without_which_there_are_no_tiers_are_asked_for() -> None:
    with pytest.raises(ValueError, match="needs the edges"):
        model(grows=False).probabilities(Inputs(asked(grows=False).X))


@GROWS
def test_quantiles_are_where_the_share_below_is_their_level(grows: bool) -> None:
    inputs = asked(grows=grows)
    found = model(grows=grows).quantiles(inputs, LEVELS)
    assert (np.diff(found, axis=1) >= 0).all()
    shares = model(grows=grows).shares_below(inputs, found)
    assert inputs.start is not None
    free = found > inputs.start[:, None] if grows else np.ones(found.shape, dtype=bool)
    assert free.mean() > 0.9
    np.testing.assert_allclose(shares[free], np.broadcast_to(LEVELS, found.shape)[free], rtol=0, atol=1e-9)
    assert (shares >= np.array(LEVELS) - 1e-9).all()  # at the start lies all that would have ended below it


@given(st.floats(0, 20), st.floats(0, 20))
@settings(deadline=None, max_examples=30)
def test_a_share_below_a_higher_point_is_no_smaller(one: float, other: float) -> None:
    inputs = asked(grows=False)[:20]
    shares = model(grows=False).shares_below(inputs, np.tile([min(one, other), max(one, other)], (20, 1)))
    assert (shares[:, 0] <= shares[:, 1]).all()
    assert (shares.min(), shares.max()) >= (0, 0)
    assert shares.max() <= 1


def test_views_never_fall_below_the_start_where_they_grow() -> None:
    inputs = asked(grows=True)
    assert inputs.start is not None
    high = replace(inputs, start=inputs.start + 50 * (np.arange(300) % 2))
    assert high.start is not None
    grown = model(grows=True)
    assert (grown.quantiles(high, (0.0, 0.001, 0.1)) >= high.start[:, None]).all()
    just_below = (high.start - ROUNDING - 1e-9)[:, None]
    assert grown.shares_below(high, just_below).max() == 0
    assert grown.shares_below(high, just_below + 2 * ROUNDING).max() > 0
    assert grown.probabilities(high)[1::2, 4].min() > 0.99  # all edges lie below a start of 50


def test_where_views_may_fall_the_start_is_no_floor() -> None:
    free = replace(model(grows=True), grows=False)
    inputs = asked(grows=True)
    assert inputs.start is not None
    assert (free.quantiles(inputs, (0.001,)) < inputs.start[:, None]).any()
    assert free.shares_below(inputs, (inputs.start - 0.1)[:, None]).max() > 0


def test_the_start_moves_the_whole_distribution() -> None:
    inputs, grown = asked(grows=True), model(grows=True)
    assert inputs.start is not None
    later = replace(inputs, start=inputs.start + 2)
    np.testing.assert_allclose(grown.quantiles(later, LEVELS), grown.quantiles(inputs, LEVELS) + 2, atol=1e-9)


@GROWS
def test_files_give_the_same_bits_back(grows: bool) -> None:
    fitted, inputs = model(grows=grows), asked(grows=grows)
    files = fitted.to_files()
    again = load_model("ordinal", files)
    assert isinstance(again, OrdinalModel)
    assert {*files} == {FILE, MEAN_FILE, SCALE_FILE}
    assert again.to_files() == files
    assert (again.mean_line, again.scale_line) == (fitted.mean_line, fitted.scale_line)
    assert (again.bounds, again.residuals, again.grows) == (fitted.bounds, fitted.residuals, grows)
    assert again.probabilities(inputs).tobytes() == fitted.probabilities(inputs).tobytes()
    assert again.quantiles(inputs, LEVELS).tobytes() == fitted.quantiles(inputs, LEVELS).tobytes()


@pytest.mark.parametrize("part", ["mean_line", "scale_line", "bounds", "residuals", "grows"])
def test_a_file_without_one_of_its_parts_is_refused(part: str) -> None:
    files = model(grows=True).to_files()
    document = json.loads(files[FILE])
    del document[part]
    with pytest.raises(InvalidInput, match="The ordinal model's files cannot be read"):
        load_model("ordinal", {**files, FILE: canonical_json(document)})


@GROWS
def test_one_row_has_the_very_bits_that_it_has_among_others(grows: bool) -> None:
    fitted, inputs = model(grows=grows), asked(grows=grows)[:100]
    for order in ("C", "F"):
        many = replace(inputs, X=np.asarray(inputs.X, order=order))  # type: ignore[call-overload]
        alone = [many[number : number + 1] for number in range(len(many))]
        told = np.vstack([fitted.probabilities(one) for one in alone])
        assert told.tobytes() == fitted.probabilities(many).tobytes()
        told = np.vstack([fitted.quantiles(one, LEVELS) for one in alone])
        assert told.tobytes() == fitted.quantiles(many, LEVELS).tobytes()


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 63])
def test_a_line_of_any_number_of_columns_is_as_high_for_one_row_as_among_others(columns: int) -> None:
    rng = np.random.default_rng(columns)
    X = rng.normal(0, 10, (200, columns + 2))
    X[rng.random(X.shape) < 0.1] = np.nan
    chosen = tuple(range(columns))
    line = Line(chosen, tuple(rng.normal(size=columns).tolist()), tuple(rng.normal(size=columns).tolist()), 0.3)
    for rows in (X, np.asfortranarray(X), X[::-1]):
        alone = np.concatenate([line.at(rows[number : number + 1]) for number in range(200)])
        assert alone.tobytes() == line.at(rows).tobytes()


def test_a_line_puts_the_median_where_a_feature_is_unknown() -> None:
    line = Line((0, 2), (5.0, 7.0), (2.0, -1.0), 0.5)
    assert line.at(np.array([[1.0, 99.0, 3.0], [np.nan, 99.0, 3.0], [np.nan, np.nan, np.nan]])).tolist() == [
        2 * 1 - 3 + 0.5, 2 * 5 - 3 + 0.5, 2 * 5 - 7 + 0.5,
    ]  # fmt: skip
    assert Line(constant=1.5).at(np.zeros((2, 3))).tolist() == [1.5, 1.5]


@GROWS
def test_four_in_five_new_videos_end_inside_the_range_where_they_stray_little_and_where_much(grows: bool) -> None:
    new = videos(4_000, seed=3, grows=grows)
    assert new.log_views is not None
    low, high = model(grows=grows).quantiles(new.inputs, (0.1, 0.9)).T
    inside, wide = (low <= new.log_views) & (new.log_views <= high), new.inputs.X[:, 1] > 0.5
    assert inside.mean() == pytest.approx(0.8, abs=0.04)
    assert inside[wide].mean() == pytest.approx(0.8, abs=0.1)  # one width for all would hold .69 here and .93 there
    assert inside[~wide].mean() == pytest.approx(0.8, abs=0.1)
    assert (high - low)[wide].mean() > 1.6 * (high - low)[~wide].mean()  # .2 to .8 against .8 to 1.4


def test_shares_below_what_came_are_spread_evenly_over_new_videos() -> None:
    new = videos(4_000, seed=4)
    assert new.log_views is not None
    levels = model(grows=False).shares_below(new.inputs, new.log_views[:, None])[:, 0]
    counts = np.histogram(levels, bins=10, range=(0, 1))[0] / 4_000
    assert counts == pytest.approx(np.full(10, 0.1), abs=0.03)


def test_probabilities_are_frequencies_on_new_videos() -> None:
    new = videos(4_000, seed=5)
    told = model(grows=False).probabilities(new.inputs)
    came = new.tiers[:, None] == np.arange(1, 6)
    assert told.mean(axis=0) == pytest.approx(came.mean(axis=0), abs=0.02)
    sure = told > 0.7
    assert sure.sum() > 500
    assert came[sure].mean() == pytest.approx(told[sure].mean(), abs=0.05)


def test_where_views_grow_a_line_goes_on_beyond_all_that_training_showed() -> None:
    rng = np.random.default_rng(6)
    X = rng.random((1_000, 3))
    ended = 2 + 6 * X[:, 0] + 0.1 * rng.standard_normal(1_000)
    rows = Rows(Inputs(X, np.tile(EDGES, (1_000, 1)), np.zeros(1_000)), np.ones(1_000, int), np.ones(1_000), ended)
    beyond = Inputs(np.array([[2.0, 0.5, 0.5]]), EDGES[None, :], np.zeros(1))
    straight, trees = (OrdinalRecipe(grows=grows).fit(rows, {}) for grows in (True, False))
    assert straight.mean_line.columns == (0, 1, 2)
    assert straight.quantiles(beyond, (0.5,))[0, 0] == pytest.approx(2 + 6 * 2, abs=0.6)
    assert trees.mean_line.columns == ()
    assert trees.quantiles(beyond, (0.5,))[0, 0] == pytest.approx(2 + 6 * 1, abs=0.6)


def test_an_unknown_and_a_constant_column_leave_the_line_as_it_is() -> None:
    rows = videos(400, seed=7, grows=True)
    X = np.column_stack([rows.inputs.X, np.full(400, np.nan), np.full(400, 3.0)])
    wider = replace(rows, inputs=replace(rows.inputs, X=X))
    line = OrdinalRecipe(grows=True).fit(wider, {}).mean_line
    assert line.weights[6:] == (0.0, 0.0)
    expected = OrdinalRecipe(grows=True).fit(rows, {}).mean_line
    np.testing.assert_allclose(line.weights[:6], expected.weights, atol=1e-12)
    assert line.constant == pytest.approx(expected.constant)


@GROWS
def test_the_same_rows_give_the_same_bytes_and_other_weights_others(grows: bool) -> None:
    rows = videos(300, seed=8, grows=grows)
    first, again = (OrdinalRecipe(grows=grows).fit(rows, {}).to_files() for _ in range(2))
    assert first == again
    other = OrdinalRecipe(grows=grows).fit(replace(rows, weights=rows.weights * (1 + rows.tiers)), {})
    assert all(other.to_files()[name] != first[name] for name in first)


@GROWS
def test_rows_of_more_weight_pull_the_mean_and_the_residuals(grows: bool) -> None:
    rng = np.random.default_rng(11)
    X, heavy = rng.integers(0, 2, (800, 2)).astype(np.float64), rng.random(800) < 0.5
    ended = np.where(X[:, 0] == 0, 1.0, np.where(heavy, 4.0, 14.0))
    inputs = Inputs(X, np.tile(EDGES, (800, 1)), np.zeros(800))
    rows = Rows(inputs, np.ones(800, int), np.where(heavy, 9.0, 1.0), ended)
    fitted = OrdinalRecipe(grows=grows).fit(rows, {})
    mean = fitted.mean_line.at(X) + answers(fitted.mean, X)
    assert mean[X[:, 0] == 1] == pytest.approx(0.9 * 4 + 0.1 * 14, abs=0.5)  # 9 where all weigh the same
    below = fitted.shares_below(inputs, np.full((800, 1), 8.0))[X[:, 0] == 1]
    assert below == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(("count", "groups"), [(40, 1), (119, 1), (120, 2), (480, 8), (1_200, N_GROUPS)])
def test_residuals_are_told_apart_by_groups_of_like_means_where_rows_suffice(count: int, groups: int) -> None:
    fitted = OrdinalRecipe().fit(videos(count, seed=9), {})
    assert (len(fitted.residuals), len(fitted.bounds)) == (groups, groups - 1)
    assert all(len(row) == N_QUANTILES for row in fitted.residuals)
    assert list(fitted.bounds) == sorted(fitted.bounds)
    assert all(lower < higher for row in fitted.residuals for lower, higher in pairwise((row[0], row[50], row[-1])))


def test_a_group_of_means_that_no_row_has_is_none() -> None:
    nothing = Inputs(np.full((480, 3), np.nan), None, np.zeros(480))
    rows = replace(videos(480, seed=9), inputs=nothing, weights=np.ones(480))
    fitted = OrdinalRecipe().fit(rows, {})
    assert len(fitted.bounds) == len(fitted.residuals) - 1 <= 1  # two halves, each of one mean
    assert rows.log_views is not None
    assert fitted.quantiles(nothing, (0.1, 0.9))[0] == pytest.approx(np.quantile(rows.log_views, (0.1, 0.9)), abs=0.3)


def test_quantiles_weigh_each_value_and_end_a_little_outside() -> None:
    values = np.arange(1_000.0)
    even = _quantiles(values, np.ones(1_000))
    assert even[[1, 50, -2]] == pytest.approx([9.5, 499.5, 989.5], abs=0.5)
    assert even[0] < 0
    assert even[-1] > 999
    heavy = _quantiles(values, np.where(values < 100, 9.0, 1.0))  # the lowest tenth weighs as much as the rest
    assert heavy[50] == pytest.approx(100, abs=1)
    assert np.ptp(_quantiles(np.zeros(10), np.ones(10))) > 0


def test_a_trial_tells_how_much_of_the_distribution_lay_below_what_came() -> None:
    rows = videos(600, seed=10)
    fold = Fold(np.arange(400), np.arange(599, 399, -1))
    (trial,) = OrdinalRecipe().trials(rows, [fold])
    fitted, judge = OrdinalRecipe().fit(rows[fold.fit], {}), rows[fold.judge]
    assert judge.log_views is not None
    expected = fitted.shares_below(judge.inputs, judge.log_views[:, None])[:, 0]
    assert trial.levels is not None
    assert trial.levels.tobytes() == expected.tobytes()
    assert trial.probabilities.tobytes() == fitted.probabilities(judge.inputs).tobytes()
