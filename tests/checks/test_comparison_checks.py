"""Every outcome of the questions about the candidate beside naive rivals, the champion and the best release kept."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.samples import (
    BARS,
    BELOW,
    BESIDE,
    CANDIDATE,
    EQUAL,
    FIRST_CANDIDATE,
    difference,
    group,
    pair,
)
from tiercast.checks.comparison import (
    COMPARISON_CHECKS,
    BeatsEveryRival,
    CalibratedAsTheChampion,
    NoGroupIsHarmed,
    NoRivalIsMoreAccurate,
    NotWorseThan,
)
from tiercast.checks.evidence import CandidateEvidence
from tiercast.core.findings import Finding, Outcome, Verdict, verdict_of
from tiercast.learn.paired import Difference, Paired

PASS, FAIL, DOUBT, OUT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE

# C206 and C207: every naive rival


def over(**by_rival: tuple[Difference, Difference]) -> CandidateEvidence:
    """The candidate beside rivals, each by accuracy and log loss."""
    rivals = {rival: pair(accuracy, log_loss) for rival, (accuracy, log_loss) in by_rival.items()}
    return replace(CANDIDATE, over_rivals=rivals)


FAR = difference(0.3)


@pytest.mark.parametrize(
    ("by_rival", "outcome", "observed", "named"),
    [
        ({"majority": FAR, "creators_usual": difference(BELOW)}, PASS, BELOW, "the creator's usual tier"),
        ({"majority": FAR, "creators_usual": difference(0.0)}, FAIL, 0.0, "the creator's usual tier"),
        ({"majority": difference(-BELOW), "creators_usual": FAR}, FAIL, -BELOW, "the commonest tier"),
        ({"majority": FAR, "first_views": difference(0.1)}, PASS, 0.1, "the tier that first views imply"),
    ],
)
def test_probabilities_beat_the_closest_rival_or_not(
    by_rival: Mapping[str, Difference], outcome: Outcome, observed: float, named: str
) -> None:
    finding = BeatsEveryRival().judge(over(**{rival: (FAR, loss) for rival, loss in by_rival.items()}))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0)
    assert f"Closest is {named}: " in finding.explanation
    assert f"by at least {observed:.3f} with 95 % confidence; more than 0 is required" in finding.explanation


@pytest.mark.parametrize(
    ("by_rival", "outcome", "observed", "named"),
    [
        ({"majority": FAR, "creators_usual": difference(-0.1, 0.0)}, PASS, 0.0, "the creator's usual tier"),
        ({"majority": FAR, "creators_usual": difference(-0.1, -BELOW)}, FAIL, -BELOW, "the creator's usual tier"),
        ({"majority": difference(-0.1, 0.03), "creators_usual": FAR}, PASS, 0.03, "the commonest tier"),
    ],
)
def test_no_rival_is_proven_more_accurate_or_one_is(
    by_rival: Mapping[str, Difference], outcome: Outcome, observed: float, named: str
) -> None:
    finding = NoRivalIsMoreAccurate().judge(over(**{rival: (hits, FAR) for rival, hits in by_rival.items()}))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0)
    assert f"Closest is {named}: the candidate is " in finding.explanation
    more = "more" if observed >= 0 else "less"
    assert f"at best {100 * abs(observed):.1f} points {more} accurate" in finding.explanation


def test_a_rival_is_compared_by_the_bound_that_speaks_against_the_claim() -> None:
    evidence = over(majority=(difference(-0.5, 0.01), difference(-0.01, 0.5)))
    beats, equal = BeatsEveryRival().judge(evidence), NoRivalIsMoreAccurate().judge(evidence)
    assert (beats.outcome, beats.observed) == (FAIL, -0.01)  # not proven better
    assert (equal.outcome, equal.observed) == (PASS, 0.01)  # not proven worse


# C210 to C213: not worse than the champion, nor than the best release kept


def beside(found: Difference | None, measure: str, *, rows: int = 1_600, creators: int = 400) -> CandidateEvidence:
    """The candidate beside champion and best release, both of which differ by ``found`` in this measure."""
    others = {"accuracy": difference(0.1), "log_loss": difference(0.1), "calibration": difference(-0.1, 0.0)}
    compared = replace(BESIDE, paired=Paired(rows, creators, **{**others, measure: found}))  # type: ignore[arg-type]
    return replace(CANDIDATE, beside_champion=compared, beside_best=compared)


CHAMPION_CHECKS = [("C210", "accuracy", False), ("C211", "log_loss", False)]
BEST_CHECKS = [("C212", "accuracy", True), ("C213", "log_loss", True)]
EACH = pytest.mark.parametrize(("code", "measure", "best"), CHAMPION_CHECKS + BEST_CHECKS)


def judged(code: str, evidence: CandidateEvidence) -> Finding:
    check = next(check for check in COMPARISON_CHECKS if check.code == code)
    return check.judge(evidence)


@EACH
@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (difference(-0.01), PASS),  # exactly the margin
        (difference(0.005), PASS),
        (difference(-0.01 - BELOW, 0.05), DOUBT),
        (difference(-0.2, 0.0), DOUBT),  # may be as good
        (difference(-0.2, -BELOW), FAIL),  # is worse
        (difference(-0.009, -0.001), PASS),  # is worse, and by no more than is allowed
    ],
)
def test_a_candidate_is_proven_no_worse_or_proven_worse_or_nothing_is_proven(
    code: str, measure: str, best: bool, found: Difference, outcome: Outcome
) -> None:
    finding = judged(code, beside(found, measure))
    assert (finding.outcome, finding.required, finding.rows) == (outcome, -0.01, 1_600)
    assert (finding.observed, finding.interval) == (found.lower, found.interval)
    assert ("It is proven worse" in finding.explanation) == (outcome is FAIL)
    assert ("Nothing is proven" in finding.explanation) == (outcome is DOUBT)


def test_the_champion_is_held_to_at_95_percent_and_the_best_release_at_99() -> None:
    """A candidate between the two bounds passes beside the champion, and proves nothing beside the best."""
    between = difference(-0.009, 0.03, strict=-0.011)
    for code, measure, best in CHAMPION_CHECKS + BEST_CHECKS:
        finding = judged(code, beside(between, measure))
        assert finding.outcome is (DOUBT if best else PASS)
        assert finding.observed == (-0.011 if best else -0.009)
        assert f"with {99 if best else 95} % confidence" in finding.explanation


@EACH
def test_worse_is_only_what_is_worse_with_99_percent_confidence(code: str, measure: str, best: bool) -> None:
    perhaps = difference(-0.05, -0.001, strict_upper=0.001)
    assert judged(code, beside(perhaps, measure)).outcome is DOUBT
    assert judged(code, beside(replace(perhaps, strict_upper=-BELOW), measure)).outcome is FAIL


@EACH
@pytest.mark.parametrize(
    ("rows", "creators", "outcome"), [(500, 50, PASS), (499, 50, DOUBT), (500, 49, DOUBT), (0, 0, DOUBT)]
)
def test_five_hundred_rows_of_fifty_creators_are_needed_whatever_they_show(
    code: str, measure: str, best: bool, rows: int, creators: int, outcome: Outcome
) -> None:
    finding = judged(code, beside(difference(0.2), measure, rows=rows, creators=creators))
    assert (finding.outcome, finding.rows) == (outcome, rows)
    hopeless = judged(code, beside(difference(-0.3, -0.2), measure, rows=rows, creators=creators))
    assert hopeless.outcome is (FAIL if outcome is PASS else DOUBT)
    if outcome is DOUBT:
        assert f"Only {rows} test videos of {creators} creators are new to c0ffeec0ffee" in finding.explanation
        assert "(12 are not); 500 videos and 50 creators are required" in finding.explanation


@EACH
def test_a_margin_is_that_of_its_own_measure(code: str, measure: str, best: bool) -> None:
    margins = replace(BARS, accuracy_margin=0.03, log_loss_margin=0.07)
    margin = 0.03 if measure == "accuracy" else 0.07
    for bound, outcome in ((-margin, PASS), (-margin - BELOW, DOUBT)):
        evidence = replace(beside(difference(bound), measure), bars=margins)
        finding = judged(code, evidence)
        assert (finding.outcome, finding.required) == (outcome, -margin)


def test_champion_and_best_release_are_judged_each_by_its_own_comparison() -> None:
    worse = replace(BESIDE, release="beef" * 16, paired=pair(difference(-0.3, -0.2), difference(-0.3, -0.2)))
    evidence = replace(CANDIDATE, beside_best=worse)
    outcomes = {check.code: check.judge(evidence) for check in COMPARISON_CHECKS}
    assert [outcomes[code].outcome for code in ("C210", "C211", "C212", "C213")] == [PASS, PASS, FAIL, FAIL]
    assert "than c0ffeec0ffee" in outcomes["C210"].explanation
    assert "than beefbeefbeef" in outcomes["C212"].explanation


@pytest.mark.parametrize("code", ["C210", "C211", "C215"])
def test_a_champion_that_cannot_be_compared_is_a_doubt_unless_it_was_named_to_be_replaced(code: str) -> None:
    silent = replace(BESIDE, paired=None, problem="its feature schema differs")
    finding = judged(code, replace(CANDIDATE, beside_champion=silent))
    assert (finding.outcome, finding.observed) == (DOUBT, None)
    assert "could not be compared: its feature schema differs" in finding.explanation
    named = replace(silent, excused="it was named to be replaced all the same.")
    assert judged(code, replace(CANDIDATE, beside_champion=named)).outcome is OUT


def test_who_is_excused_is_told_with_the_problem_and_who_answers_for_it() -> None:
    gone = replace(
        BESIDE, release="beef" * 16, paired=None, problem="it is gone", excused="the champion stands for it."
    )
    finding = judged("C212", replace(CANDIDATE, beside_best=gone))
    assert finding.outcome is OUT
    assert finding.explanation == "Release beefbeefbeef cannot be compared (it is gone); the champion stands for it."


def test_without_a_champion_nothing_is_compared_and_that_is_no_pass() -> None:
    findings = [judged(code, FIRST_CANDIDATE) for code in ("C210", "C211", "C212", "C213", "C215")]
    assert {finding.outcome for finding in findings} == {OUT}
    assert verdict_of(findings) is Verdict.HOLD


@given(st.floats(-0.5, 0.5), st.floats(0, 0.3), st.floats(0, 0.1), st.floats(0, 0.1), st.booleans())
def test_better_bounds_never_lead_to_a_worse_answer(
    lower: float, width: float, stricter: float, better: float, best: bool
) -> None:
    rank = {FAIL: 0, DOUBT: 1, PASS: 2}

    def found(shift: float) -> Difference:
        low, high = lower + shift, lower + width + shift
        return difference(low, high, strict=low - stricter, strict_upper=high + stricter)

    check = NotWorseThan("C299", "accuracy", best=best)
    first, second = (check.judge(beside(found(shift), "accuracy")).outcome for shift in (0.0, better))
    assert rank[second] >= rank[first]


# C214: no group of videos is harmed


@pytest.mark.parametrize(
    ("groups", "outcome", "observed", "named"),
    [
        ((group("platform tiktok", 0.05), group("newest week", -0.02)), PASS, -0.02, "newest week: 300 videos"),
        ((group("platform tiktok", 0.05), group("newest week", -0.02 - BELOW)), FAIL, -0.02 - BELOW, "newest week"),
        ((group("newest week", -0.3), group("platform tiktok", 0.05)), FAIL, -0.3, "Of 2 groups the worst is newest"),
        ((group("newest week", None, rows=99), group("platform tiktok", 0.05)), PASS, 0.05, "Of 1 groups"),
        ((group("newest week", None, rows=99),), OUT, None, "No group has 100 comparable videos"),
        ((), OUT, None, "No group has 100 comparable videos"),
    ],
)
def test_a_group_is_harmed_only_where_that_is_proven(
    groups: tuple[object, ...], outcome: Outcome, observed: float | None, named: str
) -> None:
    finding = NoGroupIsHarmed().judge(replace(CANDIDATE, groups=groups))  # type: ignore[arg-type]
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, -0.02)
    assert named in finding.explanation
    if observed is not None:
        assert finding.rows == 300
        assert finding.interval == (-0.06, 0.04)  # of the gain, as what was observed is


def test_a_harmed_group_is_told_beside_whom_it_was_compared() -> None:
    assert "beside the champion's 45.0%" in NoGroupIsHarmed().judge(CANDIDATE).explanation
    assert "beside the majority's 45.0%" in NoGroupIsHarmed().judge(FIRST_CANDIDATE).explanation
    silent = replace(CANDIDATE, beside_champion=replace(BESIDE, paired=None, problem="it is gone"))
    assert "beside the majority's 45.0%" in NoGroupIsHarmed().judge(silent).explanation


# C215: calibrated no worse than the champion


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (difference(0.02, 0.2), PASS),
        (difference(0.02 + BELOW, 0.2), FAIL),
        (difference(-0.1, 0.5), PASS),  # not proven
        (difference(-0.5, -0.1), PASS),
    ],
)
def test_a_calibration_is_proven_worse_or_not(found: Difference, outcome: Outcome) -> None:
    finding = CalibratedAsTheChampion().judge(beside(found, "calibration"))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, found.lower, 0.02)
    assert (finding.rows, finding.interval) == (1_600, found.interval)


def test_equal_models_pass_every_comparison() -> None:
    evidence = replace(CANDIDATE, beside_champion=replace(BESIDE, paired=EQUAL))
    assert {check.judge(evidence).outcome for check in COMPARISON_CHECKS} == {PASS}
