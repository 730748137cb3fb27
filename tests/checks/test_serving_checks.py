"""What people and time say about a promotion."""

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.samples import BARS, NOW, SERVING, entry
from tiercast.checks.serving import SERVING_CHECKS, CooledDown, NotPinned, NotWithdrawn
from tiercast.core.findings import Outcome, Verdict, verdict_of


def test_a_pin_holds_whatever_the_candidate_is_worth_and_says_who_when_and_why() -> None:
    pinned = replace(SERVING, pinned=entry("pin", "beef" * 16, reason="the launch"))
    finding = NotPinned().judge(pinned)
    assert finding.outcome is Outcome.FAIL
    assert finding.explanation.startswith(
        "ben@office pinned beefbeefbeef on 2026-11-23 01:00 UTC: the launch. `tiercast unpin"
    )
    assert verdict_of(check.judge(pinned) for check in SERVING_CHECKS) is Verdict.HOLD


@pytest.mark.parametrize(
    ("ago", "required", "outcome"),
    [
        (timedelta(hours=24), 24, Outcome.PASS),
        (timedelta(hours=24, seconds=-1), 24, Outcome.FAIL),
        (timedelta(0), 24, Outcome.FAIL),
        (timedelta(0), 0, Outcome.NOT_APPLICABLE),
        (None, 24, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_promotion_waits_for_the_cool_down_of_the_last_one(
    ago: timedelta | None, required: float, outcome: Outcome
) -> None:
    last = None if ago is None else NOW - ago
    finding = CooledDown().judge(replace(SERVING, last_promoted_at=last, bars=replace(BARS, cool_down_hours=required)))
    assert (finding.outcome, finding.required) == (outcome, required)
    if outcome in (Outcome.PASS, Outcome.FAIL):
        assert finding.observed == pytest.approx((ago or timedelta()) / timedelta(hours=1))
        assert f"{required} are required (cool_down_hours)" in finding.explanation


def test_only_the_very_release_that_was_rolled_back_is_held() -> None:
    out = entry("rollback", "beef" * 16, previous=SERVING.candidate)
    other = replace(SERVING, withdrawn={"feed" * 16: out})
    itself = replace(SERVING, withdrawn={SERVING.candidate: out})
    assert NotWithdrawn().judge(other).outcome is Outcome.PASS
    finding = NotWithdrawn().judge(itself)
    assert finding.outcome is Outcome.FAIL
    assert "ben@office rolled this very release back on 2026-11-23 01:00 UTC: odd scores." in finding.explanation
    assert f"`tiercast rollback {SERVING.candidate[:12]} --reason ...`" in finding.explanation
    assert verdict_of(check.judge(itself) for check in SERVING_CHECKS) is Verdict.HOLD


def test_an_entry_that_cannot_be_read_may_be_a_pin_until_a_newer_one_settles_it() -> None:
    newest = replace(SERVING, unreadable=(4,), newest=4)
    finding = NotPinned().judge(newest)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "Entry 4" in finding.explanation
    assert NotPinned().judge(replace(newest, newest=5)).outcome is Outcome.PASS
    waiting = replace(newest, bars=replace(BARS, cool_down_hours=24))
    assert CooledDown().judge(waiting).outcome is Outcome.INCONCLUSIVE


def test_an_entry_that_cannot_be_read_may_have_rolled_the_candidate_back() -> None:
    finding = NotWithdrawn().judge(replace(SERVING, unreadable=(2,), newest=5))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "gate.warn_only" in finding.explanation
