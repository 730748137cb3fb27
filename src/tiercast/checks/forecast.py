"""Questions for moments in which nobody is right most of the time (C205, C208, C209): right where it is sure."""

from math import isnan
from typing import TYPE_CHECKING, Final

from tiercast.checks.comparison import TOO_FEW_CREATORS
from tiercast.checks.evidence import CandidateEvidence, Check
from tiercast.core.findings import Finding, Outcome, at_least, at_most

if TYPE_CHECKING:
    from tiercast.learn.metrics import Measure

MIN_CALIBRATION_ROWS: Final = 1_000
"""With fewer rows chance alone shows an error as large as the limit."""


def known(value: float | None) -> float | None:
    """The value, or None where it is NaN: nobody knows it either way."""
    return None if value is None or isnan(value) else value


def percent(measure: "Measure | None") -> str:
    """A share with its interval, in words."""
    if measure is None or measure.value is None or isnan(measure.value):
        return "an unknown share"
    if measure.interval is None:
        return f"{measure.value:.1%}"
    low, high = measure.interval
    return f"{measure.value:.1%} (95 % interval {100 * low:.1f}-{100 * high:.1f} %)"


def _no_bar(check: Check[CandidateEvidence], evidence: CandidateEvidence, name: str) -> Finding:
    sentence = f"No bar is set for this moment (gate.{evidence.moment.value}.{name})."
    return Finding(check.code, check.title, Outcome.NOT_APPLICABLE, None, None, sentence)


class ConfidentPartHolds:
    """C205."""

    code = "C205"
    title = "Confident predictions are right"
    why = "Nobody forecasts three posts in five rightly before posting; whoever is told which ones can rely on those."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The confident part's accuracy of at least 60 % on at least 200 test rows and a fifth of all."""
        part, bars = evidence.confident, evidence.bars
        required = bars.min_confident_accuracy
        if required is None:
            return _no_bar(self, evidence, "min_confident_accuracy")
        if part is None:
            sentence = (
                "No confidence threshold was found: in the newer half of the validation no share of the most confident "
                f"predictions is proven to be right {required:.0%} of the time, so none is called confident."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, required, sentence)
        told = (
            f"{part.rows:,} test videos ({part.coverage:.1%}) are called confident, and the right tier was named for "
            f"{percent(part.accuracy)} of them; {required:.0%} is required, on {bars.min_confident_rows:,} videos and "
            f"{bars.min_coverage:.0%} of all (gate.{evidence.moment.value})."
        )
        accuracy = known(part.accuracy.value)
        if part.rows < bars.min_confident_rows:
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, accuracy, required, told, part.rows)
        enough = at_least(part.coverage, bars.min_coverage)
        outcome = at_least(accuracy, required) if enough is Outcome.PASS else enough
        return Finding(self.code, self.title, outcome, accuracy, required, told, part.rows, part.accuracy.interval)


class MissesNarrowly:
    """C208."""

    code = "C208"
    title = "Misses are narrow"
    why = "A neighbour tier is a small mistake; calling a flop a hit is not."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The tier named is at most one off for at least three videos in four."""
        required = evidence.bars.min_within_one
        measure = evidence.evaluation.metrics.get("within_one")
        if required is None:
            return _no_bar(self, evidence, "min_within_one")
        sentence = (
            f"At most one tier off for {percent(measure)}; {required:.0%} is required (gate.{evidence.moment.value})."
        )
        share, rows = known(measure.value if measure else None), evidence.evaluation.rows
        interval = measure.interval if measure else None
        return Finding(self.code, self.title, at_least(share, required), share, required, sentence, rows, interval)


class Calibrated:
    """C209."""

    code = "C209"
    title = "Its probabilities mean what they say"
    why = "Whoever decides by a probability is misled by one that is not a frequency."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Calibration error above chance of at most 5 points, unless the excess is not proven."""
        metrics, limit = evidence.evaluation.metrics, evidence.bars.max_calibration_error
        if limit is None:
            return _no_bar(self, evidence, "max_calibration_error")
        error, chance = (
            known(metrics[name].value) if name in metrics else None
            for name in ("expected_calibration_error", "calibration_error_by_chance")
        )
        bounds, rows = evidence.evaluation.bounds.get("calibration_excess"), evidence.evaluation.rows
        if rows < MIN_CALIBRATION_ROWS:
            sentence = (
                f"{rows:,} test videos are too few to tell a calibration error from chance; "
                f"{MIN_CALIBRATION_ROWS:,} are needed."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, error, limit, sentence, rows, at_most=True)
        if error is None or chance is None or bounds is None or isnan(bounds.lower):
            sentence = f"{TOO_FEW_CREATORS} to tell a calibration error from chance."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, error, limit, sentence, rows, at_most=True)
        outcome = at_most(bounds.lower, limit)
        sentence = (
            f"Expected calibration error {error:.3f}, of which {chance:.3f} is chance at {rows:,} videos; the excess "
            f"is at least {bounds.lower:.3f} with 95 % confidence, and {limit:g} is the limit "
            f"(gate.{evidence.moment.value})."
        )
        return Finding(
            self.code, self.title, outcome, bounds.lower, limit, sentence, rows, bounds.interval, at_most=True
        )


FORECAST_CHECKS: Final[tuple[Check[CandidateEvidence], ...]] = (
    ConfidentPartHolds(),
    MissesNarrowly(),
    Calibrated(),
)
