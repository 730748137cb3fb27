"""The recipes: the same bytes every time, and the scale that the labels need."""

import numpy as np
import pytest

from tiercast.learn.fit import RECIPES
from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.recipes import Recipe, stratified_folds

RECIPE = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def labelled(target: str, count: int = 1_500) -> tuple[np.ndarray, np.ndarray]:
    """Heavy-tailed rates; tiers cut from a linear, or from a multiplicative function of them."""
    rng = np.random.default_rng(21)
    X = np.clip(0.02 * np.exp(rng.normal(0, 1, (count, 15))), 0, 1)
    made = X @ np.array([1, 2, 3, *[0] * 12]) if target == "linear" else X[:, 0] * X[:, 1] ** 2 / X[:, 2]
    edges = np.percentile(made, [20, 40, 60, 80])
    return X, 1 + np.searchsorted(edges, made).astype(np.int64)


@RECIPE
def test_the_same_rows_give_the_same_choice_and_the_same_bytes(recipe: Recipe) -> None:
    X, tiers = labelled("linear", 400)
    X[::7, 4] = np.nan
    folds = stratified_folds(tiers, seed=42)
    first, second = recipe.choose(X, tiers, folds), recipe.choose(X, tiers, folds)
    assert first == second
    files = [recipe.fit(X, tiers, choice.settings).to_files() for choice in (first, second)]
    assert files[0] == files[1]


@RECIPE
def test_fitting_changes_neither_features_nor_tiers(recipe: Recipe) -> None:
    X, tiers = labelled("linear", 200)
    X[3, 3] = np.nan
    before = X.copy(), tiers.copy()
    recipe.fit(X, tiers, recipe.choose(X, tiers, stratified_folds(tiers, seed=1)).settings)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(tiers, before[1])


@RECIPE
def test_a_fit_weighs_rare_tiers_up(recipe: Recipe) -> None:
    X, tiers = labelled("linear", 1_000)
    few = np.flatnonzero(tiers == 3)[40:]
    X, tiers = np.delete(X, few, 0), np.delete(tiers, few)
    noise = np.random.default_rng(0).random(X.shape)
    settings = {"scale": "linear", "inverse_penalty": 0.1, "max_depth": 3, "rounds": 1}
    mean = recipe.fit(noise, tiers, settings).probabilities(noise).mean(axis=0)
    assert mean[2] > 1.8 * (tiers == 3).mean()  # a fit that counts every row alike would say its share


@pytest.mark.parametrize(("target", "scale"), [("linear", "linear"), ("product", "log")])
def test_the_logistic_chooses_the_scale_that_the_labels_were_cut_on(target: str, scale: str) -> None:
    X, tiers = labelled(target)
    choice = LogisticRecipe().choose(X, tiers, stratified_folds(tiers, seed=42))
    assert choice.settings["scale"] == scale
    assert choice.log_loss < 0.4


def test_pure_noise_is_shrunk_and_a_clean_cut_is_not() -> None:
    X, tiers = labelled("linear")
    folds = stratified_folds(tiers, seed=42)
    shuffled = np.random.default_rng(1).permutation(tiers)
    assert LogisticRecipe().choose(X, shuffled, folds).settings["inverse_penalty"] == 0.1
    assert LogisticRecipe().choose(X, tiers, folds).settings["inverse_penalty"] >= 1e3


def test_boosting_stops_early_on_pure_noise() -> None:
    X, tiers = labelled("linear", 600)
    shuffled = np.random.default_rng(1).permutation(tiers)
    choice = BoostedRecipe().choose(X, shuffled, stratified_folds(shuffled, seed=42))
    assert choice.settings["rounds"] < 20  # type: ignore[operator]
    assert choice.log_loss > 1.4


def test_folds_judge_every_row_once_with_every_tier_in_its_share() -> None:
    _, tiers = labelled("linear", 300)
    folds = stratified_folds(tiers, seed=42)
    assert sorted(np.concatenate([fold.judge for fold in folds]).tolist()) == list(range(300))
    for fold in folds:
        assert not set(fold.fit.tolist()) & set(fold.judge.tolist())
        assert np.bincount(tiers[fold.judge])[1:].tolist() == [20] * 5


def test_folds_follow_the_seed() -> None:
    _, tiers = labelled("linear", 300)
    first, again, other = (stratified_folds(tiers, seed=seed)[0].judge.tolist() for seed in (1, 1, 2))
    assert first == again != other
