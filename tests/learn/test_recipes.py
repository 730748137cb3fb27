"""The recipes: the same bytes every time, and the scale that the labels need."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tiercast.core.moments import Moment
from tiercast.learn.fit import recipes_of
from tiercast.learn.fit_boosted import ROUNDS, BoostedRecipe, CumulativeRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.models import Inputs
from tiercast.learn.recipes import Fold, Recipe, Rows, Trial, mean_log_loss, stratified_folds
from tiercast.learn.selection import Judging, Line, select
from tiercast.learn.training_set import tier_weights

ALL_RECIPES = [*dict.fromkeys(recipe for moment in Moment for recipe in recipes_of(moment, "views"))]
"""Each once: those of observed, of draft and of early."""
RECIPE = pytest.mark.parametrize(
    "recipe", ALL_RECIPES, ids=[f"{recipe.name}-{number}" for number, recipe in enumerate(ALL_RECIPES)]
)


def labelled(target: str, count: int = 1_500) -> Rows:
    """Heavy-tailed rates; tiers cut from a linear, or from a multiplicative function of them."""
    rng = np.random.default_rng(21)
    X = np.clip(0.02 * np.exp(rng.normal(0, 1, (count, 15))), 0, 1)
    made = X @ np.array([1, 2, 3, *[0] * 12]) if target == "linear" else X[:, 0] * X[:, 1] ** 2 / X[:, 2]
    edges = np.percentile(made, [20, 40, 60, 80])
    tiers = 1 + np.searchsorted(edges, made).astype(np.int64)
    inputs = Inputs(X, np.tile(20 + np.log(edges), (count, 1)), np.zeros(count))
    return Rows(inputs, tiers, tier_weights(tiers), 20 + np.log(made))


def shuffled(rows: Rows) -> Rows:
    """The same features with the labels of other rows: nothing is left to learn."""
    order = np.random.default_rng(1).permutation(len(rows))
    assert rows.log_views is not None
    return replace(rows, tiers=rows.tiers[order], weights=rows.weights[order], log_views=rows.log_views[order])


def best_of(trials: list[Trial], rows: Rows, folds: list[Fold]) -> Line:
    """The settings with the lowest log loss on all judged rows."""
    tiers = rows.tiers[np.concatenate([fold.judge for fold in folds])]
    everything = Judging(tiers, np.arange(len(tiers)), np.ones(len(tiers), dtype=bool))
    (line,) = select({"only": trials}, everything, seed=0).lines
    return line


def chosen(recipe: Recipe, rows: Rows, folds: list[Fold]) -> Line:
    """The best settings of a recipe, and their log loss."""
    return best_of(recipe.trials(rows, folds), rows, folds)


@RECIPE
def test_the_same_rows_give_the_same_choice_and_the_same_bytes(recipe: Recipe) -> None:
    rows = labelled("linear", 400)
    rows.inputs.X[::7, 4] = np.nan
    folds = stratified_folds(rows.tiers, seed=42)
    first, second = recipe.trials(rows, folds), recipe.trials(rows, folds)
    assert [trial.settings for trial in first] == [trial.settings for trial in second]
    for one, other in zip(first, second, strict=True):
        assert one.probabilities.tobytes() == other.probabilities.tobytes()
        assert (one.levels is None) == (other.levels is None) == (recipe.name != "ordinal")
        assert one.levels is None or one.levels.tobytes() == other.levels.tobytes()  # type: ignore[union-attr]
    settings = best_of(first, rows, folds).settings
    assert settings == best_of(second, rows, folds).settings
    assert recipe.fit(rows, settings).to_files() == recipe.fit(rows, settings).to_files()


def test_recipes_that_run_side_by_side_give_the_bytes_of_one_after_the_other() -> None:
    rows = labelled("linear", 300)
    settings = {"scale": "linear", "inverse_penalty": 0.1, "rounds": 20}
    alone = [recipe.fit(rows, settings).to_files() for recipe in ALL_RECIPES]
    with ThreadPoolExecutor(len(ALL_RECIPES)) as workers:
        beside = [*workers.map(lambda recipe: recipe.fit(rows, settings).to_files(), ALL_RECIPES)]
    assert beside == alone


@RECIPE
def test_a_trial_judges_the_rows_of_the_folds_one_fold_after_the_other(recipe: Recipe) -> None:
    rows = labelled("linear", 300)
    folds = [Fold(np.arange(200), np.array([250, 201, 299])), Fold(np.arange(250), np.array([298, 260]))]
    for trial in recipe.trials(rows, folds)[:2]:
        assert trial.probabilities.shape == (5, 5)
        np.testing.assert_allclose(trial.probabilities.sum(axis=1), 1, atol=1e-9)
        expected = [recipe.fit(rows[fold.fit], trial.settings).probabilities(rows.inputs[fold.judge]) for fold in folds]
        # The logistic starts each fit where the one before ended, so it ends within its tolerance.
        tolerance = 0.02 if recipe.name == "logistic" else 1e-6
        np.testing.assert_allclose(trial.probabilities, np.concatenate(expected), atol=tolerance)


@RECIPE
def test_fitting_changes_neither_features_nor_labels(recipe: Recipe) -> None:
    rows = labelled("linear", 200)
    rows.inputs.X[3, 3] = np.nan
    parts = (rows.inputs.X, rows.inputs.edges, rows.inputs.start, rows.tiers, rows.weights, rows.log_views)
    before = [np.array(part) for part in parts]
    recipe.fit(rows, chosen(recipe, rows, stratified_folds(rows.tiers, seed=1)).settings)
    for part, copy in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part, copy)


@RECIPE
def test_a_fit_weighs_rare_tiers_up(recipe: Recipe) -> None:
    whole = labelled("linear", 1_000)
    few = np.flatnonzero(whole.tiers == 3)[40:]
    rows = whole[np.setdiff1d(np.arange(len(whole)), few)]
    noise = Inputs(np.random.default_rng(0).random(rows.inputs.X.shape), rows.inputs.edges, rows.inputs.start)
    settings = {"scale": "linear", "inverse_penalty": 0.1, "rounds": 1}
    share = (rows.tiers == 3).mean()
    rows = replace(rows, inputs=noise)
    weighed = recipe.fit(replace(rows, weights=tier_weights(rows.tiers)), settings).probabilities(noise).mean(axis=0)
    alike = recipe.fit(replace(rows, weights=np.ones(len(rows))), settings).probabilities(noise).mean(axis=0)
    assert weighed[2] > 1.8 * share  # a fit that counts every row alike would say its share
    assert weighed[2] > 1.4 * alike[2]


@pytest.mark.parametrize(("target", "scale"), [("linear", "linear"), ("product", "log")])
def test_the_logistic_chooses_the_scale_that_the_labels_were_cut_on(target: str, scale: str) -> None:
    rows = labelled(target)
    choice = chosen(LogisticRecipe(), rows, stratified_folds(rows.tiers, seed=42))
    assert choice.settings["scale"] == scale
    assert choice.log_loss < 0.4


def test_pure_noise_is_shrunk_and_a_clean_cut_is_not() -> None:
    rows = labelled("linear")
    folds = stratified_folds(rows.tiers, seed=42)
    assert chosen(LogisticRecipe(), shuffled(rows), folds).settings["inverse_penalty"] == 0.1
    assert chosen(LogisticRecipe(), rows, folds).settings["inverse_penalty"] >= 1e3  # type: ignore[operator]


@pytest.mark.parametrize("recipe", [BoostedRecipe(), CumulativeRecipe()], ids=lambda recipe: recipe.name)
def test_boosting_stops_early_on_pure_noise_and_late_on_a_clean_cut(recipe: Recipe) -> None:
    clean, noise = labelled("linear", 600), shuffled(labelled("linear", 600))
    choice = chosen(recipe, noise, stratified_folds(noise.tiers, seed=42))
    assert choice.settings["rounds"] == ROUNDS[0]
    assert choice.log_loss > 1.4
    assert chosen(recipe, clean, stratified_folds(clean.tiers, seed=42)).settings["rounds"] == ROUNDS[-1]


@pytest.mark.parametrize(
    ("moment", "label", "names"),
    [
        (Moment.OBSERVED, "views", ["logistic", "xgboost"]),
        (Moment.OBSERVED, "given", ["logistic", "xgboost"]),
        (Moment.DRAFT, "views", ["logistic", "xgboost", "cumulative", "ordinal"]),
        (Moment.EARLY, "views", ["logistic", "xgboost", "cumulative", "ordinal"]),
    ],
)
def test_only_a_forecast_of_views_tries_a_regression_on_views(moment: Moment, label: str, names: list[str]) -> None:
    recipes = {recipe.name: recipe for recipe in recipes_of(moment, label)}  # type: ignore[arg-type]
    assert [*recipes] == names
    if "ordinal" in recipes:
        assert recipes["ordinal"].grows == (moment is Moment.EARLY)  # type: ignore[attr-defined]


@pytest.mark.parametrize("lacking", ["log_views", "start"])
def test_a_regression_on_views_refuses_rows_without_views(lacking: str) -> None:
    rows = labelled("linear", 100)
    without = replace(rows, log_views=None) if lacking == "log_views" else replace(rows, inputs=Inputs(rows.inputs.X))
    (ordinal,) = (recipe for recipe in recipes_of(Moment.DRAFT, "views") if recipe.name == "ordinal")
    with pytest.raises(ValueError, match="needs views"):
        ordinal.fit(without, {})


def test_some_of_the_rows_are_all_that_belongs_to_them() -> None:
    rows, some = labelled("linear", 50), np.array([7, 3])
    part = rows[some]
    assert len(part) == 2
    assert part.inputs.X.tolist() == rows.inputs.X[some].tolist()
    assert (part.tiers.tolist(), part.weights.tolist()) == (rows.tiers[some].tolist(), rows.weights[some].tolist())
    assert part.log_views is not None
    assert part.log_views.tolist() == rows.log_views[some].tolist()  # type: ignore[index]
    given = replace(rows, inputs=Inputs(rows.inputs.X), log_views=None)[some]
    assert (given.log_views, given.inputs.edges, given.inputs.start) == (None, None, None)


def test_a_probability_of_nothing_for_what_came_costs_much_and_not_everything() -> None:
    surely_wrong = np.array([[1.0, 0, 0, 0, 0]])
    assert mean_log_loss(surely_wrong, np.array([2])) == pytest.approx(-np.log(np.finfo(float).eps))
    assert mean_log_loss(surely_wrong, np.array([1])) == 0


def test_folds_judge_every_row_once_with_every_tier_in_its_share() -> None:
    tiers = labelled("linear", 300).tiers
    folds = stratified_folds(tiers, seed=42)
    assert sorted(np.concatenate([fold.judge for fold in folds]).tolist()) == list(range(300))
    for fold in folds:
        assert not set(fold.fit.tolist()) & set(fold.judge.tolist())
        assert np.bincount(tiers[fold.judge])[1:].tolist() == [20] * 5


def test_folds_follow_the_seed() -> None:
    tiers = labelled("linear", 300).tiers
    first, again, other = (stratified_folds(tiers, seed=seed)[0].judge.tolist() for seed in (1, 1, 2))
    assert first == again != other
