"""The cron route: whoever has the secret starts a retrain, and may wait for its end."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPBearer
from pydantic import SecretStr
from starlette.responses import Response

from tiercast.core.errors import Busy
from tiercast.http.guard import CRON_PATH, OLD_CRON_PATH
from tiercast.http.json import JSON_TYPE, Json
from tiercast.http.problems import Problem
from tiercast.http.runs import RUN
from tiercast.http.service import Service, service_of
from tiercast.http.shapes import problem

LONGEST_WAIT_SECONDS: Final = 300
"""As long as the longest function of the hosts that would wait."""
ASK_SECONDS: Final = 0.05
"""How late whoever waits may hear of the end."""
START_SECONDS: Final = 45.0
"""Longer than the database makes a writer wait, so that its own sentence comes first."""
UNDECIDED: Final = (
    "The database did not answer in time ({seconds:g} seconds). Where it does later, the retrain begins all the same: "
    "GET /v1/runs shows it."
)

router = APIRouter()
SECRET: Final = HTTPBearer(scheme_name="cron_secret", description="the setting cron_secret", auto_error=False)


async def start_retrain(request: Request) -> Response:
    """Start a retrain in a process of its own and answer with its id; `?wait=SECONDS` waits for the result."""
    service = service_of(request)
    _refuse_strangers(service.wiring.settings.cron_secret, request.headers.get("authorization"))
    wait = _wait_seconds(request.query_params.get("wait"))
    try:
        run = await service.changes.ask(lambda: service.retrainer.start("cron"), seconds=START_SECONDS, late=UNDECIDED)
    except Busy as busy:
        raise _conflict(busy) from busy
    result = await _awaited(service, run, wait)
    if result is not None:
        return Json(result)
    location = f"/v1/runs/{run}"
    document = {"run": run, "status": "running", "location": location}
    return Json(document, HTTPStatus.ACCEPTED, headers={"Location": location})


async def _awaited(service: Service, run: str, seconds: float) -> Mapping[str, Any] | None:
    """The answer of a retrain that ends within this time, waited for without a thread; None where it goes on."""
    ends = monotonic() + seconds
    while service.retrainer.goes_on(run):
        left = ends - monotonic()
        if left <= 0:
            return None
        await asyncio.sleep(min(left, ASK_SECONDS))
    return await service.readers.ask(lambda: service.retrainer.result(run, 0)) if seconds else None


def _refuse_strangers(secret: SecretStr | None, header: str | None) -> None:
    """Raise Problem where nobody, or not this caller, may start a retrain."""
    if secret is None:
        detail = "No cron_secret is set, so this route lets nobody in. Set one (TIERCAST_CRON_SECRET) and restart."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
    scheme, _, given = (header or "").partition(" ")
    expected = hashlib.sha256(secret.get_secret_value().encode()).digest()
    found = hashlib.sha256(given.strip().encode("latin-1")).digest()  # headers arrive as bytes, read as Latin-1
    if not (hmac.compare_digest(expected, found) and scheme.lower() == "bearer"):
        detail = "This route takes the cron secret and nothing else: send Authorization: Bearer <cron_secret>."
        raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


def _conflict(busy: Busy) -> Problem:
    """Which retrain goes on, and since when; who runs it is for the log."""
    told = f"A retrain is running already: {busy.run}, since {busy.since:%Y-%m-%d %H:%M:%S} UTC. Wait for it to end."
    location = f"/v1/runs/{busy.run}"
    more = {"run": busy.run, "location": location}
    return Problem(HTTPStatus.CONFLICT, told, more=more, headers={"Location": location})


def _wait_seconds(text: str | None) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        detail = f"wait is {text!r}; it is how many seconds to wait for the result, from 0 to {LONGEST_WAIT_SECONDS}."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return seconds


_RUNNING: Final = {"run": "20261123T030000-1a2b3c", "status": "running", "location": "/v1/runs/20261123T030000-1a2b3c"}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The retrain has ended, whatever its status; as `tiercast retrain --json` answers",
        "content": {JSON_TYPE: {"schema": {"type": "object"}, "example": RUN}},
    },
    202: {
        "description": "The retrain goes on; its id is known",
        "content": {JSON_TYPE: {"schema": {"type": "object"}, "example": _RUNNING}},
    },
    401: problem("The cron secret is missing or wrong"),
    409: problem("Another retrain is under way: its id is the member `run`"),
    422: problem("`wait` is out of range"),
    503: problem("No cron secret is set, or the database is away"),
}
WAIT: Final = {
    "name": "wait",
    "in": "query",
    "required": False,
    "description": "Seconds to wait for the result",
    "schema": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
}
for _method in ("GET", "POST"):
    for _path in (CRON_PATH, OLD_CRON_PATH):
        router.add_api_route(
            _path,
            start_retrain,
            methods=[_method],
            operation_id=f"retrain_by_{_method.lower()}",
            summary="Retrain",
            tags=["retrain"],
            response_class=Json,
            status_code=HTTPStatus.ACCEPTED,
            responses=RESPONSES,
            openapi_extra={"parameters": [WAIT]},
            dependencies=[Security(SECRET)],
            include_in_schema=_path == CRON_PATH,
        )
