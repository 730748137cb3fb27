"""The weekly retrain, from query to verdict: read it top to bottom."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from tiercast.core.errors import Busy, TiercastError, Unavailable
from tiercast.core.findings import Verdict, verdict_of
from tiercast.core.release import Release
from tiercast.flows.candidates import fit_best
from tiercast.flows.comparison import Contender, beside
from tiercast.flows.evaluation import judge
from tiercast.flows.gate import Rehearsed, judge_candidate, judge_data, judge_serving, rehearse
from tiercast.flows.ingest import IngestOptions, ingest_table
from tiercast.flows.kept import recently_missing
from tiercast.flows.model_store import ModelStore, Writer, standing
from tiercast.flows.order import Order
from tiercast.flows.past import Past, promoted_tiers
from tiercast.flows.publish import Passed, Won, best_kept, publish, stage
from tiercast.flows.remarks import beside_standing, best_lost, concluded, overtaken, replacing, with_drawn
from tiercast.flows.report import RunReport, failed_before_it_began, interrupted, recorded
from tiercast.flows.stopwatch import Stopwatch
from tiercast.flows.training_set import Drawn, Sources, draw
from tiercast.learn.training_set import TrainingSet
from tiercast.ports.models import ObjectStore, PromotionLog, Rehearsal
from tiercast.ports.runs import Lease, Progress, RunKeeper
from tiercast.ports.serving import ServedPredictions
from tiercast.ports.videos import FrozenSet, RejectFile, ScrapedTable, VideoHistory, VideoStore


@dataclass(frozen=True, slots=True)
class World:
    """Everything a retrain reaches outside itself."""

    videos: VideoStore
    history: VideoHistory
    scraped_table: ScrapedTable | None
    rejects: RejectFile
    fallback: Callable[[], FrozenSet] | None
    objects: ObjectStore
    read_log: Callable[[], PromotionLog | None]
    """The log that a reader uses; None where nothing was ever promoted."""
    write_log: Callable[[], PromotionLog]
    """The log that is safe to promote in, probed and recorded."""
    runs: RunKeeper
    lease: Callable[[str], Lease]
    """The right to retrain, for the run of this id."""
    rehearsal: Callable[[], Rehearsal]
    now: Callable[[], datetime]
    libraries: Mapping[str, str]
    actor: str
    served: ServedPredictions | None
    """What callers got; None where nobody was served, as in a replay."""


PUBLISH_TRIES: Final = 3
"""Whoever is overtaken this often meets somebody who promotes in a loop; a person should look."""


@dataclass(frozen=True, slots=True)
class Proven:
    """All that was found out about a candidate: enough to judge it again when another champion serves."""

    won: Won
    release: Release
    rehearsed: Rehearsed

    def contender(self, order: Order) -> Contender:
        """The candidate as it is compared with others."""
        won = self.won
        return Contender(
            drawn=won.drawn,
            training_set=won.training_set,
            forecast=won.judged.forecast,
            majority=won.judged.majority_forecast,
            seed=order.plan.seed,
            min_group_rows=order.bars.min_slice_rows,
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """What a run may be given from outside: its id, a lease that is held already, and the time it may take."""

    run: str | None = None
    lease: Lease | None = None
    started_at: datetime | None = None
    """When it began: before it had its lease."""
    limit: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Raises Overdue in the block once the time is up; entered once for each moment, with what is left of it."""


ALONE: Final = Frame()


def retrain(world: World, order: Order, *, progress: Progress, frame: Frame = ALONE) -> RunReport:
    """Train, judge and perhaps publish. The run is recorded whatever its end, unless another kept it from beginning."""
    watch = Stopwatch()
    report = failed_before_it_began(order, frame.started_at or world.now(), "", run=frame.run)
    try:
        with nullcontext(frame.lease) if frame.lease else world.lease(report.run) as lease, frame.limit:
            report = _run(_fenced(world, lease), order, report, watch=watch, progress=progress)
    except Busy as busy:
        return replace(report, reason=str(busy))
    except TiercastError as error:
        report = replace(report, reason=str(error))
    except BaseException as error:
        recorded(replace(report, reason=interrupted(error), seconds=watch.seconds()), world.runs)
        raise
    return recorded(replace(report, seconds=watch.seconds()), world.runs)


def _fenced(world: World, lease: Lease) -> World:
    """The same world for as long as the lease is held: whoever lost it promotes nothing more."""

    def write_log() -> PromotionLog:
        lease.ensure_held()
        return world.write_log()

    return replace(world, write_log=write_log)


def _run(world: World, order: Order, report: RunReport, *, watch: Stopwatch, progress: Progress) -> RunReport:
    with watch.stage("query"):
        past = _past(world, order)
        report = beside_standing(report, past)
        note_changes(world, progress)
        progress.stage("reading videos")
    with watch.stage("features"):
        sources = Sources(world.videos, world.history, world.fallback)
        drawn = draw(sources, order.moment, order.plan, order.forecast)
        report = with_drawn(report, drawn)
    with watch.stage("gate"):
        findings = judge_data(drawn, order, past)
    if drawn.training_set is None or verdict_of(findings) is not Verdict.PROMOTE:
        return concluded(report, findings)
    proven = _prove(world, order, drawn, drawn.training_set, watch=watch, progress=progress)
    won = proven.won
    report = replace(report, judged=won.judged, candidates=won.fitted.lines, candidate=proven.release.id)
    with watch.stage("gate"):
        report = _judged(world, order, report, proven, past)
    if report.status == "promoted" and not order.dry_run:
        with watch.stage("publish"):
            report = _published(world, order, report, proven, past)
    return report


def _past(world: World, order: Order) -> Past:
    log = world.read_log()
    who = standing(world.objects, log, order.moment)
    now, tiers = world.now(), promoted_tiers(world.objects, log, order.moment)
    served = recently_missing(world.served, order.moment, now) if world.served else None
    return Past(who, now, world.libraries, tiers, served)


def _prove(
    world: World, order: Order, drawn: Drawn, training_set: TrainingSet, *, watch: Stopwatch, progress: Progress
) -> Proven:
    """Fit the candidates, evaluate the best one, and let a fresh process predict from its staged bytes."""
    with closing(world.rehearsal()) as rehearsal:
        with watch.stage("train"):
            fitted = fit_best(training_set, seed=order.plan.seed, progress=progress)
        progress.stage("judging the candidate")
        with watch.stage("evaluate"):
            judged = judge(fitted, drawn, training_set, seed=order.plan.seed, curves=order.curves)
            won = Won(drawn, training_set, fitted, judged)
            release = stage(won, order=order, libraries=world.libraries)
        with watch.stage("gate"):
            rehearsed = rehearse(rehearsal, release, fitted, training_set)
    return Proven(won, release, rehearsed)


def _judged(world: World, order: Order, report: RunReport, proven: Proven, past: Past) -> RunReport:
    """The gate's answer, with every check asked beside the release that serves."""
    contender = proven.contender(order)
    compared = beside(contender, past.standing, world.objects, replace=order.replace)
    findings = judge_data(contender.drawn, order, past)
    findings += judge_candidate(
        proven.won.judged, proven.rehearsed, contender, order=order, past=past, beside=compared
    )  # fmt: skip
    findings += judge_serving(proven.release, order, past)
    warnings = dict.fromkeys((*report.warnings, *replacing(order, past), *best_lost(compared)))
    return concluded(replace(report, beside=compared, warnings=tuple(warnings)), findings)


def note_changes(world: World, progress: Progress) -> None:
    """An existing table keeps one changing row a video; what changed becomes observations, so that history forms.

    A dry run does so too, or it would judge another training set than the real run.
    """
    if world.scraped_table is not None:
        options = IngestOptions(now=world.now())
        ingest_table(world.scraped_table, world.videos, world.rejects, options=options, progress=progress)


def _published(world: World, order: Order, report: RunReport, proven: Proven, past: Past) -> RunReport:
    """Publish; where who serves has changed meanwhile, judge again beside them first."""
    for _ in range(PUBLISH_TRIES):
        if _won(world, report, proven.release, past):
            return replace(report, champion_after=proven.release.id)
        past = _past(world, order)
        report = _judged(world, order, overtaken(report, past), proven, past)
        if report.status != "promoted":
            return report
    raise Unavailable(f"{' '.join(report.warnings)} Nothing was published after {PUBLISH_TRIES} tries; run it again.")


def _won(world: World, report: RunReport, release: Release, past: Past) -> bool:
    store = ModelStore(world.objects, world.write_log())
    writer = Writer(actor=world.actor, at=world.now(), token=uuid4().hex)
    best = best_kept(release, past.standing, report.beside)
    return publish(store, Passed(release, report.findings, report.run, past.standing, best), writer).won
