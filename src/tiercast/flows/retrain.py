"""The weekly retrain, from query to verdict: read it top to bottom."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from tiercast.core.errors import Missing, TiercastError
from tiercast.core.findings import Finding, Outcome, Verdict, verdict_of
from tiercast.core.release import Release
from tiercast.flows.candidates import fit_best, judge
from tiercast.flows.gate import judge_candidate, judge_data, rehearse
from tiercast.flows.ingest import IngestOptions, ingest_table
from tiercast.flows.model_store import ModelStore, Writer, champion
from tiercast.flows.publish import Order, Passed, publish, stage
from tiercast.flows.report import STATUS_OF, RunReport, recorded, run_id
from tiercast.flows.stopwatch import Stopwatch
from tiercast.flows.training_set import Drawn, draw
from tiercast.ports import (
    FrozenSet,
    Lease,
    ObjectStore,
    Progress,
    PromotionLog,
    Rehearsal,
    RejectFile,
    RunLog,
    ScrapedTable,
    VideoStore,
)


@dataclass(frozen=True, slots=True)
class World:
    """Everything a retrain reaches outside itself."""

    videos: VideoStore
    scraped_table: ScrapedTable | None
    rejects: RejectFile
    fallback: Callable[[], FrozenSet] | None
    objects: ObjectStore
    read_log: Callable[[], PromotionLog | None]
    """The log that a reader uses; None where nothing was ever promoted."""
    write_log: Callable[[], PromotionLog]
    """The log that is safe to promote in, probed and recorded."""
    runs: RunLog
    lease: Callable[[], Lease]
    rehearsal: Callable[[], Rehearsal]
    now: Callable[[], datetime]
    libraries: Mapping[str, str]
    actor: str


def retrain(world: World, order: Order, *, progress: Progress) -> RunReport:
    """Train, judge and perhaps publish. The run is recorded whatever its end; raises only where another one runs."""
    watch, started_at = Stopwatch(), world.now()
    report = RunReport(run_id(started_at), order.moment, "failed", "videos", "", started_at, dry_run=order.dry_run)
    with world.lease():
        try:
            report = _run(world, order, report, watch=watch, progress=progress)
        except TiercastError as error:
            report = replace(report, reason=str(error))
        return recorded(replace(report, seconds=watch.seconds()), world.runs)


def _run(world: World, order: Order, report: RunReport, *, watch: Stopwatch, progress: Progress) -> RunReport:
    with watch.stage("query"):
        serving, report = _champion(world, order, report)
        _note_changes(world, progress)
        progress.stage("reading videos")
    with watch.stage("features"):
        drawn = draw(world.videos, world.fallback, order.plan)
        report = _with_drawn(report, drawn)
    with watch.stage("gate"):
        findings = judge_data(drawn, min_videos=order.plan.min_videos, serving=serving)
    if drawn.training_set is None or verdict_of(findings) is not Verdict.PROMOTE:
        return _concluded(report, findings)
    with closing(world.rehearsal()) as rehearsal:
        with watch.stage("train"):
            fitted = fit_best(drawn.training_set, seed=order.plan.seed, progress=progress)
        progress.stage("judging the candidate")
        with watch.stage("evaluate"):
            judged = judge(fitted, drawn.training_set)
            release = stage(fitted, judged, drawn.training_set, order=order, libraries=world.libraries)
        with watch.stage("gate"):
            rehearsed = rehearse(rehearsal, release, fitted, drawn.training_set)
            findings += judge_candidate(
                judged, rehearsed, drawn.training_set, min_accuracy=order.min_accuracy, serving=serving
            )
    report = replace(report, judged=judged, candidates=fitted.lines, candidate=release.id)
    report = _concluded(report, findings)
    if report.status == "promoted" and not order.dry_run:
        with watch.stage("publish"):
            report = _published(world, report, release)
    return report


def _champion(world: World, order: Order, report: RunReport) -> tuple[Release | None, RunReport]:
    try:
        serving = champion(world.objects, world.read_log(), order.moment)
    except Missing as error:  # every release ever promoted is damaged: a candidate that passes is the cure
        return None, replace(report, warnings=(str(error),))
    if serving is None:
        return None, report
    name = serving.release.id
    report = replace(report, champion_before=name, champion_after=name, warnings=serving.warnings)
    return serving.release, report


def _note_changes(world: World, progress: Progress) -> None:
    """An existing table keeps one changing row a video; what changed becomes observations, so that history forms.

    A dry run does so too, or it would judge another training set than the real run.
    """
    if world.scraped_table is not None:
        options = IngestOptions(now=world.now())
        ingest_table(world.scraped_table, world.videos, world.rejects, options=options, progress=progress)


def _with_drawn(report: RunReport, drawn: Drawn) -> RunReport:
    training_set = drawn.training_set
    if training_set is None:
        return replace(report, source=drawn.source, videos=drawn.usable_videos)
    return replace(
        report,
        source=drawn.source,
        videos=training_set.n_videos,
        tier_distribution=training_set.tier_distribution,
        tier_edges=training_set.tier_edges,
        held_features=training_set.held,
        newest_training_video_at=training_set.newest_video_at,
    )


def _concluded(report: RunReport, findings: list[Finding]) -> RunReport:
    """The status that the findings lead to, and the sentences of those that stand in the way."""
    verdict = verdict_of(findings)
    objections = [f for f in findings if f.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE)]
    reason = " ".join(finding.explanation for finding in objections) or "Every check passed."
    return replace(report, status=STATUS_OF[verdict], reason=reason, findings=tuple(findings))


def _published(world: World, report: RunReport, release: Release) -> RunReport:
    if report.champion_before == release.id:
        reason = "Every check passed, and this very release serves already: same rows, settings and libraries."
        return replace(report, reason=reason)
    store = ModelStore(world.objects, world.write_log())
    writer = Writer(actor=world.actor, at=world.now(), token=uuid4().hex)
    publish(store, Passed(release, report.findings, report.run, report.champion_before), writer)
    return replace(report, champion_after=release.id)
