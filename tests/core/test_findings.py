"""The verdict: only evidence promotes."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.core.findings import Finding, Outcome, Verdict, at_least, at_most, verdict_of

PASS, FAIL, DOUBT, OUT = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE
findings = st.builds(
    Finding,
    code=st.sampled_from(["D101", "D102", "C201", "C203"]),
    title=st.just("t"),
    outcome=st.sampled_from(Outcome),
    observed=st.none() | st.floats(),
    required=st.none() | st.floats(),
    explanation=st.just("e"),
    demoted=st.booleans(),
)


def found(*answers: tuple[str, Outcome]) -> Verdict:
    return verdict_of(Finding(code, "t", outcome, None, None, "e") for code, outcome in answers)


@given(st.lists(findings, max_size=8))
def test_only_passes_without_any_doubt_promote(given_findings: list[Finding]) -> None:
    asked = [finding for finding in given_findings if not finding.demoted]
    outcomes = {finding.outcome for finding in asked}
    numbers = [value for finding in asked for value in (finding.observed, finding.required) if value is not None]
    promotes = PASS in outcomes and not outcomes & {FAIL, DOUBT} and not any(map(math.isnan, numbers))
    assert (verdict_of(given_findings) is Verdict.PROMOTE) == promotes


@given(st.lists(findings, max_size=8), st.lists(findings, max_size=4))
def test_who_only_warns_has_no_say_in_either_direction(given_findings: list[Finding], others: list[Finding]) -> None:
    warning = [replace(finding, demoted=True) for finding in others]
    assert verdict_of([*given_findings, *warning]) is verdict_of(given_findings)
    assert verdict_of(warning) is Verdict.HOLD
    assert not any(finding.objects for finding in warning)


@given(st.lists(findings, max_size=8), st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_the_order_of_findings(given_findings: list[Finding], random: object) -> None:
    shuffled = list(given_findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert verdict_of(shuffled) is verdict_of(given_findings)


@given(st.lists(findings, max_size=8))
def test_a_verdict_to_promote_and_an_objection_exclude_each_other(given_findings: list[Finding]) -> None:
    assert verdict_of(given_findings) is not Verdict.PROMOTE or not any(each.objects for each in given_findings)


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
    assert at_most(None if observed is None else -observed, -required) is outcome


@pytest.mark.parametrize(
    ("observed", "limit", "outcome"),
    [
        (0.2, 0.2, PASS),
        (0.9 - 0.7, 0.2, PASS),
        (0.200001, 0.2, FAIL),
        (math.inf, 0.2, FAIL),
        (None, 0.2, DOUBT),
        (math.nan, 0.2, DOUBT),
        (0.1, math.nan, DOUBT),
    ],
)
def test_a_ceiling_is_kept_exactly_or_not_and_no_evidence_is_no_answer(
    observed: float | None, limit: float, outcome: Outcome
) -> None:
    assert at_most(observed, limit) is outcome


@given(st.none() | st.floats(), st.floats())
def test_a_floor_and_a_ceiling_are_both_met_only_exactly(observed: float | None, bar: float) -> None:
    both = {at_least(observed, bar), at_most(observed, bar)}
    known = observed is not None and not math.isnan(observed) and not math.isnan(bar)
    assert (both == {DOUBT}) == (not known)
    assert (both == {PASS}) == (known and math.isclose(observed or 0.0, bar, rel_tol=1e-9))
