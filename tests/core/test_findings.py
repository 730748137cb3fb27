"""The verdict: only evidence promotes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.core.findings import Finding, Outcome, Verdict, at_least, verdict_of

PASS, FAIL, DOUBT, OUT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE
findings = st.builds(
    Finding,
    code=st.sampled_from(["D101", "D102", "C201", "C203"]),
    title=st.just("t"),
    outcome=st.sampled_from(Outcome),
    observed=st.none() | st.floats(),
    required=st.none() | st.floats(),
    explanation=st.just("e"),
)


def found(*answers: tuple[str, Outcome]) -> Verdict:
    return verdict_of(Finding(code, "t", outcome, None, None, "e") for code, outcome in answers)


@given(st.lists(findings, max_size=8))
def test_only_passes_without_any_doubt_promote(given_findings: list[Finding]) -> None:
    outcomes = {finding.outcome for finding in given_findings}
    promotes = PASS in outcomes and not outcomes & {FAIL, DOUBT}
    assert (verdict_of(given_findings) is Verdict.PROMOTE) == promotes


@given(st.lists(findings, max_size=8), st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_the_order_of_findings(given_findings: list[Finding], random: object) -> None:
    shuffled = list(given_findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert verdict_of(shuffled) is verdict_of(given_findings)


@given(st.lists(findings, max_size=8))
def test_nan_never_promotes(given_findings: list[Finding]) -> None:
    judged = Finding("C201", "t", at_least(math.nan, 0.6), math.nan, 0.6, "e")
    assert verdict_of([*given_findings, judged]) is not Verdict.PROMOTE


def test_a_failing_candidate_is_rejected_whatever_else_was_found() -> None:
    assert found(("C201", FAIL), ("D101", DOUBT), ("C202", PASS)) is Verdict.REJECT


def test_failing_data_hold() -> None:
    assert found(("D101", FAIL), ("C201", PASS)) is Verdict.HOLD


@pytest.mark.parametrize("code", ["D101", "C203"])
def test_an_inconclusive_answer_holds(code: str) -> None:
    assert found((code, DOUBT), ("C201", PASS)) is Verdict.HOLD


def test_silence_holds() -> None:
    assert found() is Verdict.HOLD
    assert found(("D103", OUT), ("C204", OUT)) is Verdict.HOLD


@pytest.mark.parametrize(
    ("observed", "required", "outcome"),
    [
        (0.60, 0.60, PASS),
        (0.85, 0.80 + 0.05, PASS),
        (0.80 + 0.05, 0.85, PASS),
        (0.1 + 0.2, 0.3, PASS),
        (0.3, 0.1 + 0.2, PASS),
        (0.59999, 0.60, FAIL),
        (0, 0, PASS),
        (-math.inf, 0.6, FAIL),
        (None, 0.60, DOUBT),
        (math.nan, 0.60, DOUBT),
        (0.60, math.nan, DOUBT),
        (None, math.nan, DOUBT),
    ],
)
def test_a_floor_is_met_exactly_or_not_and_no_evidence_is_no_answer(
    observed: float | None, required: float, outcome: Outcome
) -> None:
    assert at_least(observed, required) is outcome
