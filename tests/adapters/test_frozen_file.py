"""Frozen training sets: both shapes, any order of columns, and one clear sentence for every fault."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tiercast.adapters.frozen_file import read_frozen
from tiercast.core.errors import InvalidInput
from tiercast.learn.features import OBSERVED

OLD = [feature.frozen_name for feature in OBSERVED]
NEW = [feature.name for feature in OBSERVED]
X = np.round(np.random.default_rng(8).random((10, 15)), 6)
LABELS = [1, 2, 3, 4, 5, 5, 4, 3, 2, 1]


def document(**changes: Any) -> dict[str, Any]:
    """Eight training vectors and two test vectors, some of it changed."""
    return {
        "featureNames": OLD,
        "trainSet": {"features": X[:8].tolist(), "labels": LABELS[:8]},
        "testSet": {"features": X[8:].tolist(), "labels": LABELS[8:]},
        **changes,
    }


def training(features: Any = None, labels: Any = None) -> dict[str, Any]:
    part = {"features": X[:8].tolist() if features is None else features}
    return document(trainSet={**part, "labels": LABELS[:8] if labels is None else labels})


def with_label(label: Any) -> dict[str, Any]:
    return training(labels=[*LABELS[:7], label])


def with_value(value: Any) -> dict[str, Any]:
    features: list[list[Any]] = X[:8].tolist()
    features[2][4] = value
    return training(features=features)


def as_json(folder: Path, content: Any) -> Path:
    path = folder / "frozen.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def as_parquet(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / "frozen.parquet"
    frame.write_parquet(path)
    return path


def table() -> pl.DataFrame:
    return pl.DataFrame(X, schema=NEW).with_columns(label=pl.Series(LABELS))


def refusal(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_frozen(path)
    said = str(caught.value)
    assert path.name in said
    assert "\n" not in said
    return said


def test_json_gives_its_vectors_labels_and_its_own_split(tmp_path: Path) -> None:
    frozen = read_frozen(as_json(tmp_path, document()))
    assert frozen.X.tolist() == X.tolist()
    assert frozen.labels.tolist() == LABELS
    assert frozen.is_test is not None
    assert frozen.is_test.tolist() == [False] * 8 + [True] * 2


@pytest.mark.parametrize("names", [OLD, NEW], ids=["their names", "our names"])
def test_columns_are_found_by_name_in_any_order(tmp_path: Path, names: list[str]) -> None:
    order = np.random.default_rng(1).permutation(15)
    shuffled = {
        "featureNames": [names[place] for place in order],
        "trainSet": {"features": X[:8][:, order].tolist(), "labels": LABELS[:8]},
        "testSet": {"features": X[8:][:, order].tolist(), "labels": LABELS[8:]},
    }
    assert read_frozen(as_json(tmp_path, shuffled)).X.tolist() == X.tolist()
    frame = pl.DataFrame(X[:, order], schema=[names[place] for place in order]).with_columns(label=pl.Series(LABELS))
    assert read_frozen(as_parquet(tmp_path, frame)).X.tolist() == X.tolist()


def test_parquet_is_split_where_it_says_so_and_else_by_the_program(tmp_path: Path) -> None:
    assert read_frozen(as_parquet(tmp_path, table())).is_test is None
    sides = ["test", "train"] * 5
    found = read_frozen(as_parquet(tmp_path, table().with_columns(split=pl.Series(sides)))).is_test
    assert found is not None
    assert found.tolist() == [True, False] * 5


def test_parquet_under_any_file_name_is_known_by_its_content(tmp_path: Path) -> None:
    path = as_parquet(tmp_path, table())
    assert read_frozen(path.rename(tmp_path / "frozen.json")).labels.tolist() == LABELS


def test_unknown_values_stay_unknown(tmp_path: Path) -> None:
    assert np.isnan(read_frozen(as_json(tmp_path, with_value(None))).X[2, 4])
    missing = table().with_columns(pl.when(pl.col("label") > 3).then("like_rate").alias("like_rate"))
    found = read_frozen(as_parquet(tmp_path, missing)).X[:, NEW.index("like_rate")]
    assert np.isnan(found).tolist() == [label <= 3 for label in LABELS]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither JSON nor Parquet"),
        (b"not json", "neither JSON nor Parquet"),
        (b"\x80\x81\x82", "neither JSON nor Parquet"),
        (b'{"featureNames": [', "neither JSON nor Parquet"),
        (b"[" * 100_000, "neither JSON nor Parquet"),
        (b"PAR1 and then nothing", "Parquet is damaged"),
        ([], "It has to be JSON with featureNames"),
        ({}, "lacks 'featureNames'"),
        (document(featureNames=None), "It has to be JSON with featureNames"),
        (document(featureNames=[[name] for name in OLD]), "has the unknown ['shareRate']"),
        (document(testSet=None), "It has to be JSON with featureNames"),
        (document(testSet={"features": []}), "lacks 'labels'"),
        (document(trainSet={"labels": []}), "lacks 'features'"),
        (training(features=[0.5] * 8), "It has to be JSON with featureNames"),
        (document(featureNames=OLD[:14]), "a vector has 15 values, but 14 features are named"),
        (document(featureNames=[*OLD[:14], "moonPhase"]), "lacks hourPosted and has the unknown moonPhase"),
        (document(featureNames=[*OLD[:14], OLD[0]]), "lacks hourPosted"),
        (training(features=[*X[:7].tolist(), X[7].tolist()[:14]]), "a vector has 14 values, but 15 features"),
        (training(features=[*X[:7].tolist(), [*X[7].tolist(), 0.5]]), "a vector has 16 values, but 15 features"),
        (training(labels=LABELS[:7]), "it has 8 vectors but 7 labels in one part"),
        (with_label(0), "labels that are not 1, 2, 3, 4 or 5: 1 in one part; the first is 0"),
        (with_label(6), "the first is 6"),
        (with_label(2.5), "the first is 2.5"),
        (with_label("3"), "the first is '3'"),
        (with_label(True), "the first is True"),
        (with_label(None), "the first is None"),
        (with_label([3]), "the first is [3]"),
        (with_label(float("nan")), "the first is nan"),
        (with_value(1.01), "1 values lie outside 0..1; the first is shareToLikeRatio = 1.01 in vector 3"),
        (with_value(-0.01), "shareToLikeRatio = -0.01"),
        (with_value(float("inf")), "shareToLikeRatio = inf"),
        (with_value(float("-inf")), "shareToLikeRatio = -inf"),
        (with_value("many"), "a feature is no number"),
        (with_value({}), "a feature is no number"),
        (with_value([0.5]), "a feature is no number"),
        (with_value(10**400), "a feature is no number"),
        (document(trainSet={"features": [], "labels": []}, testSet={"features": [], "labels": []}), "no vectors"),
        (
            document(
                trainSet={"features": X[:8].tolist(), "labels": [3] * 8},
                testSet={"features": X[8:].tolist(), "labels": [3, 3]},
            ),
            "all 10 labels are 3; a model needs all five tiers",
        ),
    ],
)
def test_every_fault_of_a_json_file_is_one_clear_sentence(tmp_path: Path, content: Any, said: str) -> None:
    assert said in refusal(as_json(tmp_path, content))


def test_fourteen_features_are_refused_naming_the_one_that_lacks(tmp_path: Path) -> None:
    fourteen = {
        "featureNames": OLD[:14],
        "trainSet": {"features": X[:8, :14].tolist(), "labels": LABELS[:8]},
        "testSet": {"features": X[8:, :14].tolist(), "labels": LABELS[8:]},
    }
    said = refusal(as_json(tmp_path, fourteen))
    assert "it names 14 features and 15 are needed: it lacks hourPosted" in said


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (table().drop("label"), "it lacks the column label; it has share_rate"),
        (table().drop("like_rate"), "it names 14 features and 15 are needed: it lacks likeRate"),
        (table().with_columns(extra=pl.lit(0.5)), "it names 16 features and 15 are needed: it has the unknown extra"),
        (table().with_columns(label=pl.col("label") + 1), "the first is 6"),
        (
            table().with_columns(label=pl.col("label").cast(pl.String)),
            "labels that are not 1, 2, 3, 4 or 5: 10 in one part",
        ),
        (table().with_columns(split=pl.lit("valid")), "its column split holds ['valid']"),
        (table().with_columns(split=pl.lit(None)), "its column split holds ['None']"),
        (table().with_columns(like_rate=pl.lit("much")), "a feature is no number"),
        (table().with_columns(like_rate=pl.lit(7.0)), "10 values lie outside 0..1; the first is likeRate = 7.0"),
        (table().clear(), "no vectors"),
    ],
)
def test_every_fault_of_a_parquet_file_is_one_clear_sentence(tmp_path: Path, frame: pl.DataFrame, said: str) -> None:
    assert said in refusal(as_parquet(tmp_path, frame))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, share: float) -> None:
    path = as_parquet(tmp_path, table())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "damaged" in refusal(path)


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"retrain\.fallback_path .*none\.json cannot be read"):
        read_frozen(tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_frozen(tmp_path)
