"""Models: through files and back to the same bits, and how unknown features are treated."""

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from tiercast.core.canonical import sha256_hex
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.release import FeatureUse, Manifest, Release, RowSet, verify_release
from tiercast.core.tiers import RelativeTo
from tiercast.intake.schema import SCHEMA
from tiercast.learn.blend import Blend
from tiercast.learn.features import OBSERVED, feature_schema
from tiercast.learn.fit_boosted import BoostedRecipe, CumulativeRecipe
from tiercast.learn.fit_logistic import Columns, LogisticRecipe, column_medians
from tiercast.learn.fit_ordinal import OrdinalRecipe
from tiercast.learn.logistic import FAR, LogisticModel, with_flags
from tiercast.learn.models import KINDS, Inputs, TierModel, load_model
from tiercast.learn.predictor import Predictor, checked
from tiercast.learn.recipes import Recipe, Rows
from tiercast.learn.references import TierReference
from tiercast.learn.training_set import tier_weights

KIND = pytest.mark.parametrize("kind", KINDS)
RECIPES: dict[str, tuple[Recipe, dict[str, object]]] = {
    "logistic": (LogisticRecipe(), {"scale": "log", "inverse_penalty": 10.0}),
    "xgboost": (BoostedRecipe(), {"rounds": 20}),
    "cumulative": (CumulativeRecipe(), {"rounds": 20}),
    "ordinal": (OrdinalRecipe(), {}),
}


def rows(count: int = 400, seed: int = 11) -> Rows:
    """Skewed features, a tenth unknown, one column constant and one all unknown; tiers from two of them."""
    rng = np.random.default_rng(seed)
    X = rng.beta(1, 6, (count, 15))
    edges, made = np.array([0.4, 0.8, 1.2, 1.8]), 4 * X[:, 0] + 3 * X[:, 1] + 0.1 * rng.standard_normal(count)
    tiers = 1 + np.searchsorted(edges, made).astype(np.int64)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 7], X[:, 9] = 0.25, np.nan
    inputs = Inputs(X, np.tile(5 + 3 * edges, (count, 1)), np.zeros(count))
    return Rows(inputs, tiers, tier_weights(tiers), 5 + 3 * made)


def changed(inputs: Inputs, **columns: object) -> Inputs:
    """The same questions with other values in some columns, each named c and its number."""
    X = inputs.X.copy()
    for name, values in columns.items():
        X[:, int(name.removeprefix("c"))] = values
    return replace(inputs, X=X)


@cache
def model(kind: str) -> TierModel:
    recipe, settings = RECIPES[kind]
    return recipe.fit(rows(), settings)


def release(kind: str, **changes: object) -> Release:
    files = Blend((model(kind),)).to_files()
    features = [FeatureUse(f.name, f.unit, f.low, f.high, f.meaning, None, 0.1, 0.0) for f in OBSERVED]
    manifest = Manifest(
        moment=Moment.OBSERVED,
        label="views",
        model=kind,
        features=tuple(features),
        feature_schema=feature_schema(OBSERVED),
        tier_edges=(1, 2, 3, 4),
        tiers=TierReference(RelativeTo.ALL, {"all": (1, 2, 3, 4)}).to_document(),
        marks=(),
        log_views_range=(0.0, 9.0),
        newest_training_video_at=None,
        calibration=None,
        confidence_threshold=None,
        training=RowSet(320, "a"),
        test=RowSet(80, "b"),
        metrics={},
        settings={"save_per_like": 0.15},
        libraries={},
        files={name: sha256_hex(content) for name, content in files.items()},
    )
    return Release.stage(replace(manifest, **changes), files)  # type: ignore[arg-type]


@KIND
def test_a_model_comes_back_from_its_files_to_the_same_bits(kind: str) -> None:
    asked = rows(50, seed=2).inputs
    files = model(kind).to_files()
    again = load_model(kind, files)
    assert again.kind == kind
    assert again.to_files() == files
    assert again.probabilities(asked).tobytes() == model(kind).probabilities(asked).tobytes()


@KIND
def test_a_release_serves_the_very_bits_that_were_fitted(kind: str) -> None:
    asked = rows(50, seed=2).inputs
    served = Predictor.of(release(kind)).blend
    assert [member.kind for member in served.members] == [kind]
    assert served.probabilities(asked).tobytes() == model(kind).probabilities(asked).tobytes()


@KIND
def test_probabilities_are_five_and_sum_to_one_whatever_is_unknown(kind: str) -> None:
    asked = rows(50, seed=3).inputs
    asked.X[0], asked.X[1], asked.X[2] = np.nan, 0, 1
    found = model(kind).probabilities(asked)
    assert found.shape == (50, 5)
    assert checked(found) is found


@KIND
def test_one_video_alone_has_the_same_forecast_as_among_others(kind: str) -> None:
    asked = rows(20, seed=4).inputs
    alone = np.vstack([model(kind).probabilities(asked[n : n + 1]) for n in range(20)])
    np.testing.assert_allclose(alone, model(kind).probabilities(asked), rtol=0, atol=1e-12)


@KIND
def test_a_model_learned_something(kind: str) -> None:
    own = rows()
    assert (model(kind).probabilities(own.inputs).argmax(axis=1) + 1 == own.tiers).mean() > 0.5


@KIND
def test_a_release_with_one_flipped_bit_in_its_model_is_refused_wherever_it_is(kind: str) -> None:
    whole = release(kind)
    assert verify_release(whole.id, whole.manifest_bytes, whole.files) == whole
    for name, content in whole.files.items():
        for position in {*range(0, len(content), max(1, len(content) // 100)), len(content) - 1}:
            damaged = bytearray(content)
            damaged[position] ^= 1
            with pytest.raises(InvalidInput, match=rf"{re.escape(name)} is missing or does not match its hash"):
                verify_release(whole.id, whole.manifest_bytes, {**whole.files, name: bytes(damaged)})


@KIND
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00\xff\xfe", b'{"weights":1}', b"7"])
def test_files_that_hold_no_model_are_refused_in_one_sentence(kind: str, content: bytes) -> None:
    whole = model(kind).to_files()
    for name in whole:
        with pytest.raises(InvalidInput, match=f"The {kind} model's files cannot be read") as caught:
            load_model(kind, {**whole, name: content})
        assert "\n" not in str(caught.value)


@KIND
def test_a_missing_model_file_is_refused(kind: str) -> None:
    whole = model(kind).to_files()
    for name in whole:
        with pytest.raises(InvalidInput, match="cannot be read"):
            load_model(kind, {other: content for other, content in whole.items() if other != name})


def test_an_unknown_kind_of_model_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(
        InvalidInput, match=r"kind 'oracle'; this version knows logistic, xgboost, cumulative, ordinal\. Upgrade"
    ):
        load_model("oracle", {})


def test_a_release_of_other_features_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match=r"another set of features .* Retrain with this version"):
        Predictor.of(release("logistic", feature_schema="0" * 64))


@pytest.mark.parametrize(
    "tiers",
    [
        {"relative_to": "all"},
        {"relative_to": "moon", "edges": {"all": [1, 2, 3, 4]}, "multiples": None, "min_posts": 0},
        {"relative_to": "all", "edges": [1, 2, 3, 4], "multiples": None, "min_posts": 0},
        {"relative_to": "platform", "edges": {"tiktok": [1, 2, 3, 4]}, "multiples": None, "min_posts": 0},
        {"relative_to": "all", "edges": {"all": [1, 2, 3]}, "multiples": None, "min_posts": 0},
    ],
)
def test_a_release_whose_tiers_cannot_be_read_is_refused(tiers: object) -> None:
    with pytest.raises(InvalidInput, match="its tiers cannot be read"):
        Predictor.of(release("logistic", tiers=tiers))


def test_the_logistic_imputes_the_training_median_of_each_column() -> None:
    own = rows()
    X = column_medians(own.inputs.X) + np.zeros_like(own.inputs.X)
    X[:, :3] = np.random.default_rng(3).beta(1, 6, (len(own), 3))
    X[:3, :3] = np.nan  # in fewer than one row of a hundred
    logistic = LogisticRecipe().fit(replace(own, inputs=Inputs(X)), {"scale": "log", "inverse_penalty": 10.0})
    unknown, imputed = Inputs(np.full((1, 15), np.nan)), Inputs(column_medians(X)[None, :])
    assert logistic.flags == ()
    assert logistic.probabilities(unknown).tobytes() == logistic.probabilities(imputed).tobytes()
    assert imputed.X[0, 0] == np.median(X[3:, 0])


def test_a_column_often_unknown_is_told_apart_from_its_median_by_a_flag() -> None:
    X = rows().inputs.X
    medians, flags = column_medians(X), tuple(column for column in range(15) if column not in (7, 9))
    logistic = model("logistic")
    assert isinstance(logistic, LogisticModel)
    assert logistic.flags == flags
    assert logistic.medians == tuple(medians.tolist())
    unknown = with_flags(np.full((1, 15), np.nan), medians, "linear", flags)
    known = with_flags(medians[None, :], medians, "linear", flags)
    assert unknown.tolist() == [[*medians.tolist(), *[1.0] * 13]]
    assert known.tolist() == [[*medians.tolist(), *[0.0] * 13]]


def test_what_being_unknown_says_is_learned() -> None:
    own = rows(600)
    silent = changed(own.inputs, c0=np.where(own.tiers == 5, np.nan, 0.1), c1=0.1)
    logistic = LogisticRecipe().fit(replace(own, inputs=silent), {"scale": "linear", "inverse_penalty": 10.0})
    unknown, median = (Inputs(np.array([[value, 0.1, *[0.1] * 13]])) for value in (np.nan, 0.1))
    assert logistic.probabilities(unknown)[0, 4] > 0.9
    assert logistic.probabilities(median)[0, 4] < 0.1


def test_a_value_far_from_all_of_training_says_no_more_than_one_at_the_limit() -> None:
    logistic, asked = model("logistic"), rows(20, seed=6).inputs
    document = json.loads(logistic.to_files()["logistic.json"])
    limit = np.exp(document["means"][0] + 1.001 * FAR * document["deviations"][0])
    at_limit, beyond, inside = (logistic.probabilities(changed(asked, c0=value)) for value in (limit, 1e300, 0.1))
    assert beyond.tobytes() == at_limit.tobytes()
    assert not np.allclose(at_limit, inside, atol=1e-3)


def test_an_all_unknown_and_a_constant_column_carry_no_weight_in_the_logistic() -> None:
    document = json.loads(model("logistic").to_files()["logistic.json"])
    weights = np.array(document["weights"])
    assert np.abs(weights[:, [7, 9]]).max() < 1e-12
    assert document["medians"][9] == 0
    assert (document["deviations"][7], document["deviations"][9]) == (1, 1)


def test_a_value_that_training_never_saw_in_a_constant_column_does_not_take_over() -> None:
    asked = rows(50, seed=5).inputs
    expected = model("logistic").probabilities(asked)
    np.testing.assert_allclose(model("logistic").probabilities(changed(asked, c7=0.9, c9=0.9)), expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["xgboost", "cumulative", "ordinal"])
def test_boosted_sees_an_unknown_feature_as_unknown(kind: str) -> None:
    asked = changed(rows(50, seed=6).inputs, c0=np.nan)
    as_nan = model(kind).probabilities(asked)
    assert not np.array_equal(as_nan, model(kind).probabilities(changed(asked, c0=1.0)))
    assert not np.array_equal(as_nan, model(kind).probabilities(changed(asked, c0=0.0)))


def test_columns_are_standardised_on_the_rows_they_were_made_of() -> None:
    X = rows().inputs.X
    for scale in ("linear", "log"):
        columns = Columns.of(X, scale).standardise(X)  # type: ignore[arg-type]
        varied = [column for column in range(15 + 13) if column not in (7, 9)]  # 13 flags beside the 15 features
        assert columns.mean(axis=0) == pytest.approx(np.zeros(28), abs=1e-9)
        assert columns[:, varied].std(axis=0) == pytest.approx(np.ones(26))
        assert np.abs(columns[:, [7, 9]]).max() < 1e-9


def test_prediction_holds_what_training_held() -> None:
    column = [feature.name for feature in OBSERVED].index("like_rate")
    features = list(release("xgboost").manifest.features)
    features[column] = replace(features[column], held=0.0)
    predictor = Predictor.of(release("xgboost", features=tuple(features)))
    free = Predictor.of(release("xgboost"))
    row = {**dict.fromkeys(SCHEMA), "views": 1_000, "shares": 30, "comments": 20, "saves": 5}
    videos = pl.DataFrame([{**row, "likes": likes} for likes in (150, 600)], schema=SCHEMA).with_columns(
        shares=pl.col("likes") // 10, comments=pl.col("likes") // 10
    )
    same_but_likes = videos.with_columns(shares=pl.lit(30), comments=pl.lit(30))
    assert predictor.held == {"like_rate": 0.0}
    assert predictor.observed(videos).inputs.X[:, column].tolist() == [0, 0]
    assert free.observed(videos).inputs.X[:, column].tolist() == [0.15, 0.6]
    unknown = [each.missing(each.observed(same_but_likes))[0] for each in (predictor, free)]
    assert unknown[0] == [name for name in unknown[1] if name != "like_rate"]
    assert free.probabilities(free.observed(videos)).shape == (2, 5)


def test_a_held_feature_is_never_called_missing() -> None:
    column = [feature.name for feature in OBSERVED].index("views_per_follower")
    features = list(release("xgboost").manifest.features)
    features[column] = replace(features[column], held=0.0)
    predictor, free = Predictor.of(release("xgboost", features=tuple(features))), Predictor.of(release("xgboost"))
    videos = pl.DataFrame([{**dict.fromkeys(SCHEMA), "views": 1_000, "likes": 5}], schema=SCHEMA)
    assert "views_per_follower" in free.missing(free.observed(videos))[0]
    assert "views_per_follower" not in predictor.missing(predictor.observed(videos))[0]


@pytest.mark.parametrize(
    "broken",
    [
        [[0.2, 0.2, 0.2, 0.2]],
        [[0.2, 0.2, 0.2, 0.2, np.nan]],
        [[0.2, 0.2, 0.2, 0.2, 0.3]],
        [[-0.1, 0.3, 0.2, 0.3, 0.3]],
        [[np.inf, 0, 0, 0, 0]],
    ],
)
def test_what_is_no_five_probabilities_is_refused(broken: list[list[float]]) -> None:
    with pytest.raises(InvalidInput, match="files are damaged"):
        checked(np.array(broken))
