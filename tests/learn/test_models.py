"""Models: through files and back to the same bits, and how unknown features are treated."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from tiercast.core.canonical import sha256_hex
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.release import FeatureUse, Manifest, Release, RowSet, verify_release
from tiercast.intake.schema import SCHEMA
from tiercast.learn.features import OBSERVED, feature_schema
from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import Columns, LogisticRecipe, column_medians
from tiercast.learn.models import KINDS, TierModel, load_model
from tiercast.learn.predictor import Predictor, checked

KIND = pytest.mark.parametrize("kind", KINDS)


def rows(count: int = 400, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Skewed features, a tenth unknown, one column constant and one all unknown; tiers from two of them."""
    rng = np.random.default_rng(seed)
    X = rng.beta(1, 6, (count, 15))
    tiers = 1 + np.searchsorted([0.4, 0.8, 1.2, 1.8], 4 * X[:, 0] + 3 * X[:, 1] + 0.1 * rng.standard_normal(count))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 7], X[:, 9] = 0.25, np.nan
    return X, tiers


@cache
def model(kind: str) -> TierModel:
    X, tiers = rows()
    if kind == "logistic":
        return LogisticRecipe().fit(X, tiers, {"scale": "log", "inverse_penalty": 10.0})
    return BoostedRecipe().fit(X, tiers, {"max_depth": 3, "rounds": 12})


def release(kind: str, **changes: object) -> Release:
    files = model(kind).to_files()
    features = [FeatureUse(f.name, f.unit, f.low, f.high, f.meaning, None, 0.1, 0.0) for f in OBSERVED]
    manifest = Manifest(
        moment=Moment.OBSERVED,
        label="views",
        model=kind,
        features=tuple(features),
        feature_schema=feature_schema(),
        tier_edges=(1, 2, 3, 4),
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
    X, _ = rows(50, seed=2)
    files = model(kind).to_files()
    again = load_model(kind, files)
    assert again.kind == kind
    assert again.to_files() == files
    assert again.probabilities(X).tobytes() == model(kind).probabilities(X).tobytes()


@KIND
def test_probabilities_are_five_and_sum_to_one_whatever_is_unknown(kind: str) -> None:
    X, _ = rows(50, seed=3)
    X[0], X[1], X[2] = np.nan, 0, 1
    found = model(kind).probabilities(X)
    assert found.shape == (50, 5)
    assert checked(found) is found


@KIND
def test_one_video_alone_has_the_same_forecast_as_among_others(kind: str) -> None:
    X, _ = rows(20, seed=4)
    alone = np.vstack([model(kind).probabilities(X[n : n + 1]) for n in range(20)])
    np.testing.assert_allclose(alone, model(kind).probabilities(X), rtol=0, atol=1e-12)


@KIND
def test_a_model_learned_something(kind: str) -> None:
    X, tiers = rows()
    assert (model(kind).probabilities(X).argmax(axis=1) + 1 == tiers).mean() > 0.5


@KIND
def test_a_release_with_one_flipped_bit_in_its_model_is_refused_wherever_it_is(kind: str) -> None:
    whole = release(kind)
    ((name, content),) = whole.files.items()
    for position in {*range(0, len(content), max(1, len(content) // 200)), len(content) - 1}:
        damaged = bytearray(content)
        damaged[position] ^= 1
        with pytest.raises(InvalidInput, match="does not match its hash"):
            verify_release(whole.id, whole.manifest_bytes, {name: bytes(damaged)})


@KIND
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00\xff\xfe", b'{"weights":1}', b"7"])
def test_files_that_hold_no_model_are_refused_in_one_sentence(kind: str, content: bytes) -> None:
    (name,) = model(kind).to_files()
    with pytest.raises(InvalidInput, match=f"The {kind} model's files cannot be read") as caught:
        load_model(kind, {name: content})
    assert "\n" not in str(caught.value)


@KIND
def test_a_missing_model_file_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_model(kind, {})


def test_an_unknown_kind_of_model_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"kind 'oracle'; this version knows logistic, xgboost\. Upgrade"):
        load_model("oracle", {})


def test_a_release_of_other_features_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match=r"another set of features .* Retrain with this version"):
        Predictor.of(release("logistic", feature_schema="0" * 64))


def test_the_logistic_imputes_the_training_median_of_each_column() -> None:
    X, _ = rows()
    unknown, imputed = np.full((1, 15), np.nan), column_medians(X)[None, :]
    logistic = model("logistic")
    assert logistic.probabilities(unknown).tobytes() == logistic.probabilities(imputed).tobytes()
    known = X[~np.isnan(X[:, 0]), 0]
    assert imputed[0, 0] == np.median(known)


def test_an_all_unknown_and_a_constant_column_carry_no_weight_in_the_logistic() -> None:
    document = json.loads(model("logistic").to_files()["logistic.json"])
    weights = np.array(document["weights"])
    assert np.abs(weights[:, [7, 9]]).max() < 1e-12
    assert document["medians"][9] == 0
    assert (document["deviations"][7], document["deviations"][9]) == (1, 1)


def test_a_value_that_training_never_saw_in_a_constant_column_does_not_take_over() -> None:
    X, _ = rows(50, seed=5)
    other = X.copy()
    other[:, [7, 9]] = 0.9
    np.testing.assert_allclose(model("logistic").probabilities(other), model("logistic").probabilities(X), atol=1e-9)


def test_boosted_sees_an_unknown_feature_as_unknown() -> None:
    X, _ = rows(50, seed=6)
    X[:, 0] = np.nan
    as_nan = model("xgboost").probabilities(X)
    assert not np.array_equal(as_nan, model("xgboost").probabilities(np.nan_to_num(X, nan=1.0)))
    assert not np.array_equal(as_nan, model("xgboost").probabilities(np.nan_to_num(X, nan=0.0)))


def test_columns_are_standardised_on_the_rows_they_were_made_of() -> None:
    X, _ = rows()
    for scale in ("linear", "log"):
        columns = Columns.of(X, scale).standardise(X)  # type: ignore[arg-type]
        varied = [column for column in range(15) if column not in (7, 9)]
        assert columns.mean(axis=0) == pytest.approx(np.zeros(15), abs=1e-9)
        assert columns[:, varied].std(axis=0) == pytest.approx(np.ones(13))
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
    assert predictor.missing(same_but_likes)[0] == [n for n in free.missing(same_but_likes)[0] if n != "like_rate"]
    assert free.probabilities(videos).shape == (2, 5)


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
