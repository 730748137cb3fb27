"""Moments: where in a video's life a prediction is made."""

from enum import StrEnum


class Moment(StrEnum):
    """The moments that this version trains and predicts, in the order of a video's life."""

    DRAFT = "draft"
    """Before posting: only the post itself and what was known of earlier ones."""
    EARLY = "early"
    """A first observation exists, at most 72 hours after posting."""
    OBSERVED = "observed"
    """Any later observation exists; the classic 15 engagement features describe it."""

    @property
    def forecasts(self) -> bool:
        """Whether it says what views will become; ``observed`` describes what they are."""
        return self is not Moment.OBSERVED
