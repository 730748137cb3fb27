"""Every feature of every moment, declared once: what it means, and when its inputs were known."""

from typing import Final

from tiercast.core.moments import Moment
from tiercast.learn.features.draft import DRAFT
from tiercast.learn.features.early import EARLY
from tiercast.learn.features.feature import Feature, Needs, feature_schema, matrix
from tiercast.learn.features.observed import HELD_ON_VIEWS, OBSERVED, feature_matrix, hold, unknown_inputs

FEATURES: Final[dict[Moment, tuple[Feature, ...]]] = {
    Moment.DRAFT: DRAFT,
    Moment.EARLY: EARLY,
    Moment.OBSERVED: OBSERVED,
}
"""The vector of each moment, in order."""

__all__ = [
    "FEATURES",
    "HELD_ON_VIEWS",
    "OBSERVED",
    "Feature",
    "Needs",
    "feature_matrix",
    "feature_schema",
    "hold",
    "matrix",
    "unknown_inputs",
]
