"""``GET /``: the state of the service as a page for people."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from tiercast import __version__
from tiercast.core.errors import TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.report import objections
from tiercast.http.health import readiness_of
from tiercast.http.metrics import Metrics
from tiercast.http.service import Service, service_of
from tiercast.ports.runs import InProgress, RunRecord
from tiercast.render.status import (
    Keeping,
    MomentStatus,
    Objection,
    PastRun,
    Retrains,
    Serving,
    Status,
    status_page,
    style_source,
)
from tiercast.serving.champions import Champions, Loaded
from tiercast.serving.schedule import Schedule
from tiercast.wiring import now

NEWEST_RUNS: Final = 20
TIERS: Final = range(1, 6)
NO_PAST: Final = "The database is out of reach, so past runs are not shown. The service's log says why."

Past = Sequence[RunRecord] | None

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request) -> Response:
    """Comes whatever is away: all but the past runs is in memory."""
    service = service_of(request)
    past, running = await _past(service)
    html = await asyncio.get_running_loop().run_in_executor(
        service.executor, lambda: status_page(_status(request, past, running))
    )
    policy = f"default-src 'none'; style-src {style_source()}; base-uri 'none'; form-action 'none'"
    headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
    return Response(html, media_type="text/html", headers=headers)


def _status(request: Request, past: Past, running: InProgress | None) -> Status:
    service, readiness = service_of(request), readiness_of(request)
    counts = _predicted(service.metrics)
    recorder = service.recorder
    return Status(
        at=now(),
        version=__version__,
        readiness=readiness.status,
        shortcomings=readiness.shortcomings,
        moments=[_moment(service.champions, moment, counts) for moment in Moment],
        retrains=_retrains(service, past, running, getattr(request.app.state, "schedule", None)),
        keeping=Keeping(recorder.keep_days, recorder.kept, recorder.waiting, recorder.dropped),
    )


def _moment(champions: Champions, moment: Moment, counts: Mapping[tuple[str, int], int]) -> MomentStatus:
    loaded = champions.loaded()[moment]
    predicted = tuple(counts.get((moment.value, tier), 0) for tier in TIERS)
    return MomentStatus(moment.value, _serving(loaded), _why_none(champions, moment, loaded), predicted)


def _serving(loaded: Loaded) -> Serving | None:
    if loaded.serving is None or loaded.entry is None or loaded.since is None:
        return None
    manifest, entry = loaded.serving.release.manifest, loaded.entry
    accuracy: Mapping[str, Any] = manifest.metrics.get("accuracy") or {}
    interval = accuracy.get("interval")
    return Serving(
        release=loaded.serving.release.id,
        model=manifest.model,
        label=manifest.label,
        marks=manifest.marks,
        accuracy=accuracy.get("value"),
        accuracy_interval=(interval[0], interval[1]) if interval else None,
        confidence_threshold=manifest.confidence_threshold,
        newest_video_at=_time(manifest.newest_training_video_at),
        since=loaded.since,
        action=entry.action,
        actor=entry.actor,
        reason=entry.reason,
    )


def _why_none(champions: Champions, moment: Moment, loaded: Loaded) -> str:
    if champions.problem is not None:
        return "Whether there is one is unknown while the model store is out of reach."
    if loaded.warnings:
        return "There is one, but it cannot be used. `tiercast doctor` says why."
    return f"`tiercast retrain --moment {moment.value}` trains one; it answers here once it has passed the gate."


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _predicted(metrics: Metrics) -> dict[tuple[str, int], int]:
    """What this process has predicted, by moment and tier."""
    samples = [sample for family in metrics.predictions.collect() for sample in family.samples]
    return {
        (sample.labels["moment"], int(sample.labels["tier"])): int(sample.value)
        for sample in samples
        if sample.name.endswith("_total")
    }


def _retrains(service: Service, past: Past, running: InProgress | None, schedule: Schedule | None) -> Retrains:
    return Retrains(
        past=[_run(record) for record in past or ()],
        problem=NO_PAST if past is None else None,
        running=running,
        schedule=service.wiring.settings.retrain.schedule if schedule else "",
        next_at=schedule.next_at() if schedule else None,
    )


async def _past(service: Service) -> tuple[Past, InProgress | None]:
    """The newest runs and the one under way; None where the database is away."""
    if service.history.away is not None:
        return None, None  # known, and logged, since the last look: nobody has to wait for it again
    wiring = service.wiring
    try:
        return await service.readers.ask(lambda: (wiring.runs.recent(NEWEST_RUNS), wiring.in_progress()))
    except TiercastError as error:
        structlog.get_logger().warning("runs out of reach", problem=str(error))
        return None, None


def _run(record: RunRecord) -> PastRun:
    document: Mapping[str, Any] = record.document
    in_the_way = [Objection(each["code"], each["outcome"], each["title"]) for each in objections(document)]
    reason = document.get("reason") or ""
    return PastRun(record.run, record.started_at, record.moment.value, record.status, reason, in_the_way)
