"""Every check of the gate: whatever is unknown is never a pass, and never promotes."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

import pytest

from checks.samples import (
    BARS,
    BESIDE,
    CANDIDATE,
    DATA,
    EQUAL,
    FIRST_CANDIDATE,
    FIRST_DATA,
    OF_GIVEN_LABELS,
    PART,
    SERVING,
    alone,
    bounds,
    entry,
    evaluation,
    group,
    pair,
)
from tiercast.checks import CHECKS
from tiercast.checks.evidence import CandidateEvidence, Check, DataEvidence, EdgeHistory, ServedMissing
from tiercast.core.findings import Finding, Outcome, Verdict, verdict_of
from tiercast.learn.metrics import Evaluation, Measure

NAN: Final = math.nan
GOOD: Final[Mapping[str, Any]] = {"D": DATA, "C": CANDIDATE, "L": SERVING}
PASSING: Final[Mapping[str, Any]] = {"C204": OF_GIVEN_LABELS}
"""Where the common evidence leaves nothing to ask."""


def evidence_of(check: Check[Any]) -> Any:
    return PASSING.get(check.code, GOOD[check.code[0]])


def beside(**changes: Any) -> CandidateEvidence:
    """The candidate beside a champion and a best release about whose comparison something is unknown."""
    compared = replace(BESIDE, **changes)
    return replace(CANDIDATE, beside_champion=compared, beside_best=replace(compared, release="beef" * 16))


def without(measure: str) -> list[CandidateEvidence]:
    """The candidate beside others, one measure of which is unknown in any of the ways it can be."""
    found = getattr(EQUAL, measure)
    unknown = [None, *(replace(found, **{name: NAN}) for name in ("value", "lower", "strict_lower"))]
    return [beside(paired=replace(EQUAL, **{measure: each})) for each in unknown]


def few() -> list[CandidateEvidence]:
    return [
        beside(paired=None, problem="it is gone"),
        beside(paired=replace(EQUAL, rows=499)),
        beside(paired=replace(EQUAL, creators=49)),
        beside(paired=replace(EQUAL, rows=0, creators=0)),
        beside(paired=pair(None, None, None)),
    ]


def unmeasured(name: str) -> CandidateEvidence:
    """The candidate of which this was not measured at all."""
    good = evaluation()
    return evaluated(replace(good, metrics={key: value for key, value in good.metrics.items() if key != name}))


def rivals(**by_name: object) -> CandidateEvidence:
    return replace(CANDIDATE, over_rivals=by_name)


def evaluated(found: Evaluation) -> CandidateEvidence:
    return replace(CANDIDATE, evaluation=found)


def unknown_rivals(measure: str) -> list[CandidateEvidence]:
    good = CANDIDATE.over_rivals["majority"]
    found = getattr(good, measure)
    bare = [None, replace(found, lower=NAN, upper=NAN)]
    return [rivals()] + [rivals(majority=good, creators_usual=replace(good, **{measure: each})) for each in bare]


def bare_bounds(name: str, *values: Any) -> list[CandidateEvidence]:
    good = evaluation()
    kept = {key: value for key, value in good.bounds.items() if key != name}
    return [evaluated(replace(good, bounds=kept))] + [
        evaluated(replace(good, bounds={**good.bounds, name: value})) for value in values
    ]


SILENT: Final[Mapping[str, Callable[[], list[Any]]]] = {
    "D101": lambda: [replace(DATA, usable_videos=0)],
    "D102": lambda: [
        replace(DATA, training_tiers=(), test_tiers=()),
        replace(DATA, training_tiers=(0,) * 5, test_tiers=(0,) * 5),
    ],
    "D103": lambda: [FIRST_DATA, replace(DATA, champion=replace(DATA.champion, label="given"))],  # type: ignore[type-var]
    "D104": lambda: [replace(DATA, validation_cuts=None), replace(DATA, validation_cuts=0)],
    "D105": lambda: [
        FIRST_DATA,
        replace(DATA, zero_shares={"like_rate": NAN, "share_rate": 0.0}),
        replace(DATA, zero_shares={"like_rate": 0.1, "share_rate": NAN}),
        replace(DATA, zero_shares={"like_rate": NAN}, champion=None, newest_zero_shares={"like_rate": 1.0}),
        replace(DATA, newest_zero_shares={"like_rate": 0.1, "share_rate": NAN}),
        replace(DATA, newest_zero_shares={"like_rate": NAN, "share_rate": 0.0}),
    ],
    "D106": lambda: [FIRST_DATA, replace(DATA, edges=None), replace(DATA, edges=EdgeHistory((1, 2, 3, 4), ()))],
    "D107": lambda: [FIRST_DATA, replace(DATA, newest=None)],
    "D108": lambda: [FIRST_DATA],
    "C201": lambda: [
        evaluated(evaluation(None)),
        evaluated(evaluation(NAN)),
        replace(CANDIDATE, bars=replace(BARS, min_accuracy=None)),
    ],
    "C202": lambda: [
        evaluated(evaluation(recalls=(0.5, None, 0.5, 0.5, 0.5))),
        evaluated(evaluation(recalls=(NAN, 0.5, 0.5, 0.5, 0.5))),
        evaluated(evaluation(recalls=(0.5, 0.5, 0.5, 0.5, NAN))),
        evaluated(evaluation(recalls=())),
    ],
    "C203": lambda: [replace(CANDIDATE, rehearsal_difference=each) for each in (None, NAN)],
    "C204": lambda: [replace(OF_GIVEN_LABELS, champion=None), CANDIDATE],
    "C205": lambda: [
        replace(CANDIDATE, confident=None),
        *(replace(CANDIDATE, confident=replace(PART, accuracy=Measure(each))) for each in (None, NAN)),
        replace(CANDIDATE, confident=replace(PART, rows=199)),
        replace(CANDIDATE, confident=replace(PART, rows=0)),
        replace(CANDIDATE, confident=replace(PART, coverage=NAN)),
        replace(CANDIDATE, bars=replace(BARS, min_confident_accuracy=None)),
    ],
    "C206": lambda: unknown_rivals("log_loss"),
    "C207": lambda: unknown_rivals("accuracy"),
    "C208": lambda: [
        unmeasured("within_one"),
        evaluated(evaluation(within_one=None)),
        evaluated(evaluation(within_one=NAN)),
        replace(CANDIDATE, bars=replace(BARS, min_within_one=None)),
    ],
    "C209": lambda: [
        unmeasured("expected_calibration_error"),
        unmeasured("calibration_error_by_chance"),
        *(evaluated(evaluation(error=each)) for each in (None, NAN)),
        *(evaluated(evaluation(chance=each)) for each in (None, NAN)),
        evaluated(evaluation(rows=999)),
        evaluated(evaluation(rows=0)),
        *bare_bounds("calibration_excess", bounds(NAN)),
        replace(CANDIDATE, bars=replace(BARS, max_calibration_error=None)),
    ],
    "C210": lambda: [FIRST_CANDIDATE, *few(), *without("accuracy")[:3]],
    "C211": lambda: [FIRST_CANDIDATE, *few(), *without("log_loss")[:3]],
    "C212": lambda: [FIRST_CANDIDATE, *few(), *without("accuracy")[:2], without("accuracy")[3]],
    "C213": lambda: [FIRST_CANDIDATE, *few(), *without("log_loss")[:2], without("log_loss")[3]],
    "C214": lambda: [
        replace(CANDIDATE, groups=()),
        replace(CANDIDATE, groups=(group("platform tiktok", None),)),
        replace(CANDIDATE, groups=(group("platform tiktok", NAN), group("newest week", 0.0))),
        replace(CANDIDATE, groups=(group("platform tiktok", 0.0), group("newest week", NAN))),
    ],
    "C215": lambda: [FIRST_CANDIDATE, *few(), *without("calibration")[:3]],
    "C216": lambda: [
        evaluated(evaluation(None)),
        evaluated(evaluation(NAN)),
        *bare_bounds("accuracy", bounds(NAN)),
        replace(CANDIDATE, label="given"),
    ],
    "C217": lambda: [
        replace(CANDIDATE, features_alone=()),
        *(
            replace(CANDIDATE, features_alone=each)
            for bare in (alone("duration", None, None), alone("duration", 0.3, None), alone("duration", 0.3, NAN))
            for each in ((bare,), (alone("hour", 0.3, 0.2), bare), (bare, alone("hour", 0.3, 0.2)))
        ),
        replace(CANDIDATE, label="given"),
    ],
    "C218": lambda: [
        FIRST_CANDIDATE,
        *(
            replace(CANDIDATE, served=served)
            for served in (
                ServedMissing(0, {"duration": 0.1}, {"duration": 0.1}),
                ServedMissing(900, {}, {}),
                ServedMissing(900, {"duration": 0.1}, {"caption": 0.1}),
                ServedMissing(900, {"duration": NAN, "caption": 0.1}, {"duration": 0.1, "caption": 0.1}),
                ServedMissing(900, {"duration": 0.1, "caption": 0.1}, {"duration": 0.1, "caption": NAN}),
            )
        ),
    ],
    "L301": lambda: [replace(SERVING, pinned=entry("pin", "beef" * 16))],
    "L302": lambda: [
        replace(SERVING, last_promoted_at=None),
        replace(SERVING, bars=replace(BARS, cool_down_hours=0)),
    ],
    "L303": lambda: [replace(SERVING, withdrawn={SERVING.candidate: entry("rollback", "beef" * 16)})],
}
"""For each check every way in which what it asks for can be missing; the two of people have only their no."""


def answers(**of: Any) -> list[Finding]:
    """What all checks say of good evidence, of which some parts are others."""
    given = {**GOOD, **of}
    return [check.judge(given[check.code[0]]) for check in CHECKS]


def test_good_evidence_promotes_and_every_check_can_pass() -> None:
    assert verdict_of(answers()) is Verdict.PROMOTE
    outcomes = {check.code: check.judge(evidence_of(check)).outcome for check in CHECKS}
    assert {*outcomes.values()} == {Outcome.PASS}, outcomes


def test_each_check_has_a_code_of_its_own_a_title_and_a_reason_and_is_tried_without_its_evidence() -> None:
    codes = [check.code for check in CHECKS]
    assert len({*codes}) == len(codes)
    assert all(check.title and check.why.endswith(".") for check in CHECKS)
    assert SILENT.keys() == {*codes}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_what_is_unknown_never_passes_and_only_promotes_where_it_was_not_to_be_asked(check: Check[Any]) -> None:
    for evidence in SILENT[check.code]():
        finding = check.judge(evidence)
        assert finding.outcome is not Outcome.PASS, finding
        assert verdict_of([finding]) is not Verdict.PROMOTE
        if finding.outcome is not Outcome.NOT_APPLICABLE:
            assert verdict_of([*answers(), finding]) is not Verdict.PROMOTE
            assert finding.objects
        json.dumps([finding.observed, finding.interval], allow_nan=False)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_answer_is_one_plain_sentence_about_its_own_question(check: Check[Any]) -> None:
    for evidence in (evidence_of(check), *SILENT[check.code]()):
        finding = check.judge(evidence)
        assert (finding.code, finding.title, finding.demoted) == (check.code, check.title, False)
        assert finding.explanation.endswith("."), finding.explanation
        assert "nan" not in finding.explanation.replace("%", " ").split()
        assert "None" not in finding.explanation


OF_NO_ROWS: Final = {"D104", "D107", "D108", "C204", "L301", "L302", "L303"}
WITHOUT_INTERVAL: Final = {"C202", "C203", "C218"}
"""The least of five recalls, a largest difference, and a count of predictions."""
ON_ROWS: Final = [check for check in CHECKS if check.code not in OF_NO_ROWS]


@pytest.mark.parametrize("check", ON_ROWS, ids=lambda check: check.code)
def test_what_rests_on_rows_says_how_many_and_how_far_it_could_be_otherwise(check: Check[Any]) -> None:
    finding = check.judge(GOOD[check.code[0]])
    assert finding.rows is not None
    assert finding.rows > 0
    assert finding.observed is not None
    if check.code.startswith("C") and check.code not in WITHOUT_INTERVAL:
        assert finding.interval is not None
        low, high = finding.interval
        assert low <= finding.observed <= high


@pytest.mark.parametrize("code", ["C203", "C209", "C215", "C216", "C217", "C218", "D103", "D105", "D106", "D107"])
def test_a_ceiling_says_that_it_is_one_whatever_the_answer(code: str) -> None:
    check = next(check for check in CHECKS if check.code == code)
    for evidence in (evidence_of(check), *SILENT[code]()):
        finding = check.judge(evidence)
        assert finding.at_most or finding.required is None, finding


def leaves(value: Any) -> Iterator[Callable[[Any], Any]]:
    """For each number within frozen evidence, what gives the same evidence with another value in its place."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield lambda new: new
    for key, part in parts(value):
        for put in leaves(part):
            yield lambda new, key=key, put=put: with_part(value, key, put(new))  # type: ignore[misc]


def parts(value: Any) -> list[tuple[Any, Any]]:
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return [*value.items()]
    return [*enumerate(value)] if isinstance(value, tuple) else []


def with_part(value: Any, key: Any, part: Any) -> Any:
    if is_dataclass(value):
        return replace(value, **{key: part})  # type: ignore[type-var]
    if isinstance(value, Mapping):
        return {**value, key: part}
    return (*value[:key], part, *value[key + 1 :])


@pytest.mark.parametrize("kind", ["C", "D"])
def test_no_single_number_that_is_nan_turns_into_a_pass(kind: str) -> None:
    """Each number of the evidence in turn: who relies on it no longer passes, and who passes said the same before."""
    good = GOOD[kind]
    before = {finding.code: finding for finding in answers()}
    tried = 0
    for put in leaves(replace(good, bars=None)):
        spoiled: DataEvidence | CandidateEvidence = replace(put(NAN), bars=good.bars)
        if isinstance(spoiled, DataEvidence) and _counts(spoiled) != _counts(good):
            continue  # whole numbers, of which none is NaN
        tried += 1
        for check in CHECKS:
            if check.code[0] != kind:
                continue
            finding = check.judge(spoiled)
            json.dumps(finding.observed, allow_nan=False)
            if finding.outcome is Outcome.PASS:
                was = before[check.code]
                assert (finding.observed, finding.required) == (was.observed, was.required)
    assert tried > {"C": 80, "D": 5}[kind]


def _counts(evidence: DataEvidence) -> object:
    return (evidence.training_tiers, evidence.test_tiers, evidence.edges, evidence.usable_videos, evidence.min_videos,
            evidence.validation_cuts)  # fmt: skip
