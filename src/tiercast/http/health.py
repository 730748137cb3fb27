"""``/healthz``, ``/readyz`` and ``/metrics``."""

from http import HTTPStatus
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from tiercast.http.json import Json
from tiercast.http.service import service_of
from tiercast.http.shapes import problems

READY: Final[dict[str, Any]] = {"status": "ready", "champions": {"observed": "cafd5d4302fd"}, "shortcomings": {}}

router = APIRouter()


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive"}]})

    status: Literal["alive"]


class Readiness(BaseModel):
    """Whether requests should come here."""

    model_config = ConfigDict(json_schema_extra={"examples": [READY]})

    status: Literal["ready", "degraded", "not ready"] = Field(
        description="degraded: predictions go on, but something else is out of reach; still 200"
    )
    champions: dict[str, str] = Field(description="Release by moment", examples=[{"observed": "cafd5d4302fd"}])
    shortcomings: dict[str, str] = Field(description="What is not as it should be, by part")


@router.head("/healthz", include_in_schema=False)  # which some load balancers ask; a server sends no body to it
@router.get("/healthz", response_model=Alive, summary="Whether the process answers")
async def healthz() -> Response:
    """Nothing else is asked: a restart would not bring a store back."""
    return Json({"status": "alive"})


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "No model serves, or the service is stopping"}},
    summary="Whether requests should come here",
)
async def readyz(request: Request) -> Response:
    """Ready while some champion is in memory, whatever else is away."""
    found = readiness_of(request)
    return Json(found.model_dump(), HTTPStatus.SERVICE_UNAVAILABLE if found.status == "not ready" else HTTPStatus.OK)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="For Prometheus",
    responses={
        200: {"content": {"text/plain": {"example": "tiercast_ready 1.0\n"}}},
        **problems(HTTPStatus.UNAUTHORIZED),
    },
)
async def metrics(request: Request) -> Response:
    """Requests, latency, predictions, champions, runs."""
    return Response(service_of(request).metrics.page(), media_type=CONTENT_TYPE_LATEST)


def readiness_of(request: Request) -> Readiness:
    """What is known of the service that a request reached, from memory alone."""
    service = service_of(request)
    shortcomings = service.shortcomings()
    champions = {moment.value: serving.release.id[:12] for moment, serving in service.champions.current().items()}
    stopping = getattr(request.app.state, "stopping", False)
    if stopping:
        shortcomings["service"] = "It is stopping."
    if stopping or not champions:
        return Readiness(status="not ready", champions=champions, shortcomings=shortcomings)
    return Readiness(status="degraded" if shortcomings else "ready", champions=champions, shortcomings=shortcomings)
