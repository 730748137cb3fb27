"""Every outcome of the questions put to a moment in which nobody is right most of the time."""

import json
import math
from dataclasses import replace

import pytest

from checks.samples import BARS, BELOW, PART, bounds, evaluation
from checks.samples import CANDIDATE as GOOD
from tiercast.checks.candidate import CANDIDATE_CHECKS
from tiercast.checks.evidence import CandidateEvidence, Check
from tiercast.checks.forecast import (
    FORECAST_CHECKS,
    MIN_CALIBRATION_ROWS,
    Calibrated,
    ConfidentPartHolds,
    MissesNarrowly,
)
from tiercast.core.findings import Outcome, Verdict, verdict_of
from tiercast.learn.metrics import Evaluation, Measure


def verdict(evidence: CandidateEvidence) -> Verdict:
    return verdict_of(check.judge(evidence) for check in CANDIDATE_CHECKS)


def confident(
    accuracy: float | None = 0.66, *, rows: int = 400, coverage: float = 0.25, bars: object = BARS
) -> CandidateEvidence:
    part = replace(PART, rows=rows, coverage=coverage, accuracy=Measure(accuracy))
    return replace(GOOD, confident=part, bars=bars)  # type: ignore[arg-type]


def test_a_good_forecast_is_promoted() -> None:
    assert verdict(GOOD) is Verdict.PROMOTE
    assert [check.judge(GOOD).outcome for check in FORECAST_CHECKS] == [Outcome.PASS] * 3


def test_the_three_are_asked_of_every_candidate_and_say_why_they_matter() -> None:
    assert [check.code for check in FORECAST_CHECKS] == ["C205", "C208", "C209"]
    assert {*FORECAST_CHECKS} <= {*CANDIDATE_CHECKS}
    assert all(check.title and check.why.endswith(".") for check in FORECAST_CHECKS)


@pytest.mark.parametrize("check", FORECAST_CHECKS, ids=lambda check: check.code)
def test_a_moment_without_a_bar_is_not_asked_whatever_the_evidence(check: Check[CandidateEvidence]) -> None:
    """No bar is no pass either."""
    unset = replace(BARS, min_confident_accuracy=None, min_within_one=None, max_calibration_error=None)
    worst = replace(
        confident(0.1, rows=1, coverage=0.01), evaluation=evaluation(within_one=0.1, error=0.9, excess=bounds(0.8))
    )
    nothing = replace(GOOD, confident=None, evaluation=evaluation(within_one=None, error=None))
    for evidence in (GOOD, worst, nothing):
        finding = check.judge(replace(evidence, bars=unset))
        assert (finding.outcome, finding.observed, finding.required) == (Outcome.NOT_APPLICABLE, None, None)
        assert "No bar is set for this moment (gate.draft." in finding.explanation


# C205: confident predictions are right


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        (confident(0.60, rows=200, coverage=0.20), Outcome.PASS),
        (confident(0.60 - BELOW), Outcome.FAIL),
        (confident(0.0), Outcome.FAIL),
        (confident(rows=199), Outcome.INCONCLUSIVE),
        (confident(0.0, rows=199), Outcome.INCONCLUSIVE),
        (confident(coverage=0.20 - BELOW), Outcome.FAIL),
        (confident(coverage=math.nan), Outcome.INCONCLUSIVE),
        (confident(None), Outcome.INCONCLUSIVE),
        (confident(math.nan), Outcome.INCONCLUSIVE),
        (confident(None, rows=0, coverage=0.0), Outcome.INCONCLUSIVE),
        (replace(GOOD, confident=None), Outcome.INCONCLUSIVE),
        (confident(0.7, bars=replace(BARS, min_confident_accuracy=0.71)), Outcome.FAIL),
        (confident(0.71, bars=replace(BARS, min_confident_accuracy=0.71)), Outcome.PASS),
        (confident(rows=401, bars=replace(BARS, min_confident_rows=402)), Outcome.INCONCLUSIVE),
        (confident(coverage=0.4, bars=replace(BARS, min_coverage=0.41)), Outcome.FAIL),
    ],
)
def test_confident_predictions_meet_accuracy_rows_and_coverage_exactly_or_not(
    evidence: CandidateEvidence, outcome: Outcome
) -> None:
    finding = ConfidentPartHolds().judge(evidence)
    assert finding.outcome is outcome
    assert finding.required == evidence.bars.min_confident_accuracy
    assert finding.observed == known(evidence.confident and evidence.confident.accuracy.value)


def known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def test_the_sentence_on_confident_predictions_names_every_figure_and_bar() -> None:
    sentence = ConfidentPartHolds().judge(GOOD).explanation
    assert "400 test videos (25.0%) are called confident" in sentence
    assert "66.0% (95 % interval 61.0-71.0 %) of them; 60% is required" in sentence
    assert "on 200 videos and 20% of all (gate.draft)" in sentence


def test_where_no_threshold_was_found_it_says_so() -> None:
    sentence = ConfidentPartHolds().judge(replace(GOOD, confident=None)).explanation
    assert "No confidence threshold was found" in sentence
    assert "60% of the time" in sentence


def test_a_threshold_that_no_test_video_reaches_is_not_called_missing() -> None:
    sentence = ConfidentPartHolds().judge(confident(None, rows=0, coverage=0.0)).explanation
    assert "No confidence threshold" not in sentence
    assert "0 test videos (0.0%) are called confident" in sentence
    assert "an unknown share" in sentence


# C208: misses are narrow


@pytest.mark.parametrize(
    ("within_one", "required", "outcome"),
    [
        (0.75, 0.75, Outcome.PASS),
        (0.75 - BELOW, 0.75, Outcome.FAIL),
        (0.8, 0.81, Outcome.FAIL),
        (0.81, 0.81, Outcome.PASS),
        (None, 0.75, Outcome.INCONCLUSIVE),
        (math.nan, 0.75, Outcome.INCONCLUSIVE),
    ],
)
def test_the_share_of_narrow_misses_is_met_exactly_or_not(
    within_one: float | None, required: float, outcome: Outcome
) -> None:
    bars = replace(BARS, min_within_one=required)
    finding = MissesNarrowly().judge(replace(GOOD, evaluation=evaluation(within_one=within_one), bars=bars))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, known(within_one), required)
    told = "an unknown share" if known(within_one) is None else f"{within_one:.1%} (95 % interval"
    assert f"At most one tier off for {told}" in finding.explanation
    assert f"{required:.0%} is required (gate.draft)" in finding.explanation


# C209: probabilities mean what they say


@pytest.mark.parametrize(
    ("evaluated", "limit", "outcome"),
    [
        (evaluation(error=0.09, excess=bounds(0.05)), 0.05, Outcome.PASS),
        (evaluation(error=0.09, excess=bounds(0.05 + BELOW)), 0.05, Outcome.FAIL),
        (evaluation(error=0.09, excess=bounds(0.05)), 0.04, Outcome.FAIL),
        (evaluation(error=0.09, excess=bounds(-0.01)), 0.05, Outcome.PASS),  # above the limit, but not proven
        (evaluation(error=0.04, excess=bounds(0.06)), 0.05, Outcome.FAIL),
        (evaluation(rows=MIN_CALIBRATION_ROWS), 0.05, Outcome.PASS),
        (evaluation(rows=MIN_CALIBRATION_ROWS - 1), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(rows=MIN_CALIBRATION_ROWS - 1, excess=bounds(0.5)), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(error=None), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(error=math.nan), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(chance=None), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(chance=math.nan), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(excess=None), 0.05, Outcome.INCONCLUSIVE),
        (evaluation(excess=bounds(math.nan)), 0.05, Outcome.INCONCLUSIVE),
    ],
)
def test_a_calibration_error_is_proven_beyond_the_limit_or_not(
    evaluated: Evaluation, limit: float, outcome: Outcome
) -> None:
    bars = replace(BARS, max_calibration_error=limit)
    finding = Calibrated().judge(replace(GOOD, evaluation=evaluated, bars=bars))
    proven = evaluated.bounds["calibration_excess"].lower if outcome is not Outcome.INCONCLUSIVE else None
    error = known(evaluated.metrics["expected_calibration_error"].value)
    shown = error if outcome is Outcome.INCONCLUSIVE else proven  # what is compared with the limit, where it is
    assert (finding.outcome, finding.observed, finding.required) == (outcome, shown, limit)


def test_the_sentence_on_calibration_names_error_chance_excess_and_limit() -> None:
    sentence = Calibrated().judge(replace(GOOD, evaluation=evaluation(error=0.0912, excess=bounds(0.0613)))).explanation
    assert "Expected calibration error 0.091, of which 0.020 is chance at 1,600 videos" in sentence
    assert "at least 0.061 with 95 % confidence, and 0.05 is the limit (gate.draft)" in sentence


def test_an_open_question_of_calibration_says_what_is_too_few() -> None:
    few = Calibrated().judge(replace(GOOD, evaluation=evaluation(rows=999))).explanation
    assert "999 test videos are too few" in few
    assert "1,000 are needed" in few
    of_few_creators = Calibrated().judge(replace(GOOD, evaluation=evaluation(rows=1_600, excess=None))).explanation
    assert "Too few creators" in of_few_creators
    assert "1,600 test videos are too few" not in of_few_creators


@pytest.mark.parametrize(
    "silent",
    [
        replace(GOOD, confident=None),
        confident(math.nan),
        replace(GOOD, evaluation=evaluation(within_one=math.nan)),
        replace(GOOD, evaluation=evaluation(error=math.nan)),
        replace(GOOD, evaluation=evaluation(excess=bounds(math.nan))),
    ],
)
def test_missing_evidence_holds_and_never_promotes_nor_writes_nan(silent: CandidateEvidence) -> None:
    assert verdict(silent) is Verdict.HOLD
    observed = [check.judge(silent).observed for check in CANDIDATE_CHECKS]
    json.dumps(observed, allow_nan=False)


@pytest.mark.parametrize(
    "weak",
    [
        confident(0.59),
        confident(coverage=0.19),
        replace(GOOD, evaluation=evaluation(within_one=0.74)),
        replace(GOOD, evaluation=evaluation(excess=bounds(0.051))),
    ],
)
def test_one_failing_question_rejects(weak: CandidateEvidence) -> None:
    assert verdict(weak) is Verdict.REJECT
