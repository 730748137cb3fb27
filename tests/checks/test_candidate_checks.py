"""Every outcome of the questions put to the candidate."""

import math
from dataclasses import replace

import pytest

from tiercast.checks.candidate import (
    CANDIDATE_CHECKS,
    AccuracyFloor,
    EveryTierPredicted,
    LabelDoesNotStepBack,
    SameInAFreshProcess,
)
from tiercast.checks.evidence import REHEARSAL_TOLERANCE, Bars, CandidateEvidence, ChampionFacts
from tiercast.core.findings import Outcome, Verdict, verdict_of
from tiercast.core.moments import Moment
from tiercast.learn.metrics import Evaluation, Measure, TierReport

GIVEN = ChampionFacts("facade" * 10, "given", ())
VIEWS = replace(GIVEN, label="views")


def evaluation(accuracy: float | None, recalls: tuple[float | None, ...] = (0.5, 0.6, 0.7, 0.8, 0.9)) -> Evaluation:
    interval = None if accuracy is None else (accuracy - 0.02, accuracy + 0.02)
    reports = tuple(TierReport(tier, 0.5, recall, 100) for tier, recall in enumerate(recalls, 1))
    return Evaluation(1_500, {"accuracy": Measure(accuracy, interval)}, (), reports)


GOOD = CandidateEvidence(
    moment=Moment.OBSERVED,
    label="views",
    evaluation=evaluation(0.7),
    rivals={"majority": evaluation(0.2)},
    bars=Bars(min_accuracy=0.60),
    rehearsal_difference=0.0,
    rehearsal_problem=None,
    champion=None,
)


def verdict(evidence: CandidateEvidence) -> Verdict:
    return verdict_of(check.judge(evidence) for check in CANDIDATE_CHECKS)


def test_a_good_candidate_is_promoted() -> None:
    assert verdict(GOOD) is Verdict.PROMOTE


def test_every_check_has_a_candidate_code_of_its_own_and_says_why_it_matters() -> None:
    codes = [check.code for check in CANDIDATE_CHECKS]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("C2") for code in codes)
    assert all(check.title and check.why.endswith(".") for check in CANDIDATE_CHECKS)


@pytest.mark.parametrize(
    ("accuracy", "required", "outcome"),
    [
        (0.60, 0.60, Outcome.PASS),
        (0.85, 0.80 + 0.05, Outcome.PASS),
        (0.599, 0.60, Outcome.FAIL),
        (0.0, 0.60, Outcome.FAIL),
        (None, 0.60, Outcome.INCONCLUSIVE),
        (math.nan, 0.60, Outcome.INCONCLUSIVE),
        (0.9, math.nan, Outcome.INCONCLUSIVE),
    ],
)
def test_the_accuracy_floor_is_met_exactly_or_not(accuracy: float | None, required: float, outcome: Outcome) -> None:
    bars = Bars(min_accuracy=required)
    finding = AccuracyFloor().judge(replace(GOOD, evaluation=evaluation(accuracy), bars=bars))
    assert finding.outcome is outcome
    assert finding.required is required
    assert finding.observed == (None if accuracy is None or math.isnan(accuracy) else accuracy)


def test_the_accuracy_sentence_names_observed_required_rows_and_the_naive_rival() -> None:
    sentence = AccuracyFloor().judge(GOOD).explanation
    assert "70.0% (95 % interval 68.0-72.0 %)" in sentence
    assert "1,500 test videos; 60% is required" in sentence
    assert "commonest tier would be right for 20.0%" in sentence
    assert "honest" not in sentence


def test_a_refusal_on_views_says_that_it_is_no_bug_and_one_on_given_labels_does_not() -> None:
    weak = replace(GOOD, evaluation=evaluation(0.45))
    assert "honest, not a bug" in AccuracyFloor().judge(weak).explanation
    assert "honest" not in AccuracyFloor().judge(replace(weak, label="given")).explanation
    assert "honest" not in AccuracyFloor().judge(replace(weak, moment=Moment.EARLY)).explanation


def test_without_a_floor_accuracy_is_told_and_neither_passes_nor_fails() -> None:
    for accuracy, told in ((0.1, 0.1), (0.9, 0.9), (math.nan, None)):
        draft = replace(
            GOOD, moment=Moment.DRAFT, evaluation=evaluation(accuracy), bars=Bars(min_accuracy=None), rivals={}
        )
        finding = AccuracyFloor().judge(draft)
        assert (finding.outcome, finding.observed, finding.required) == (Outcome.NOT_APPLICABLE, told, None)
        assert "C205 judges those it calls confident" in finding.explanation


def test_an_accuracy_without_an_interval_is_still_told() -> None:
    bare = replace(evaluation(0.7), metrics={"accuracy": Measure(0.7)})
    unknown = replace(bare, metrics={"accuracy": Measure(None)})
    sentence = AccuracyFloor().judge(replace(GOOD, evaluation=bare, rivals={"majority": unknown})).explanation
    assert "for 70.0% of" in sentence
    assert "right for an unknown share" in sentence


@pytest.mark.parametrize(
    ("recalls", "outcome", "observed", "named"),
    [
        ((0.5, 0.6, 0.01, 0.8, 0.9), Outcome.PASS, 0.01, "weakest is tier 3, found in 1.0%"),
        ((0.5, 0.0, 0.7, 0.8, 0.0), Outcome.FAIL, 0.0, "Tier 2, 5 was never named rightly"),
        ((0.5, None, 0.7, 0.0, 0.9), Outcome.INCONCLUSIVE, None, "Tier 2 has no test rows"),
        ((0.5, 0.6, math.nan, 0.8, 0.9), Outcome.INCONCLUSIVE, None, "Tier 3 has no test rows"),
    ],
)
def test_every_tier_is_found_or_lost_or_unknown(
    recalls: tuple[float | None, ...], outcome: Outcome, observed: float | None, named: str
) -> None:
    finding = EveryTierPredicted().judge(replace(GOOD, evaluation=evaluation(0.7, recalls)))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0)
    assert named in finding.explanation


@pytest.mark.parametrize(
    ("difference", "outcome"),
    [
        (0.0, Outcome.PASS),
        (REHEARSAL_TOLERANCE, Outcome.PASS),
        (2 * REHEARSAL_TOLERANCE, Outcome.FAIL),
        (math.inf, Outcome.FAIL),
        (None, Outcome.INCONCLUSIVE),
        (math.nan, Outcome.INCONCLUSIVE),
    ],
)
def test_a_fresh_process_agrees_or_differs_or_is_silent(difference: float | None, outcome: Outcome) -> None:
    finding = SameInAFreshProcess().judge(replace(GOOD, rehearsal_difference=difference))
    assert finding.outcome is outcome
    assert finding.required == REHEARSAL_TOLERANCE


def test_a_silent_fresh_process_says_why_where_it_can() -> None:
    silent = replace(GOOD, rehearsal_difference=None, rehearsal_problem="it ended with 1")
    assert "gave no answer: it ended with 1." in SameInAFreshProcess().judge(silent).explanation
    silent = replace(silent, rehearsal_problem=None)
    assert "no reason known" in SameInAFreshProcess().judge(silent).explanation


@pytest.mark.parametrize(
    ("label", "champion", "outcome"),
    [
        ("views", None, Outcome.NOT_APPLICABLE),
        ("views", GIVEN, Outcome.NOT_APPLICABLE),
        ("views", VIEWS, Outcome.NOT_APPLICABLE),
        ("given", None, Outcome.NOT_APPLICABLE),
        ("given", GIVEN, Outcome.PASS),
        ("given", VIEWS, Outcome.FAIL),
    ],
)
def test_a_model_of_views_never_gives_way_to_one_of_given_labels(
    label: str, champion: ChampionFacts | None, outcome: Outcome
) -> None:
    evidence = replace(GOOD, label=label, champion=champion)  # type: ignore[arg-type]
    assert LabelDoesNotStepBack().judge(evidence).outcome is outcome
    assert (verdict(evidence) is Verdict.REJECT) == (outcome is Outcome.FAIL)


@pytest.mark.parametrize(
    "silent",
    [
        replace(GOOD, evaluation=evaluation(math.nan)),
        replace(GOOD, evaluation=evaluation(0.7, (0.5, 0.5, None, 0.5, 0.5))),
        replace(GOOD, rehearsal_difference=math.nan),
    ],
)
def test_missing_evidence_holds_and_never_promotes(silent: CandidateEvidence) -> None:
    assert verdict(silent) is Verdict.HOLD
