"""Questions about results that are too good, and features that are another thing in use (C216 to C218)."""

from math import isnan
from typing import Final

from tiercast.checks.comparison import few_creators
from tiercast.checks.evidence import CandidateEvidence, Check, ServedMissing
from tiercast.core.findings import Finding, Outcome, at_most
from tiercast.core.release import Label

MIN_SERVED: Final = 200
"""Of fewer predictions a share is not known to seven points, and a fifth of them may be one caller's afternoon."""
GIVEN: Final = "Given labels may follow from the features by any rule, so nothing is too good."


class NotTooGood:
    """C216."""

    code = "C216"
    title = "The whole is not better than is plausible"
    why = "A number that looks too good is a leak until proven otherwise."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Accuracy not proven above what an honest model can reach."""
        accuracy, limit = evidence.evaluation.accuracy, evidence.bars.max_accuracy
        bounds = evidence.evaluation.bounds.get("accuracy")
        if excused := _given(self, evidence.label, limit):
            return excused
        if accuracy.value is None or isnan(accuracy.value) or bounds is None or isnan(bounds.lower):
            sentence = f"Accuracy, or how far it is proven, is unknown. {few_creators(self.code)}"
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, limit, sentence, at_most=True)
        proven = bounds.lower
        sentence = (
            f"It names the right tier for {accuracy.value:.1%} of {evidence.evaluation.rows:,} test videos, for at "
            f"least {proven:.1%} with 95 % confidence; more than {limit:.0%} is not believed."
        )
        outcome = at_most(proven, limit)
        if outcome is Outcome.FAIL:
            sentence += " Look for a column that was computed from views, or measured after them."
        rows = evidence.evaluation.rows
        return Finding(self.code, self.title, outcome, proven, limit, sentence, rows, accuracy.interval, at_most=True)


class NoFeatureTellsAll:
    """C217."""

    code = "C217"
    title = "No single feature is better than is plausible"
    why = "A feature that alone names the tier was computed from it."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The best single feature's accuracy not proven above what a hint can give."""
        limit = evidence.bars.max_feature_accuracy
        if excused := _given(self, evidence.label, limit):
            return excused
        alone = evidence.features_alone
        unknown = [each.name for each in alone if _is_unknown(each.accuracy.value) or _is_unknown(each.lower_bound)]
        if unknown or not alone:
            told = f"How far {unknown[0]} is proven to tell the tier is unknown." if unknown else "No feature varies."
            sentence = f"{told} {few_creators(self.code)}"
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, limit, sentence, at_most=True)
        best = max(alone, key=lambda each: each.lower_bound or 0.0)
        value, proven, rows = best.accuracy.value or 0.0, best.lower_bound or 0.0, evidence.evaluation.rows
        sentence = (
            f"{best.name} by itself names the right tier for {value:.1%} of {rows:,} test videos, for at least "
            f"{proven:.1%} with 95 % confidence; more than {limit:.0%} is not believed."
        )
        outcome = at_most(proven, limit)
        if outcome is Outcome.FAIL:
            sentence += f" Look where {best.name} comes from: it seems to be computed from views."
        return Finding(
            self.code, self.title, outcome, proven, limit, sentence, rows, best.accuracy.interval, at_most=True
        )


class MissingAsInUse:
    """C218."""

    code = "C218"
    title = "Features are missing as often in use as in training"
    why = "A feature that training always has and callers never send teaches what nobody can use."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """No feature's share of missing values differs by a fifth between training and recent predictions."""
        served, limit = evidence.served, evidence.bars.max_missing_jump
        if served is None or served.predictions < MIN_SERVED or evidence.label == "given":
            sentence = _not_asked(served, evidence.label)
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, limit, sentence, at_most=True)
        off = {
            name: abs(share - served.training_shares[name])
            for name, share in served.served_shares.items()
            if name in served.training_shares
        }
        if not off or any(isnan(each) for each in off.values()):
            sentence = "The recorded predictions share no feature with the candidate."
            return Finding(
                self.code, self.title, Outcome.INCONCLUSIVE, None, limit, sentence, served.predictions, at_most=True
            )
        name = max(off, key=lambda each: off[each])
        sentence = (
            f"{name} was unknown in {served.served_shares[name]:.1%} of {served.predictions:,} recent predictions and "
            f"in {served.training_shares[name]:.1%} of the training rows; {100 * limit:g} points apart are allowed."
        )
        outcome = at_most(off[name], limit)
        if outcome is Outcome.FAIL:
            lacks = served.served_shares[name] > served.training_shares[name]
            sentence += f" {_CALLERS_LACK if lacks else _TRAINING_LACKS}"
        return Finding(self.code, self.title, outcome, off[name], limit, sentence, served.predictions, at_most=True)


_CALLERS_LACK: Final = "Send what it is computed from with each prediction, or train on videos that lack it too."
_TRAINING_LACKS: Final = "Store with the videos what callers send, so that training sees it."


def _not_asked(served: ServedMissing | None, label: Label) -> str:
    """Why shares are not compared."""
    if served is None or not served.predictions:
        return "No predictions are recorded, so nobody knows what callers send."
    if label == "given":
        return "The fallback file holds finished vectors, so nobody knows what was unknown in training."
    return f"Only {served.predictions:,} recent predictions are recorded; {MIN_SERVED} tell what callers send."


def _is_unknown(value: float | None) -> bool:
    return value is None or isnan(value)


def _given(check: Check[CandidateEvidence], label: Label, limit: float) -> Finding | None:
    return (
        Finding(check.code, check.title, Outcome.NOT_APPLICABLE, None, limit, GIVEN, at_most=True)
        if label == "given"
        else None
    )


LEAK_CHECKS: Final[tuple[Check[CandidateEvidence], ...]] = (NotTooGood(), NoFeatureTellsAll(), MissingAsInUse())
