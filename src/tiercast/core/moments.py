"""Moments: where in a video's life a prediction is made."""

from enum import StrEnum


class Moment(StrEnum):
    """The moments that this version trains and predicts."""

    OBSERVED = "observed"
    """Any later observation exists; the classic 15 engagement features describe it."""
