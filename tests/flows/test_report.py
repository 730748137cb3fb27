"""What a run's document says of the gate."""

import math
from dataclasses import asdict

import pytest

from tiercast.core.findings import Finding, Outcome
from tiercast.flows.report import objections

OBJECT = [
    Finding("C201", "fails", Outcome.FAIL, 0.4, 0.6, ""),
    Finding("D101", "cannot be told", Outcome.INCONCLUSIVE, None, 0.6, ""),
    Finding("C202", "passes on nothing", Outcome.PASS, math.nan, 0.6, ""),
    Finding("C203", "has no bar", Outcome.PASS, 0.6, math.nan, ""),
]
DO_NOT = [
    Finding("D102", "passes", Outcome.PASS, 0.7, 0.6, ""),
    Finding("L301", "passes without figures", Outcome.PASS, None, None, ""),
    Finding("C208", "only warns", Outcome.FAIL, 0.4, 0.6, "", demoted=True),
    Finding("C218", "is not asked", Outcome.NOT_APPLICABLE, None, 0.2, ""),
]


@pytest.mark.parametrize("finding", [*OBJECT, *DO_NOT], ids=lambda finding: finding.title)
def test_a_document_says_of_each_finding_what_the_gate_said(finding: Finding) -> None:
    told = asdict(finding)
    assert finding.objects == (finding in OBJECT)
    assert objections({"findings": [told]}) == ([told] if finding.objects else [])


def test_a_document_from_before_checks_could_only_warn_is_read_too() -> None:
    old = {"code": "C201", "title": "fails", "outcome": "fail"}
    assert objections({"findings": [old, {**old, "outcome": "pass"}]}) == [old]


@pytest.mark.parametrize("document", [{}, {"findings": None}, {"findings": []}])
def test_a_run_without_findings_has_no_objections(document: dict[str, object]) -> None:
    assert objections(document) == []
