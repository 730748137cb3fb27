"""Findings and the verdict: the gate's answers, three-valued and closed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What one check found."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"


class Verdict(StrEnum):
    """What the whole gate says."""

    PROMOTE = "promote"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Finding:
    """One question put to the data (D1xx), the candidate (C2xx) or what serves (L3xx), answered in one sentence."""

    code: str
    title: str
    outcome: Outcome
    observed: float | None
    """The figure that was held against ``required``."""
    required: float | None
    explanation: str
    rows: int | None = None
    """Rows that it rests on; None where it rests on none."""
    interval: tuple[float, float] | None = None
    """Two-sided 95 % interval of what was estimated, in the unit of ``observed``."""
    at_most: bool = False
    """Whether ``required`` is the most that ``observed`` may be; else it is the least."""
    demoted: bool = False
    """Whether the settings name this check as one that only warns; the release says so too."""

    @property
    def objects(self) -> bool:
        """Whether it stands in the way of a promotion. A pass without a number where one is required is none."""
        unknown = any(value is not None and math.isnan(value) for value in (self.observed, self.required))
        return not self.demoted and (self.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE) or unknown)


def at_least(observed: float | None, required: float) -> Outcome:
    """Whether a floor is met: meeting it exactly passes, no evidence is inconclusive.

    The bar is met within one part in 10**9, so that .85 meets .80 + .05 whatever the last bit says.

    >>> at_least(0.85, 0.80 + 0.05), at_least(0.59, 0.60), at_least(float("nan"), 0.60)
    (<Outcome.PASS: 'pass'>, <Outcome.FAIL: 'fail'>, <Outcome.INCONCLUSIVE: 'inconclusive'>)
    """
    if observed is None or math.isnan(observed) or math.isnan(required):
        return Outcome.INCONCLUSIVE
    met = observed >= required or math.isclose(observed, required, rel_tol=1e-9)
    return Outcome.PASS if met else Outcome.FAIL


def at_most(observed: float | None, limit: float) -> Outcome:
    """Whether a ceiling is kept: the mirror of ``at_least``.

    >>> at_most(0.9 - 0.7, 0.2), at_most(0.21, 0.2), at_most(None, 0.2)
    (<Outcome.PASS: 'pass'>, <Outcome.FAIL: 'fail'>, <Outcome.INCONCLUSIVE: 'inconclusive'>)
    """
    return at_least(None if observed is None else -observed, -limit)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The gate's answer. Doubt about the data holds; a failing candidate is rejected; silence never promotes.

    A check that only warns has no say, neither against a promotion nor for it.

    >>> verdict_of([])
    <Verdict.HOLD: 'hold'>
    >>> verdict_of([Finding("C201", "", Outcome.PASS, float("nan"), 0.6, "")])
    <Verdict.HOLD: 'hold'>
    """
    found = [finding for finding in findings if not finding.demoted]
    if any(f.outcome is Outcome.FAIL and f.code.startswith("C") for f in found):
        return Verdict.REJECT
    if any(f.objects for f in found):
        return Verdict.HOLD
    return Verdict.PROMOTE if any(f.outcome is Outcome.PASS for f in found) else Verdict.HOLD
