"""The application: its routes, what stands before them, and what runs beside them."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from tiercast import __version__
from tiercast.http import cron, health, models, predict, runs, score, status, videos
from tiercast.http.faults import answer_with_problems
from tiercast.http.guard import Guard, Rules
from tiercast.http.openapi import Described
from tiercast.http.requests import Observed
from tiercast.http.service import Service
from tiercast.serving.asking import asked
from tiercast.serving.schedule import Schedule, open_schedule
from tiercast.wiring import Wiring

ROUTERS: Final = tuple(part.router for part in (predict, score, videos, models, runs, cron, health, status))
RECORDER_SECONDS: Final = 5.0
"""How long a stopping service goes on writing served predictions."""


def create_app(wiring: Wiring) -> FastAPI:
    """The service of a home as an ASGI application."""
    service = Service.of(wiring)
    app = Described(
        title="Tiercast",
        version=__version__,
        description="Predicts which of five view tiers a short video will reach, and keeps the model behind it fresh.",
        docs_url=None,  # its page loads scripts from elsewhere, and shows nothing that /openapi.json does not say
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy it would send keys on to http://
        lifespan=_lifespan,
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    answer_with_problems(app)
    serve = wiring.settings.serve
    app.add_middleware(Guard, rules=Rules(service.keys.name_of, service.keys.any, serve.hosts, serve.max_body_bytes))
    app.add_middleware(Observed, metrics=service.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load champions, then look around, write and retrain in the background until the process is asked to stop."""
    service: Service = app.state.service
    await service.upkeep.run(service.look_around)
    service.recorder.start()
    schedule = app.state.schedule = open_schedule(service.wiring, service.retrainer)
    if schedule is not None:
        schedule.start()
        threading.Thread(target=schedule.say_unused, daemon=True, name="slots").start()
    upkeep = asyncio.create_task(_look_around_for_ever(service))
    yield
    app.state.stopping = True
    upkeep.cancel()
    await asyncio.wrap_future(asked(partial(_stop, service, schedule)))  # the loop's own threads may all hang


def _stop(service: Service, schedule: Schedule | None) -> None:
    if schedule is not None:
        schedule.close()
    service.retrainer.close()
    service.recorder.close(RECORDER_SECONDS)
    service.upkeep.close()
    for executor in (service.executor, service.writers, service.readers, service.changes):
        executor.shutdown(wait=False, cancel_futures=True)
    service.wiring.close()


async def _look_around_for_ever(service: Service) -> None:
    while True:
        await asyncio.sleep(service.wiring.settings.serve.check_seconds)
        try:
            await service.upkeep.run(service.look_around)
        except Exception:  # noqa: BLE001  the edge of a task that nobody awaits; the next look may succeed
            structlog.get_logger().exception("looking around failed")
