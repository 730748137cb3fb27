"""Questions put to a forecast made before posting (C205 to C209): right where it is sure, and better than naive."""

from collections.abc import Callable
from math import isnan
from typing import Final

from tiercast.checks.evidence import CandidateCheck, CandidateEvidence
from tiercast.core.findings import Finding, Outcome, at_least
from tiercast.core.moments import Moment
from tiercast.learn.bootstrap import Bounds
from tiercast.learn.metrics import Measure

MIN_CALIBRATION_ROWS: Final = 1_000
"""With fewer rows chance alone shows an error as large as the limit."""
RIVAL_NAMES: Final = {
    "majority": "the commonest tier",
    "creators_usual": "the creator's usual tier",
    "first_views": "the tier that first views imply",
}


TOO_FEW_CREATORS: Final = "Too few creators in the test part"


def known(value: float | None) -> float | None:
    """The value, or None where it is NaN: nobody knows it either way."""
    return None if value is None or isnan(value) else value


def percent(measure: Measure) -> str:
    """A share with its interval, in words."""
    if measure.value is None or isnan(measure.value):
        return "an unknown share"
    if measure.interval is None:
        return f"{measure.value:.1%}"
    low, high = measure.interval
    return f"{measure.value:.1%} (95 % interval {100 * low:.1f}-{100 * high:.1f} %)"


def _only_draft(check: CandidateCheck, evidence: CandidateEvidence) -> Finding | None:
    if evidence.moment is Moment.DRAFT:
        return None
    sentence = f"Asked of draft only; {evidence.moment.value} has a floor on all its predictions."
    return Finding(check.code, check.title, Outcome.NOT_APPLICABLE, None, None, sentence)


class ConfidentPartHolds:
    """C205."""

    code = "C205"
    title = "Confident predictions are right"
    why = "Nobody forecasts three posts in five rightly before posting; whoever is told which ones can rely on those."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The confident part's accuracy of at least 60 % on at least 200 test rows and a fifth of all."""
        if asked := _only_draft(self, evidence):
            return asked
        part, bars = evidence.confident, evidence.bars
        required = bars.min_confident_accuracy
        if part is None:
            sentence = (
                "No confidence threshold was found: in the newer half of the validation no share of the most confident "
                f"predictions is proven to be right {required:.0%} of the time, so none is called confident."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, required, sentence)
        told = (
            f"{part.rows:,} test videos ({part.coverage:.1%}) are called confident, and the right tier was named for "
            f"{percent(part.accuracy)} of them; {required:.0%} is required, on {bars.min_confident_rows:,} videos and "
            f"{bars.min_coverage:.0%} of all (gate.draft)."
        )
        accuracy = known(part.accuracy.value)
        if part.rows < bars.min_confident_rows:
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, accuracy, required, told)
        enough = at_least(part.coverage, bars.min_coverage)
        outcome = at_least(accuracy, required) if enough is Outcome.PASS else enough
        return Finding(self.code, self.title, outcome, accuracy, required, told)


class BeatsEveryRival:
    """C206."""

    code = "C206"
    title = "Its probabilities beat every naive rival's"
    why = "A model that knows no more than a creator's usual views is not worth its upkeep."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Log loss below each rival's with 95 % confidence, by creator."""
        if asked := _only_draft(self, evidence):
            return asked
        lowest = _worst(evidence, "log_loss", lambda bounds: bounds.lower)
        if lowest is None:
            sentence = f"{TOO_FEW_CREATORS} to compare with the rivals."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, 0, sentence)
        value, name = lowest
        outcome = Outcome.PASS if value > 0 else Outcome.FAIL
        sentence = (
            f"Closest is {RIVAL_NAMES[name]}: its log loss is higher by at least {value:.3f} with 95 % confidence; "
            "more than 0 is required."
        )
        return Finding(self.code, self.title, outcome, value, 0, sentence)


class NoRivalIsMoreAccurate:
    """C207."""

    code = "C207"
    title = "No naive rival is proven more accurate"
    why = "Good probabilities are no excuse for naming the wrong tier more often than a rule of thumb."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Accuracy not below the best rival's with 95 % confidence, by creator."""
        if asked := _only_draft(self, evidence):
            return asked
        lowest = _worst(evidence, "accuracy", lambda bounds: bounds.upper)
        if lowest is None:
            sentence = f"{TOO_FEW_CREATORS} to compare with the rivals."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, 0, sentence)
        value, name = lowest
        outcome = at_least(value, 0)
        sentence = (
            f"Closest is {RIVAL_NAMES[name]}: the candidate may be up to {100 * value:.1f} points more accurate "
            "(upper 95 % bound); below 0 the rival would be proven better."
        )
        return Finding(self.code, self.title, outcome, value, 0, sentence)


class MissesNarrowly:
    """C208."""

    code = "C208"
    title = "Misses are narrow"
    why = "A neighbour tier is a small mistake; calling a flop a hit is not."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The tier named is at most one off for at least three videos in four."""
        if asked := _only_draft(self, evidence):
            return asked
        measure, required = evidence.evaluation.metrics["within_one"], evidence.bars.min_within_one
        sentence = f"At most one tier off for {percent(measure)}; {required:.0%} is required (gate.draft)."
        share = known(measure.value)
        return Finding(self.code, self.title, at_least(share, required), share, required, sentence)


class Calibrated:
    """C209."""

    code = "C209"
    title = "Its probabilities mean what they say"
    why = "Whoever decides by a probability is misled by one that is not a frequency."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Calibration error above chance of at most 5 points, unless the excess is not proven."""
        if asked := _only_draft(self, evidence):
            return asked
        metrics, limit = evidence.evaluation.metrics, evidence.bars.max_calibration_error
        error = known(metrics["expected_calibration_error"].value)
        chance = known(metrics["calibration_error_by_chance"].value)
        bounds, rows = evidence.evaluation.bounds.get("calibration_excess"), evidence.evaluation.rows
        if rows < MIN_CALIBRATION_ROWS:
            sentence = (
                f"{rows:,} test videos are too few to tell a calibration error from chance; "
                f"{MIN_CALIBRATION_ROWS:,} are needed."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, error, limit, sentence)
        if error is None or chance is None or bounds is None or isnan(bounds.lower):
            sentence = f"{TOO_FEW_CREATORS} to tell a calibration error from chance."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, error, limit, sentence)
        outcome = Outcome.FAIL if bounds.lower > limit else Outcome.PASS
        sentence = (
            f"Expected calibration error {error:.3f}, of which {chance:.3f} is chance at {rows:,} videos; the excess "
            f"is at least {bounds.lower:.3f} with 95 % confidence, and {limit:g} is the limit (gate.draft)."
        )
        return Finding(self.code, self.title, outcome, bounds.lower, limit, sentence)


def _worst(
    evidence: CandidateEvidence, measure: str, bound: Callable[[Bounds], float]
) -> tuple[float, str] | None:  # fmt: skip
    """The lowest bound over all rivals and whose it is; None where one of them has none, or NaN."""
    found = [(bound(bounds), name) for name, over in evidence.over_rivals.items() if (bounds := over[measure])]
    if not found or len(found) < len(evidence.over_rivals) or any(isnan(value) for value, _ in found):
        return None
    return min(found)


FORECAST_CHECKS: Final[tuple[CandidateCheck, ...]] = (
    ConfidentPartHolds(),
    BeatsEveryRival(),
    NoRivalIsMoreAccurate(),
    MissesNarrowly(),
    Calibrated(),
)
