"""What is kept of a served answer: everything that it takes to learn later what callers send and how it turned out."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl

from tiercast.core.moments import Moment
from tiercast.learn.features import FEATURES, feature_schema
from tiercast.learn.predictor import Asked
from tiercast.ports.serving import MissingCounts, ServedPrediction, ServedPredictions

SCHEMA_DIGITS: Final = 16
"""Enough to tell the feature sets of different versions apart; the manifest has the whole hash."""
RECENT: Final = timedelta(days=30)
"""What callers sent before that, they may have stopped sending."""
MOST_RECENT: Final = 10_000
"""More do not change a share by a point, and are not worth reading."""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """One call's answers and what they rest on, by reference: somebody who can wait turns them into rows."""

    authors: pl.Series
    """Whose videos they are, as the canonical rows name them; the rows themselves would weigh ten times as much."""
    asked: Asked
    answers: Sequence[Mapping[str, Any]]
    """The documents as they were served, in the order of the rows."""
    moment: Moment
    release: str
    at: datetime

    def __len__(self) -> int:
        """How many predictions."""
        return len(self.answers)


def served_of(kept: Kept) -> list[ServedPrediction]:
    """Each answer as it is stored."""
    names, matrix, unknown = _names(kept.moment), kept.asked.inputs.X, kept.asked.unknown
    schema, first = schema_of(kept.moment), _first_id(kept.at)
    return [
        ServedPrediction(
            prediction=f"{first}{number:06x}",
            predicted_at=kept.at,
            platform=answer["platform"],
            video_id=answer["video_id"],
            author=author,
            moment=kept.moment,
            release=kept.release,
            feature_schema=schema,
            probabilities=tuple(answer["probabilities"]),
            features=tuple(values),
            missing=tuple(names[lacking].tolist()),
        )
        for number, (answer, author, values, lacking) in enumerate(
            zip(kept.answers, kept.authors.to_list(), _numbers(matrix), unknown, strict=True)
        )
    ]


def recently_missing(served: ServedPredictions, moment: Moment, now: datetime) -> MissingCounts:
    """What the newest predictions of this version's features lacked."""
    return served.missing(moment, feature_schema=schema_of(moment), since=now - RECENT, limit=MOST_RECENT)


@cache
def schema_of(moment: Moment) -> str:
    """The first digits of the hash of this version's features of a moment."""
    return feature_schema(FEATURES[moment])[:SCHEMA_DIGITS]


@cache
def _names(moment: Moment) -> np.ndarray[Any, Any]:
    return np.array([feature.name for feature in FEATURES[moment]])


def _first_id(at: datetime) -> str:
    """What ids of one call begin with: its time, so that they sort by it, and chance, so that no two calls share it."""
    since_1970 = (at - datetime(1970, 1, 1, tzinfo=at.tzinfo)) // _MICROSECOND
    return f"{since_1970:014x}{secrets.token_hex(6)}"


def _numbers(matrix: np.ndarray[Any, Any]) -> list[list[float | None]]:
    """The rows of a matrix (n_videos, n_features), None where it holds no number."""
    rows: list[list[float | None]] = matrix.tolist()
    for row, column in zip(*np.nonzero(~np.isfinite(matrix)), strict=True):
        rows[row][column] = None
    return rows
