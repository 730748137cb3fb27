"""What a run's report gains step by step: what was drawn, beside whom it was judged, what stood in the way."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tiercast.core.findings import Finding, verdict_of
from tiercast.flows.comparison import Beside, named
from tiercast.flows.forecast_set import Assembly
from tiercast.flows.order import Order
from tiercast.flows.past import Past
from tiercast.flows.report import STATUS_OF, RunReport
from tiercast.flows.training_set import Drawn


def replacing(order: Order, past: Past) -> Iterator[str]:
    """What has to be said where somebody named a release to be replaced."""
    who = past.standing
    known = [each for each in (who.lost, who.release.id if who.release else None) if each]
    if order.replace and not any(named(each, order.replace) for each in known):
        serving = ", ".join(each[:12] for each in known) or "nobody serves"
        yield f"--replace {order.replace} names no champion of {order.moment} ({serving}), so it changed nothing."
    elif order.replace:
        yield f"--replace {order.replace}: where the champion could not be compared, nothing was asked."


def best_lost(compared: Beside) -> Iterator[str]:
    """What has to be said where the best release kept could not be compared."""
    best = compared.best
    if best is not None and best.paired is None:
        yield f"The best release kept, {best.release[:12]}, could not be compared ({best.problem}); {best.excused}"


def beside_standing(report: RunReport, past: Past) -> RunReport:
    """The report of a run that is judged beside whoever serves, if anybody does."""
    who = past.standing
    name = who.release.id if who.release else None
    return replace(report, champion_before=name, champion_after=name, warnings=(*report.warnings, *who.warnings))


def with_drawn(report: RunReport, drawn: Drawn) -> RunReport:
    """The report once rows were drawn, with what they lack."""
    training_set = drawn.training_set
    report = replace(report, assembly=drawn.assembly)
    if training_set is None:
        return replace(report, source=drawn.source, videos=drawn.usable_videos)
    if drawn.source == "fallback":
        provisional = (
            f"The video store has only {drawn.usable_videos:,} usable videos, so this run learned the given labels of "
            "the fallback file. Such a model is provisional: the first one of views that passes replaces it."
        )
        report = replace(report, warnings=(*report.warnings, provisional))
    if drawn.assembly and (late := _late_history(drawn.assembly)):
        report = replace(report, warnings=(*report.warnings, late))
    return replace(
        report,
        source=drawn.source,
        videos=training_set.n_videos,
        tier_distribution=training_set.tier_distribution,
        tier_edges=training_set.tier_edges,
        held_features=training_set.held,
        newest_training_video_at=training_set.newest_video_at,
    )


LATE_SHARE: Final = 0.2
"""History that comes too late for a fifth of the videos changes what a forecast can know."""


def _late_history(assembly: Assembly) -> str | None:
    """Earlier posts that were first measured after the videos they would have told about."""
    if assembly.history == "as_scraped" or assembly.embargo_days:
        return None
    known, there = assembly.known_history or 0.0, assembly.earlier_posts or 0.0
    if there - known < LATE_SHARE:
        return None
    return (
        f"{there:.0%} of the videos have an earlier post of their creator in the store, but for only {known:.0%} it "
        "had been measured in time, and only those count (features.history is observed here). Scrape more often, or "
        'set features.history = "as_scraped" to count posts as last measured, which the release then says of itself.'
    )


def concluded(report: RunReport, findings: list[Finding]) -> RunReport:
    """The status that the findings lead to, and the sentences of those that stand in the way."""
    verdict = verdict_of(findings)
    objections = [f for f in findings if f.objects]
    ignored = [f for f in findings if f.demoted and replace(f, demoted=False).objects]
    passed = "Every check passed." if not ignored else f"{_codes(ignored)} only warned; every other check passed."
    reason = " ".join(finding.explanation for finding in objections) or passed
    told = [f"{f.code} only warns (gate.warn_only): {f.explanation}" for f in ignored]
    warnings = (*report.warnings, *(each for each in told if each not in report.warnings))
    return replace(
        report, status=STATUS_OF[verdict], reason=reason, findings=tuple(findings), warnings=warnings
    )  # fmt: skip


def _codes(findings: list[Finding]) -> str:
    return ", ".join(finding.code for finding in findings)


def overtaken(report: RunReport, past: Past) -> RunReport:
    """The report of a run during which somebody else promoted or rolled back."""
    report = beside_standing(report, past)
    champion = past.standing.champion
    if champion is None:
        return report
    entry = champion.promotion
    warning = (
        f"Another promotion was faster: {entry.actor} made {entry.release[:12]} champion as number {entry.number}, "
        "so the candidate was judged again beside it."
    )
    return replace(report, warnings=(*report.warnings, warning))
