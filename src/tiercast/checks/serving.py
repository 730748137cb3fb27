"""Questions about what serves now (L3xx): people and time may stand in the way of a promotion. A failure holds it."""

from datetime import UTC
from typing import Final

from tiercast.checks.evidence import Check, ServingEvidence
from tiercast.core.findings import Finding, Outcome, at_least


class NotPinned:
    """L301."""

    code = "L301"
    title = "Nobody pinned a release"
    why = "Somebody who pins a release has a reason that no test knows."

    def judge(self, evidence: ServingEvidence) -> Finding:
        """No pin stands."""
        pin = evidence.pinned
        if evidence.newest in evidence.unreadable:
            sentence = (
                f"Entry {evidence.newest} of the promotion log cannot be read, and may be a pin. Restore it, or "
                "`tiercast pin` the release that should serve and `tiercast unpin` it: newer entries settle it."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, None, sentence)
        if pin is None:
            return Finding(self.code, self.title, Outcome.PASS, None, None, "No release is pinned.")
        sentence = (
            f"{pin.actor} pinned {pin.release[:12]} on {pin.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {pin.reason}. "
            "`tiercast unpin --reason ...` lets candidates replace it again."
        )
        return Finding(self.code, self.title, Outcome.FAIL, None, None, sentence)


class CooledDown:
    """L302."""

    code = "L302"
    title = "The last promotion has had its time"
    why = "Retried often enough, any candidate passes by chance."

    def judge(self, evidence: ServingEvidence) -> Finding:
        """The last promotion is at least ``gate.<moment>.cool_down_hours`` old."""
        required, last = evidence.bars.cool_down_hours, evidence.last_promoted_at
        if required and evidence.newest in evidence.unreadable:
            sentence = f"Entry {evidence.newest} of the promotion log cannot be read, and may be a promotion."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, required, sentence)
        if last is None or required == 0:
            sentence = "Nothing was promoted before." if last is None else "No cool-down is set (cool_down_hours)."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, required, sentence)
        hours = (evidence.now - last).total_seconds() / 3600
        sentence = f"The last promotion is {hours:.1f} hours old; {required:g} are required (cool_down_hours)."
        return Finding(self.code, self.title, at_least(hours, required), hours, required, sentence)


class NotWithdrawn:
    """L303."""

    code = "L303"
    title = "People did not take it out of service"
    why = "The same rows give the same release: what was rolled back on Monday would be back on Tuesday."

    def judge(self, evidence: ServingEvidence) -> Finding:
        """The candidate is no release that was rolled back."""
        entry = evidence.withdrawn.get(evidence.candidate)
        if entry is None and evidence.unreadable:
            sentence = (
                f"Entries {', '.join(map(str, evidence.unreadable))} of the promotion log cannot be read, and may have "
                "rolled this release back. Restore them from a copy, or name L303 in gate.warn_only."
            )
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, None, sentence)
        if entry is None:
            return Finding(self.code, self.title, Outcome.PASS, None, None, "It was never rolled back.")
        sentence = (
            f"{entry.actor} rolled this very release back on {entry.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
            f"{entry.reason}. `tiercast rollback {evidence.candidate[:12]} --reason ...` lets it serve again."
        )
        return Finding(self.code, self.title, Outcome.FAIL, None, None, sentence)


SERVING_CHECKS: Final[tuple[Check[ServingEvidence], ...]] = (NotPinned(), CooledDown(), NotWithdrawn())
