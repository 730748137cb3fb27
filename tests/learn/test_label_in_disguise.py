"""views_per_follower rebuilds the label from views; held at 0 it does not. What learns a frozen file is learnt well."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tiercast.adapters.frozen_file import read_frozen
from tiercast.core.moments import Moment
from tiercast.flows.candidates import Fitted, judge
from tiercast.flows.publish import Order, stage
from tiercast.flows.training_set import TrainingPlan, from_frozen, from_videos
from tiercast.learn.features import OBSERVED, feature_matrix
from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.generated import Generated, best_possible_accuracy, generate
from tiercast.learn.predictor import Predictor
from tiercast.learn.recipes import stratified_folds
from tiercast.learn.training_set import TrainingSet

DISGUISE = [feature.name for feature in OBSERVED].index("views_per_follower")
REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "reference_training_data.json"
FOLLOWERS = [feature.name for feature in OBSERVED].index("follower_tier")
PLAN = TrainingPlan(max_videos=10_000, min_videos=500, test_share=0.2, seed=42, save_per_like=0.15)


@cache
def made() -> Generated:
    return generate(4_000, seed=42, now=datetime(2026, 1, 5, tzinfo=UTC))


@cache
def latest() -> pl.DataFrame:
    return made().latest().filter(pl.col("likes").is_not_null())


@cache
def honest() -> TrainingSet:
    return from_videos(latest(), PLAN)


def accuracy(training_set: TrainingSet) -> float:
    """Test accuracy of a logistic on log columns, where a product is a sum."""
    X, tiers = training_set.side(test=False)
    X_test, tiers_test = training_set.side(test=True)
    model = LogisticRecipe().fit(X, tiers, {"scale": "log", "inverse_penalty": 1e3})
    return float((model.probabilities(X_test).argmax(axis=1) + 1 == tiers_test).mean())


def best_possible(rows: pl.DataFrame) -> float:
    edges = from_videos(rows, PLAN).tier_edges
    assert edges is not None
    return best_possible_accuracy(made(), edges, videos=rows)


def test_a_training_set_of_views_holds_the_label_in_disguise_at_zero() -> None:
    training_set = honest()
    assert training_set.held == {"views_per_follower": 0.0}
    assert not training_set.X[:, DISGUISE].any()
    others = np.delete(training_set.X, DISGUISE, 1)
    free = feature_matrix(latest(), save_per_like=0.15)
    np.testing.assert_array_equal(others, np.delete(free, DISGUISE, 1))
    assert free[:, DISGUISE].any()
    assert training_set.label == "views"


def test_views_per_follower_beside_followers_is_the_label() -> None:
    followers = latest()["author_followers"].fill_null(1).clip(lower_bound=1).to_numpy()
    X = honest().X.copy()
    X[:, DISGUISE] = latest()["views"].to_numpy() / followers
    X[:, FOLLOWERS] = followers
    best = best_possible(latest())
    assert accuracy(replace(honest(), X=X)) > best + 0.20
    assert accuracy(honest()) < best + 0.03


def test_even_clipped_and_beside_mere_follower_tiers_it_beats_what_is_possible_without_it() -> None:
    rows = latest().filter(pl.col("views") < pl.col("author_followers"))  # where the clip at 1 hides nothing
    held = from_videos(rows, PLAN)
    free = replace(held, X=feature_matrix(rows, save_per_like=0.15))
    best = best_possible(rows)
    assert accuracy(free) > best + 0.03
    assert accuracy(held) < best + 0.03


def test_prediction_holds_the_same_features_as_training() -> None:
    training_set = honest()
    X, tiers = training_set.side(test=False)
    fitted = Fitted("xgboost", {}, BoostedRecipe().fit(X, tiers, {"max_depth": 3, "rounds": 5}), ())
    order = Order(Moment.OBSERVED, PLAN, min_accuracy=0.6)
    release = stage(fitted, judge(fitted, training_set), training_set, order=order, libraries={})
    predictor = Predictor.of(release)
    assert predictor.held == training_set.held
    videos = latest().head(200)
    expected = predictor.model.probabilities(training_set.X[:200])
    assert predictor.probabilities(videos).tobytes() == expected.tobytes()
    assert all("views_per_follower" not in names for names in predictor.missing(videos))


def test_the_same_videos_in_another_order_have_the_same_sides_tiers_and_features() -> None:
    shuffled = latest().sample(fraction=1, shuffle=True, seed=3)
    other = from_videos(shuffled, PLAN)
    assert other.tier_edges == honest().tier_edges
    by_name = {name: row for row, name in enumerate(honest().identities)}
    place = [by_name[name] for name in other.identities]
    assert other.is_test.tolist() == honest().is_test[place].tolist()
    assert other.tiers.tolist() == honest().tiers[place].tolist()
    assert other.X.tobytes() == honest().X[place].tobytes()


def test_a_training_set_of_views_knows_its_edges_range_and_newest_video() -> None:
    training_set = honest()
    assert max(training_set.tier_distribution) - min(training_set.tier_distribution) <= 60  # equal views stay together
    assert training_set.is_test.mean() == pytest.approx(0.2, abs=0.001)
    assert training_set.newest_video_at == latest()["published_at"].max().isoformat()  # type: ignore[union-attr]


def test_the_reference_training_data_are_learnt_to_ninety_nine_in_a_hundred() -> None:
    if not REFERENCE.exists():
        pytest.skip("NOT TESTED: ../shared/data/reference_training_data.json is absent.")
    training_set = from_frozen(read_frozen(REFERENCE), PLAN)
    X, tiers = training_set.side(test=False)
    X_test, tiers_test = training_set.side(test=True)
    assert (len(X), len(X_test)) == (5_886, 1_472)
    recipe = LogisticRecipe()
    choice = recipe.choose(X, tiers, stratified_folds(tiers, seed=42))
    assert choice.settings["scale"] == "linear"
    model = recipe.fit(X, tiers, choice.settings)
    assert (model.probabilities(X_test).argmax(axis=1) + 1 == tiers_test).mean() >= 0.99
    assert training_set.label == "given"
    assert training_set.tier_edges is None
