"""What a feature is: declared once, computed by one function for training and for serving."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.canonical import canonical_json, sha256_hex
from tiercast.core.moments import Moment


class Needs(StrEnum):
    """What a feature is computed from."""

    VIDEO = "the video"
    OBSERVATIONS = "its first observations"
    HISTORY = "earlier videos"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a vector: what it means, how it is computed, and when its inputs were known."""

    name: str
    unit: str
    meaning: str
    value: pl.Expr
    moment: Moment
    """The first moment at which it can be known."""
    needs: Needs = Needs.VIDEO
    known: pl.Expr | None = None
    """Whether its inputs were known, where a value stands in for unknown ones; None: unknown is NaN."""
    low: float = 0.0
    high: float = 1.0
    per: float = 1.0
    """The computed value is divided by this."""
    changeable: bool = False
    """Whether the creator can still change it before posting."""
    frozen_name: str = ""
    """The name that frozen training sets give it."""
    column: pl.Expr = field(init=False, repr=False, compare=False)
    """The value as a column of its name, made once: making it takes longer than computing it for one video."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", self.value.cast(pl.Float64).alias(self.name))


def matrix(frame: pl.DataFrame, features: Sequence[Feature]) -> NDArray[np.float64]:
    """The vectors of prepared rows (n_videos, n_features), each value clipped to its range, unknown as NaN."""
    computed = frame.select([feature.column for feature in features]).to_numpy()  # where null becomes NaN
    # NumPy divides; Polars multiplies by 1 / constant except in a single row, which would then round otherwise.
    shares = computed / [feature.per for feature in features]
    clipped = np.clip(shares, [feature.low for feature in features], [feature.high for feature in features])
    return np.ascontiguousarray(clipped, dtype=np.float64)


def feature_schema(features: Sequence[Feature]) -> str:
    """The hash of the vector's names, order, units and ranges; a release of another schema is refused."""
    return sha256_hex(canonical_json([[f.name, f.unit, f.low, f.high] for f in features]))
