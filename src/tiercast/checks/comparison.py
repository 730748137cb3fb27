"""Questions about the candidate beside others on the same rows (C206, C207, C210 to C215)."""

from collections.abc import Callable, Mapping
from math import inf, isnan
from typing import TYPE_CHECKING, Final, Literal

from tiercast.checks.evidence import Bars, CandidateEvidence, Check, Comparison, Group
from tiercast.core.findings import Finding, Outcome, at_least, at_most
from tiercast.learn.bootstrap import MIN_CREATORS

if TYPE_CHECKING:
    from tiercast.learn.paired import Difference, Paired

RIVAL_NAMES: Final = {
    "majority": "the commonest tier",
    "creators_usual": "the creator's usual tier",
    "first_views": "the tier that first views imply",
}
TOO_FEW_CREATORS: Final = "Too few creators in the test part"

Measured = Literal["accuracy", "log_loss"]
TOLD: Final[Mapping[Measured, tuple[str, str, str]]] = {
    "accuracy": ("accuracy", "more accurate", "less accurate"),
    "log_loss": ("log loss", "lower in log loss", "higher in log loss"),
}


class BeatsEveryRival:
    """C206."""

    code = "C206"
    title = "Its probabilities beat every naive rival's"
    why = "A model that knows no more than a rule of thumb is not worth its upkeep."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Log loss below each rival's with 95 % confidence, by creator."""
        closest = _closest(evidence.over_rivals, "log_loss")
        if closest is None:
            return _unknown(self, few_creators(self.code), 0.0, evidence.evaluation.rows)
        name, found = closest
        outcome = Outcome.PASS if found.lower > 0 else Outcome.FAIL
        sentence = (
            f"Closest is {RIVAL_NAMES[name]}: its log loss is higher by {found.value:.3f}, and by at least "
            f"{found.lower:.3f} with 95 % confidence; more than 0 is required."
        )
        rows = evidence.evaluation.rows
        return Finding(self.code, self.title, outcome, found.lower, 0, sentence, rows, found.interval)


class NoRivalIsMoreAccurate:
    """C207."""

    code = "C207"
    title = "No naive rival is proven more accurate"
    why = "Good probabilities are no excuse for naming the wrong tier more often than a rule of thumb."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Accuracy not below the best rival's with 95 % confidence, by creator."""
        closest = _closest(evidence.over_rivals, "accuracy")
        if closest is None:
            return _unknown(self, few_creators(self.code), 0.0, evidence.evaluation.rows)
        name, found = closest
        sentence = (
            f"Closest is {RIVAL_NAMES[name]}: the candidate is {_by(found.value, _points, 'accuracy')}, and at best "
            f"{_by(found.upper, _points, 'accuracy')} (95 % bound); below 0 the rival would be proven better."
        )
        outcome, rows = at_least(found.upper, 0), evidence.evaluation.rows
        return Finding(self.code, self.title, outcome, found.upper, 0, sentence, rows, found.interval)


class NotWorseThan:
    """C210 to C213: proven no worse than a release by more than a margin; worse for certain is a failure.

    The margin has to hold with 95 % confidence beside the champion. Beside the best release kept it has to hold with
    99 %: that comparison comes back every week, and one slip in twenty would let quality sink a little a week.
    """

    def __init__(self, code: str, measure: Measured, *, best: bool) -> None:
        self.code, self._measure, self._best = code, measure, best
        self.title = f"Not worse than {self._whom} in {TOLD[measure][0]}"
        self.why = (
            "A little worse every week is a lot worse in a year; each champion may pass beside the one before it."
            if best
            else "The champion serves until something at least as good is proven on the same videos."
        )

    @property
    def _whom(self) -> str:
        return "the best release kept" if self._best else "the champion"

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The lower bound of the paired difference, by creator, is at or above minus the margin."""
        beside = evidence.beside_best if self._best else evidence.beside_champion
        required = -_margin(evidence.bars, self._measure)
        if beside is None:
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, required, self._nobody())
        pair = _enough(beside, evidence.bars)
        if isinstance(pair, str) and beside.excused:
            lost = f"Release {beside.release[:12]} cannot be compared ({beside.problem});"
            sentence = f"{lost if beside.paired is None else pair} {beside.excused}"
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, required, sentence)
        if isinstance(pair, str):
            return _unknown(self, pair, required, beside.paired.rows if beside.paired else 0)
        found: Difference | None = getattr(pair, self._measure)
        bound = (found.strict_lower if self._best else found.lower) if found else None
        if found is None or bound is None or isnan(found.value) or isnan(bound):
            return _unknown(self, f"{TOLD[self._measure][0].capitalize()} could not be compared.", required, pair.rows)
        outcome = at_least(bound, required)
        if outcome is not Outcome.PASS:
            outcome = Outcome.FAIL if found.strict_upper < 0 else Outcome.INCONCLUSIVE
        sentence = self._sentence(beside, found, bound, required, outcome)
        return Finding(self.code, self.title, outcome, bound, required, sentence, pair.rows, found.interval)

    def _nobody(self) -> str:
        return (
            "The champion is the best release kept, or none serves."
            if self._best
            else "No champion of the same label serves."
        )

    def _sentence(
        self, beside: Comparison, found: "Difference", bound: float, required: float, outcome: Outcome
    ) -> str:  # fmt: skip
        confidence = 99 if self._best else 95
        rows = f"{beside.paired.rows:,}" if beside.paired else "no"
        shown = _points if self._measure == "accuracy" else _nats
        told = (
            f"On {rows} videos that neither learned from, the candidate is "
            f"{_by(found.value, shown, self._measure)} than {beside.release[:12]}, and with {confidence} % confidence "
            f"at worst {_by(bound, shown, self._measure)}; {_by(required, shown, self._measure)} is allowed."
        )
        if outcome is Outcome.FAIL:
            return f"{told} It is proven worse, with 99 % confidence."
        return told if outcome is Outcome.PASS else f"{told} Nothing is proven; more test videos would tell."


class NoGroupIsHarmed:
    """C214."""

    code = "C214"
    title = "No group of videos is harmed"
    why = "A better average can hide that one platform, or everybody new, is served worse."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """In no platform, follower band, new creators or newest week is accuracy proven to fall by 2 points."""
        required = -evidence.bars.slice_margin
        judged = [group for group in evidence.groups if group.proven is not None]
        if not judged:
            sentence = (
                f"No group has {evidence.bars.min_slice_rows} comparable videos of creators enough, so none is judged."
            )
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, required, sentence)
        worst = min(judged, key=_most_harmed_first)
        bound = worst.proven
        if bound is None or isnan(bound):
            sentence = f"What {worst.name} loses could not be computed, so nobody can tell."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, required, sentence, worst.rows)
        compared = evidence.beside_champion is not None and evidence.beside_champion.paired is not None
        whom = "the champion's" if compared else "the majority's"
        sentence = (
            f"Of {len(judged)} groups the worst is {worst.name}: {worst.rows:,} videos, accuracy "
            f"{_share(worst.accuracy.value)} beside {whom} {_share(worst.other.value)}, at most {_points(bound)} "
            f"better with 95 % confidence over all groups; a proven loss of more than {_points(-required)} is harm."
        )
        outcome = at_least(bound, required)
        return Finding(self.code, self.title, outcome, bound, required, sentence, worst.rows, worst.gained.interval)


class CalibratedAsTheChampion:
    """C215."""

    code = "C215"
    title = "Calibrated no worse than the champion"
    why = "Whoever decides by the champion's probabilities relies on what they mean."

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """Expected calibration error not proven to exceed the champion's by more than 2 points."""
        beside, limit = evidence.beside_champion, evidence.bars.max_calibration_loss
        pair = "No champion of the same label serves." if beside is None else _enough(beside, evidence.bars)
        if beside is None or (isinstance(pair, str) and beside.excused):
            told = pair if beside is None else f"{pair} {beside.excused}"
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, limit, str(told), at_most=True)
        if isinstance(pair, str):
            return _unknown(self, pair, limit, beside.paired.rows if beside.paired else 0, at_most=True)
        found = pair.calibration
        if found is None or isnan(found.value) or isnan(found.lower):
            return _unknown(self, "The calibration errors could not be compared.", limit, pair.rows, at_most=True)
        sentence = (
            f"Its expected calibration error is {_points(found.value)} above the champion's on {pair.rows:,} videos, "
            f"and at least {_points(found.lower)} with 95 % confidence; a proven rise of {_points(limit)} is allowed."
        )
        outcome = at_most(found.lower, limit)
        return Finding(
            self.code, self.title, outcome, found.lower, limit, sentence, pair.rows, found.interval, at_most=True
        )


def few_creators(code: str) -> str:
    """What is lacking where there are no bounds, and what helps."""
    return (
        f"{TOO_FEW_CREATORS} to tell; {MIN_CREATORS} about equally large ones are needed. Ingest videos of more "
        f"creators, or name {code} in gate.warn_only; the release will say so."
    )


def _enough(beside: Comparison, bars: Bars) -> "Paired | str":
    """The paired figures where rows and creators suffice, else what is lacking."""
    if beside.paired is None:
        return (
            f"Release {beside.release[:12]} could not be compared: {beside.problem}. "
            f"`tiercast retrain --replace {beside.release[:12]}` lets a candidate replace it all the same."
        )
    found = beside.paired
    if found.rows >= bars.min_compared_rows and found.creators >= bars.min_compared_creators:
        return found
    return (
        f"Only {found.rows:,} test videos of {found.creators:,} creators are new to {beside.release[:12]} and the "
        f"candidate ({beside.left_out:,} are not); {bars.min_compared_rows:,} videos and "
        f"{bars.min_compared_creators:,} creators are required. Ingest more videos, raise retrain.max_videos, and "
        "leave retrain.test_share and retrain.seed as they were."
    )


def _most_harmed_first(group: Group) -> float:
    return -inf if group.proven is None or isnan(group.proven) else group.proven


def _by(gained: float, shown: Callable[[float], str], measure: Measured) -> str:
    """A gain or a loss in words."""
    return f"{shown(abs(gained))} {TOLD[measure][1 if gained >= 0 else 2]}"


def _margin(bars: Bars, measure: Measured) -> float:
    return bars.accuracy_margin if measure == "accuracy" else bars.log_loss_margin


def _closest(over: Mapping[str, "Paired"], measure: Measured) -> "tuple[str, Difference] | None":
    """The rival that the candidate is least proven against; None where one of them cannot be compared."""
    found = {name: getattr(pair, measure) for name, pair in over.items()}
    if not found or any(each is None or isnan(each.lower) or isnan(each.upper) for each in found.values()):
        return None
    bound = "lower" if measure == "log_loss" else "upper"
    name = min(found, key=lambda rival: getattr(found[rival], bound))
    return name, found[name]


def _unknown(
    check: Check[CandidateEvidence], sentence: str, required: float, rows: int, *, at_most: bool = False
) -> Finding:  # fmt: skip
    return Finding(check.code, check.title, Outcome.INCONCLUSIVE, None, required, sentence, rows, at_most=at_most)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _nats(loss: float) -> str:
    return f"{loss:.3f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None or isnan(value) else f"{value:.1%}"


RIVAL_CHECKS: Final[tuple[Check[CandidateEvidence], ...]] = (BeatsEveryRival(), NoRivalIsMoreAccurate())
COMPARISON_CHECKS: Final[tuple[Check[CandidateEvidence], ...]] = (
    NotWorseThan("C210", "accuracy", best=False),
    NotWorseThan("C211", "log_loss", best=False),
    NotWorseThan("C212", "accuracy", best=True),
    NotWorseThan("C213", "log_loss", best=True),
    NoGroupIsHarmed(),
    CalibratedAsTheChampion(),
)
