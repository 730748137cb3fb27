"""The settings of the gate: for each moment one bar a question, with its unit, its default and the reason for it."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tiercast.checks import CHECKS, NEVER_DEMOTED
from tiercast.checks.evidence import Bars
from tiercast.core.moments import Moment

FROZEN: Final = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

MIN_ACCURACY: Final = 0.60
"""Below it an answer misleads more than it helps."""


def _bar(default: float | None, codes: str, unit: str, why: str, **limits: Any) -> Any:
    """A setting with what the table of bars tells of it."""
    return Field(default, description=why, json_schema_extra={"codes": codes, "unit": unit}, **limits)


def _share(default: float | None, codes: str, why: str) -> Any:
    return _bar(default, codes, "share", why, ge=0, le=1)


def _count(default: int, codes: str, unit: str, why: str) -> Any:
    return _bar(default, codes, unit, why, ge=1)


class MomentGate(BaseModel):
    """The bars of one moment. A bar that is not set asks nothing, and never counts as passed."""

    model_config = FROZEN

    max_zero_jump: float = _share(
        0.20, "D105", "more zeros by a fifth of the videos than the champion learned from: a count is no longer read"
    )
    max_edge_factor: float = _bar(
        1.5,
        "D106",
        "factor",
        "edges may move by this a week, or by as much as they ever did between two promotions",
        gt=1,
        le=1000,
    )
    max_newest_age_days: float = _bar(
        7, "D107", "days", "a weekly retrain without a video of that week learns nothing new", gt=0
    )
    min_accuracy: float | None = _share(
        None, "C201", "below 0.60 an answer misleads more than it helps; before posting nobody reaches it on all videos"
    )
    min_recall: float = _share(
        0.05, "C202", "a tier found in fewer than one in twenty of its videos is as good as never named"
    )
    min_confident_accuracy: float | None = _share(
        None, "C205", "what a prediction called confident promises; asked before posting, where no floor holds for all"
    )
    min_confident_rows: int = _count(200, "C205", "rows", "with fewer the accuracy is not known to 7 points")
    min_coverage: float = _share(0.20, "C205", "a promise that covers fewer helps nobody")
    min_within_one: float | None = _share(
        None, "C208", "a neighbour tier is a small mistake; asked before posting, where most misses are near"
    )
    max_calibration_error: float | None = _share(
        None, "C209", "proven error beyond chance; asked before posting, where people decide by the probability"
    )
    accuracy_margin: float = _share(
        0.01, "C210, C212", "a candidate has to be proven no worse than this: less than anybody notices in a week"
    )
    log_loss_margin: float = _bar(
        0.01, "C211, C213", "nats", "the same of the probabilities: about what one point of accuracy costs", gt=0
    )
    min_compared_rows: int = _count(500, "C210-C213, C215", "rows", "fewer prove nothing about differences of a point")
    min_compared_creators: int = _count(
        50, "C210-C213, C215", "creators", "videos of one creator succeed together, so creators are what counts"
    )
    slice_margin: float = _share(
        0.02, "C214", "a group of videos may lose this much, and more where it is not proven: groups are small"
    )
    min_slice_rows: int = _count(100, "C214", "rows", "a smaller group is shown but not judged")
    max_calibration_loss: float = _share(
        0.02, "C215", "a proven rise of the calibration error over the champion's by more misleads whoever relies on it"
    )
    max_accuracy: float = _share(
        0.90, "C216", "nobody is honestly that good; early is, for most views have come by then"
    )
    max_feature_accuracy: float = _share(
        0.75, "C217", "one feature that alone names three in four tiers holds the answer, not a hint"
    )
    max_missing_jump: float = _share(
        0.20, "C218", "a feature lacking so much oftener in use than in training is another feature"
    )
    cool_down_hours: float = _bar(
        0, "L302", "hours", "time between two promotions; 0 waits for nothing, a loop of retries wants some", ge=0
    )


class EarlyGate(MomentGate):
    """Bars of the forecast in the first hours."""

    max_accuracy: float = _share(0.98, "C216", "")
    max_feature_accuracy: float = _share(0.95, "C217", "")


class DraftGate(MomentGate):
    """Bars of the forecast before posting."""

    min_confident_accuracy: float | None = _share(0.60, "C205", "")
    min_within_one: float | None = _share(0.75, "C208", "")
    max_calibration_error: float | None = _share(0.05, "C209", "")
    max_accuracy: float = _share(0.85, "C216", "")


class Gate(BaseModel):
    """The bars a candidate has to meet."""

    model_config = FROZEN

    min_accuracy: float | None = Field(
        None, ge=0, le=1, description="accuracy floor of every moment; none: 0.60 for observed and early"
    )
    warn_only: tuple[str, ...] = Field(
        (), description="codes of checks that only warn; every release that this lets through says so for ever"
    )
    observed: MomentGate = Field(MomentGate(), description="")
    early: EarlyGate = Field(EarlyGate(), description="")
    draft: DraftGate = Field(DraftGate(), description="")

    @field_validator("warn_only")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        known = [check.code for check in CHECKS]
        if unknown := [code for code in codes if code not in known]:
            raise ValueError(f"there is no check {', '.join(unknown)}; there are {', '.join(known)}")
        if needed := [code for code in codes if code in NEVER_DEMOTED]:
            raise ValueError(
                f"{', '.join(needed)} cannot only warn: nothing could be fitted, judged, published or pinned then"
            )
        return tuple(sorted(set(codes)))

    def of(self, moment: Moment) -> MomentGate:
        """The bars of one moment."""
        gates: dict[Moment, MomentGate] = {
            Moment.OBSERVED: self.observed, Moment.EARLY: self.early, Moment.DRAFT: self.draft,
        }  # fmt: skip
        return gates[moment]

    def bars(self, moment: Moment) -> Bars:
        """The same for the checks; the accuracy floor is the moment's own, else that of all, else 0.60 or none."""
        own = self.of(moment)
        default = None if moment is Moment.DRAFT else MIN_ACCURACY
        floor = own.min_accuracy if own.min_accuracy is not None else self.min_accuracy
        values = {**own.model_dump(), "min_accuracy": floor if floor is not None else default}
        return Bars(**values)
