"""Every outcome of the questions put to the candidate."""

import math
from dataclasses import replace

import pytest

from checks.samples import CANDIDATE, CHAMPION, GIVEN, OF_GIVEN_LABELS, evaluation
from tiercast.checks.candidate import (
    CANDIDATE_CHECKS,
    AccuracyFloor,
    EveryTierFound,
    LabelDoesNotStepBack,
    SameInAFreshProcess,
)
from tiercast.checks.evidence import REHEARSAL_TOLERANCE, CandidateEvidence, ChampionFacts
from tiercast.core.findings import Outcome, Verdict, verdict_of
from tiercast.core.moments import Moment
from tiercast.learn.metrics import Measure

GOOD = replace(
    CANDIDATE,
    moment=Moment.OBSERVED,
    evaluation=evaluation(0.7),
    bars=replace(CANDIDATE.bars, min_accuracy=0.60, min_recall=0.05),
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
    bars = replace(GOOD.bars, min_accuracy=required)
    finding = AccuracyFloor().judge(replace(GOOD, evaluation=evaluation(accuracy), bars=bars))
    assert finding.outcome is outcome
    assert finding.required is required
    known = accuracy is not None and not math.isnan(accuracy)
    assert finding.observed == (accuracy if known else None)
    assert (finding.rows, finding.interval is None) == ((1_600, False) if known else (None, True))


def test_the_accuracy_sentence_names_observed_required_rows_and_the_naive_rival() -> None:
    sentence = AccuracyFloor().judge(GOOD).explanation
    assert "70.0% (95 % interval 68.0-72.0 %)" in sentence
    assert "1,600 test videos; 60% is required" in sentence
    assert "commonest tier would be right for 20.0%" in sentence
    assert "honest" not in sentence


def test_a_refusal_on_views_says_that_it_is_no_bug_and_one_on_given_labels_does_not() -> None:
    weak = replace(GOOD, evaluation=evaluation(0.45))
    assert "honest, not a bug" in AccuracyFloor().judge(weak).explanation
    assert "honest" not in AccuracyFloor().judge(replace(weak, label="given")).explanation
    assert "honest" not in AccuracyFloor().judge(replace(weak, moment=Moment.EARLY)).explanation


def test_without_a_floor_accuracy_is_told_and_neither_passes_nor_fails() -> None:
    for accuracy, told in ((0.1, 0.1), (0.9, 0.9), (math.nan, None)):
        bars = replace(GOOD.bars, min_accuracy=None)
        draft = replace(GOOD, moment=Moment.DRAFT, evaluation=evaluation(accuracy), bars=bars, rivals={})
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
        ((0.5, 0.6, 0.05, 0.8, 0.9), Outcome.PASS, 0.05, "weakest is tier 3, found in 5.0% of its test videos; 5% is"),
        ((0.5, 0.6, 0.0499, 0.8, 0.9), Outcome.FAIL, 0.0499, "weakest is tier 3, found in 5.0%"),
        ((0.5, 0.0, 0.7, 0.8, 0.0), Outcome.FAIL, 0.0, "Tier 2, 5 was never named rightly"),
        ((0.5, None, 0.7, 0.0, 0.9), Outcome.INCONCLUSIVE, None, "Tier 2 has no test rows"),
        ((0.5, 0.6, math.nan, 0.8, 0.9), Outcome.INCONCLUSIVE, None, "Tier 3 has no test rows"),
    ],
)
def test_every_tier_is_found_or_lost_or_unknown(
    recalls: tuple[float | None, ...], outcome: Outcome, observed: float | None, named: str
) -> None:
    finding = EveryTierFound().judge(replace(GOOD, evaluation=evaluation(0.7, recalls=recalls)))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0.05)
    assert named in finding.explanation


def test_a_tier_that_is_never_named_fails_even_where_no_recall_is_required() -> None:
    lenient = replace(GOOD.bars, min_recall=0.0)
    lost = evaluation(0.7, recalls=(0.5, 0.0, 0.7, 0.8, 0.9))
    rare = evaluation(0.7, recalls=(0.5, 0.01, 0.7, 0.8, 0.9))
    outcomes = [EveryTierFound().judge(replace(GOOD, bars=lenient, evaluation=each)).outcome for each in (lost, rare)]
    assert outcomes == [Outcome.FAIL, Outcome.PASS]


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
        ("views", CHAMPION, Outcome.NOT_APPLICABLE),
        ("given", None, Outcome.NOT_APPLICABLE),
        ("given", GIVEN, Outcome.PASS),
        ("given", CHAMPION, Outcome.FAIL),
    ],
)
def test_a_model_of_views_never_gives_way_to_one_of_given_labels(
    label: str, champion: ChampionFacts | None, outcome: Outcome
) -> None:
    evidence = replace(OF_GIVEN_LABELS, label=label, champion=champion)  # type: ignore[arg-type]
    assert LabelDoesNotStepBack().judge(evidence).outcome is outcome
    assert (verdict(evidence) is Verdict.REJECT) == (outcome is Outcome.FAIL)


@pytest.mark.parametrize(
    "silent",
    [
        replace(GOOD, evaluation=evaluation(math.nan)),
        replace(GOOD, evaluation=evaluation(0.7, recalls=(0.5, 0.5, None, 0.5, 0.5))),
        replace(GOOD, rehearsal_difference=math.nan),
    ],
)
def test_missing_evidence_holds_and_never_promotes(silent: CandidateEvidence) -> None:
    assert verdict(silent) is Verdict.HOLD
