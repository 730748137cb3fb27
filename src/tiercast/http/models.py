"""``GET /v1/models`` and ``POST /v1/rollback``."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from tiercast.answering import LONGEST_REASON, rolled_back
from tiercast.core.errors import Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.models import list_models, promotion_document
from tiercast.http.bodies import document_of, read
from tiercast.http.json import Json
from tiercast.http.service import Service, service_of
from tiercast.http.shapes import body_of, problems
from tiercast.ports.models import PromotionLog
from tiercast.serving.champions import LOG_GONE

ENTRY: Final[dict[str, Any]] = {
    "number": 4,
    "moment": "observed",
    "action": "rollback",
    "release": "cafd5d4302fdcafd5d4302fdcafd5d4302fdcafd5d4302fdcafd5d4302fdcafd",
    "previous": "beef5d4302fdcafd5d4302fdcafd5d4302fdcafd5d4302fdcafd5d4302fdbeef",
    "actor": "API key web",
    "reason": "Scores of short clips look wrong",
    "at": "2026-11-23T09:12:00+00:00",
}
LISTED: Final[dict[str, Any]] = {
    "moment": "observed",
    "champion": ENTRY["release"],
    "pinned": None,
    "warnings": [],
    "releases": [{"release": ENTRY["release"], "champion": True}, {"release": ENTRY["previous"], "champion": False}],
    "promotions": [ENTRY],
}

SECONDS: Final = 30.0
"""Longer than a model store that hangs takes to say so, which is read release by release."""
SILENT: Final = (
    "The model store, or its promotion log, did not answer in time ({seconds:g} seconds). Nothing was changed; try "
    "again later."
)
UNDECIDED: Final = (
    "The rollback did not end within {seconds:g} seconds, and may still come to its end. GET /v1/models shows whether "
    "it stands in the log; ask again if it does not."
)

router = APIRouter(tags=["models"])


class PromotionEntry(BaseModel):
    """One entry of the promotion log; the highest number names the champion."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [ENTRY]})

    number: int
    moment: Moment
    action: str = Field(description="promote, rollback, pin or unpin")
    release: str
    previous: str | None
    actor: str
    reason: str
    at: datetime


class MomentModels(BaseModel):
    """The releases and the promotion log of one moment."""

    moment: Moment
    champion: str | None = Field(description="The release that serves")
    pinned: PromotionEntry | None
    warnings: list[str]
    releases: list[dict[str, Any]] = Field(description="Each with its metrics, edges and age of training rows")
    promotions: list[dict[str, Any]] = Field(description="Entries by number; a damaged one has number and damage only")


class Models(BaseModel):
    """What stands in the model store."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"moments": [LISTED]}]})

    moments: list[MomentModels]


class RollbackRequest(BaseModel):
    """Which release shall serve again, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"moment": "observed", "reason": ENTRY["reason"]}]}
    )

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)] = Field(
        description="Kept in the promotion log for ever"
    )
    release: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        None, description="Its first digits; default: the release that served before"
    )
    moment: Moment = Field(Moment.OBSERVED, description="The moment to roll back")


@router.get("/v1/models", summary="Releases and promotions", response_model=Models, responses=problems(401, 422, 503))
async def models(
    request: Request, moment: Annotated[Moment | None, Query(description="Default: every moment")] = None
) -> Response:
    """Every release and the promotion log, the champion marked."""
    service, moments = service_of(request), [moment] if moment else list(Moment)
    return Json(await service.readers.ask(lambda: _listed(service, moments), seconds=SECONDS, late=SILENT))


def _listed(service: Service, moments: list[Moment]) -> dict[str, object]:
    return list_models(service.wiring.objects, _log(service), moments).to_document()


def _log(service: Service) -> PromotionLog | None:
    """The promotion log; raises Unavailable where champions came from one that is gone, as with a moved folder."""
    log = service.wiring.read_log()
    if log is None and service.champions.current():
        raise Unavailable(LOG_GONE)
    return log


@router.post(
    "/v1/rollback",
    summary="Let an earlier release serve again",
    response_model=PromotionEntry,
    responses=problems(400, 401, 404, 408, 413, 415, 422, 503),
    openapi_extra=body_of(RollbackRequest),
)
async def roll_back(request: Request) -> Response:
    """The log gains an entry, nothing is overwritten; this process serves the release before it answers."""
    asked = read(RollbackRequest, document_of(request, await request.body()))
    service, actor = service_of(request), _actor(request)
    entry = await service.changes.ask(lambda: _rolled_back(service, asked, actor), seconds=SECONDS, late=UNDECIDED)
    return Json(entry)


def _rolled_back(service: Service, asked: RollbackRequest, actor: str) -> dict[str, object]:
    _log(service)
    entry = rolled_back(service.wiring, asked.moment, release=asked.release, reason=asked.reason, actor=actor)
    service.champions.check()
    return promotion_document(entry)


def _actor(request: Request) -> str:
    """Who acts, as the promotion log records it: the name of the key."""
    name = getattr(request.state, "key", None)
    return f"API key {name}" if name else "somebody on this machine, without an API key"
