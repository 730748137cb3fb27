"""Questions put to the candidate (C2xx): a failure rejects it."""

from math import isnan
from typing import Final

from tiercast.checks.comparison import COMPARISON_CHECKS, RIVAL_CHECKS
from tiercast.checks.evidence import REHEARSAL_ROWS, REHEARSAL_TOLERANCE, CandidateEvidence, Check
from tiercast.checks.forecast import FORECAST_CHECKS, known, percent
from tiercast.checks.leaks import LEAK_CHECKS
from tiercast.core.findings import Finding, Outcome, at_least, at_most


class AccuracyFloor:
    """C201."""

    code = "C201"
    title = "Accuracy on videos it has not seen"
    why = "Below the floor its answers mislead more than they help; 26.8 % once went live unnoticed."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Test accuracy of at least ``gate.min_accuracy``; meeting it exactly passes."""
        accuracy, required = evidence.evaluation.accuracy, evidence.bars.min_accuracy
        if required is None:
            sentence = "No floor is set on all predictions of this moment; C205 judges those it calls confident."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, known(accuracy.value), None, sentence)
        outcome, majority = at_least(accuracy.value, required), evidence.rivals["majority"].accuracy
        if accuracy.value is None or isnan(accuracy.value):
            sentence = "Accuracy could not be computed, so nothing is proven."
            return Finding(self.code, self.title, outcome, None, required, sentence)
        sentence = (
            f"The candidate names the right one of five tiers for {percent(accuracy)} of "
            f"{evidence.evaluation.rows:,} test videos; {required:.0%} is required (gate.min_accuracy). "
            f"Always naming the commonest tier would be right for {percent(majority)}."
        )
        if outcome is Outcome.FAIL and evidence.label == "views" and not evidence.moment.forecasts:
            sentence += (
                " How people engage with a video says little about how many will see it; that is honest, not a bug."
            )
        rows = evidence.evaluation.rows
        return Finding(self.code, self.title, outcome, accuracy.value, required, sentence, rows, accuracy.interval)


class EveryTierFound:
    """C202."""

    code = "C202"
    title = "Every tier is found"
    why = "A model that never names a tier can still reach a fair accuracy, and is useless for that tier."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Recall of at least ``gate.<moment>.min_recall``, and above 0, in each of the five tiers."""
        required, rows = evidence.bars.min_recall, evidence.evaluation.rows
        recalls = {report.tier: known(report.recall) for report in evidence.evaluation.per_tier}
        blank = [tier for tier, recall in recalls.items() if recall is None]
        if blank or not recalls:
            sentence = f"Tier {', '.join(map(str, blank))} has no test rows, so its recall is unknown."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, required, sentence, rows)
        worst = min(recalls, key=lambda tier: recalls[tier] or 0.0)
        recall = recalls[worst] or 0.0
        sentence = f"The weakest is tier {worst}, found in {recall:.1%} of its test videos; {required:.0%} is required."
        if recall == 0:
            lost = [tier for tier, each in recalls.items() if each == 0]
            sentence = f"Tier {', '.join(map(str, lost))} was never named rightly on the test videos."
        outcome = at_least(recall, required) if recall > 0 else Outcome.FAIL
        return Finding(self.code, self.title, outcome, recall, required, sentence, rows)


class SameInAFreshProcess:
    """C203."""

    code = "C203"
    title = "The staged bytes predict the same in a fresh process"
    why = "What is published must be what was judged, loaded from bytes by a process that never saw the training."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The same probabilities on 32 rows."""
        difference = evidence.rehearsal_difference
        if difference is None or isnan(difference):
            sentence = f"The fresh process gave no answer: {evidence.rehearsal_problem or 'no reason known'}."
            return Finding(
                self.code, self.title, Outcome.INCONCLUSIVE, None, REHEARSAL_TOLERANCE, sentence, at_most=True
            )
        outcome = at_most(difference, REHEARSAL_TOLERANCE)
        told = "every probability is the same" if difference == 0 else f"probabilities differ by up to {difference:.1e}"
        sentence = f"On up to {REHEARSAL_ROWS} test videos {told}."
        rows = min(REHEARSAL_ROWS, evidence.evaluation.rows)
        return Finding(self.code, self.title, outcome, difference, REHEARSAL_TOLERANCE, sentence, rows, at_most=True)


class LabelDoesNotStepBack:
    """C204."""

    code = "C204"
    title = "A model of real views is not replaced by one of given labels"
    why = "A frozen file's labels are easy to hit; its .99 says nothing against an honest .5 on views."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """A candidate on given labels may serve only where no model of views does."""
        champion = evidence.champion
        if champion is None or evidence.label == "views":
            sentence = "The candidate learned views." if evidence.label == "views" else "No champion serves yet."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, None, sentence)
        if champion.label == "given":
            sentence = "Champion and candidate both learned given labels."
            return Finding(self.code, self.title, Outcome.PASS, None, None, sentence)
        sentence = (
            f"Champion {champion.release[:12]} learned real views; a candidate on given labels is never compared "
            "with it and does not replace it. Ingest videos until there are enough to train on views."
        )
        return Finding(self.code, self.title, Outcome.FAIL, None, None, sentence)


CANDIDATE_CHECKS: Final[tuple[Check[CandidateEvidence], ...]] = (
    AccuracyFloor(),
    EveryTierFound(),
    SameInAFreshProcess(),
    LabelDoesNotStepBack(),
    *FORECAST_CHECKS,
    *RIVAL_CHECKS,
    *COMPARISON_CHECKS,
    *LEAK_CHECKS,
)
