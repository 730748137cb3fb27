"""A frozen training set: JSON in the shape of ``reference_training_data.json``, or Parquet."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.errors import InvalidInput
from tiercast.core.tiers import TIERS
from tiercast.learn.features import OBSERVED
from tiercast.ports.videos import FrozenSet

LABEL: Final = "label"
SPLIT: Final = "split"
SHAPE: Final = (
    "It has to be JSON with featureNames, trainSet and testSet, each with features and labels, or Parquet with the 15 "
    "feature columns, label (1..5) and, if it has a split of its own, split ('train' or 'test')."
)


def read_frozen(path: Path) -> FrozenSet:
    """The file's vectors in our order and its labels; raises InvalidInput naming what is wrong with it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"retrain.fallback_path {path} cannot be read ({error.strerror}).") from error
    try:
        frozen = _from_parquet(content) if content[:4] == b"PAR1" else _from_json(content)
        return _checked(frozen)
    except InvalidInput as error:
        raise InvalidInput(f"The fallback file {path.name} cannot be used: {error}") from error


def _from_json(content: bytes) -> FrozenSet:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"it is neither JSON nor Parquet ({error}). {SHAPE}") from error
    try:
        names, parts = list(map(str, document["featureNames"])), [document["trainSet"], document["testSet"]]
        features = [_matrix(part["features"], names) for part in parts]
        labels = [_labels(part["labels"]) for part in parts]
    except (KeyError, TypeError) as error:
        raise InvalidInput(f"it lacks {error}. {SHAPE}") from error
    for matrix, given in zip(features, labels, strict=True):
        if len(matrix) != len(given):
            raise InvalidInput(f"it has {len(matrix):,} vectors but {len(given):,} labels in one part.")
    is_test = np.repeat([False, True], [len(given) for given in labels])
    return FrozenSet(_ordered(np.concatenate(features), names), np.concatenate(labels), is_test)


def _from_parquet(content: bytes) -> FrozenSet:
    try:
        frame = pl.read_parquet(content)
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(f"its Parquet is damaged ({str(error).splitlines()[0]}).") from error
    names = [name for name in frame.columns if name not in (LABEL, SPLIT)]
    if LABEL not in frame.columns:
        raise InvalidInput(f"it lacks the column {LABEL}; it has {', '.join(frame.columns[:20])}. {SHAPE}")
    matrix = _ordered(_matrix(frame.select(names).rows(), names), names)
    is_test = None
    if SPLIT in frame.columns:
        odd = set(frame[SPLIT].unique().to_list()) - {"train", "test"}
        if odd:
            raise InvalidInput(
                f"its column {SPLIT} holds {sorted(map(str, odd))[:3]}; only 'train' and 'test' are known."
            )
        is_test = (frame[SPLIT] == "test").to_numpy()
    return FrozenSet(matrix, _labels(frame[LABEL].to_list()), is_test)


def _matrix(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    widths = {len(row) for row in rows}
    if widths - {len(names)}:
        raise InvalidInput(f"a vector has {min(widths - {len(names)})} values, but {len(names)} features are named.")
    try:
        matrix = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"a feature is no number ({error}).") from error
    return matrix


def _ordered(matrix: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """The columns in the order of our vector, found by name."""
    position: Mapping[str, int] = {name: index for index, name in enumerate(names)}
    found = [position.get(feature.name, position.get(feature.frozen_name)) for feature in OBSERVED]
    lacking = [feature.frozen_name for feature, index in zip(OBSERVED, found, strict=True) if index is None]
    if lacking or len(names) != len(OBSERVED):
        strange = [name for name in names if name not in {n for f in OBSERVED for n in (f.name, f.frozen_name)}]
        told = [f"lacks {', '.join(lacking)}"] if lacking else []
        told += [f"has the unknown {', '.join(map(str, strange[:5]))}"] if strange else []
        raise InvalidInput(
            f"it names {len(names)} features and {len(OBSERVED)} are needed: it {' and '.join(told) or 'repeats some'}."
        )
    return np.ascontiguousarray(matrix[:, [index for index in found if index is not None]])


def _labels(labels: Sequence[Any]) -> NDArray[np.int64]:
    odd = [label for label in labels if isinstance(label, bool) or label not in TIERS]
    if odd:
        raise InvalidInput(f"labels that are not 1, 2, 3, 4 or 5: {len(odd):,} in one part; the first is {odd[0]!r}.")
    return np.array(labels, dtype=np.int64)


def _checked(frozen: FrozenSet) -> FrozenSet:
    if not len(frozen.labels):
        raise InvalidInput("it holds no vectors.")
    classes = np.unique(frozen.labels)
    if len(classes) == 1:
        raise InvalidInput(
            f"all {len(frozen.labels):,} labels are {classes[0]}; a model needs all five tiers to learn."
        )
    with np.errstate(invalid="ignore"):
        outside = np.isinf(frozen.X) | (frozen.X < 0) | (frozen.X > 1)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise InvalidInput(
            f"{int(outside.sum()):,} values lie outside 0..1; the first is {OBSERVED[column].frozen_name} = "
            f"{frozen.X[row, column]} in vector {row + 1}."
        )
    return frozen
