"""``GET /v1/runs`` and ``GET /v1/runs/{run}``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tiercast.answering import MOST_RUNS
from tiercast.flows.runs import run_document
from tiercast.http.json import Json
from tiercast.http.service import service_of
from tiercast.http.shapes import problems
from tiercast.wiring import Wiring

RUN: Final[dict[str, Any]] = {
    "run": "20261123T030000-1a2b3c",
    "moment": "observed",
    "status": "promoted",
    "source": "videos",
    "reason": "Every check passed.",
    "videos": 9876,
    "test_accuracy": 0.64,
    "candidate": "cafd5d4302fd",
    "champion_before": None,
    "champion_after": "cafd5d4302fd",
}

router = APIRouter(tags=["runs"])


class RunDocument(BaseModel):
    """One run as `tiercast retrain --json` answers; docs/gate.md tells its findings."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [RUN]})

    run: str = Field(description="Its id")
    status: str = Field(description="promoted, held, rejected or failed; running while a retrain is under way")


class Runs(BaseModel):
    """The newest runs, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"runs": [RUN]}]})

    runs: list[RunDocument]


class RunsOfOne(BaseModel):
    """A retrain of several moments: a run for each."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"runs": [RUN]}]})

    runs: list[RunDocument]


@router.get("/v1/runs", summary="The newest runs", response_model=Runs, responses=problems(401, 422, 503))
async def recent(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many at most")] = 20,
) -> Response:
    """Runs of every moment and end, newest first."""
    service = service_of(request)
    records = await service.readers.ask(lambda: service.wiring.runs.recent(limit))
    return Json({"runs": [record.document for record in records]})


@router.get(
    "/v1/runs/{run}",
    summary="One run",
    response_model=RunDocument | RunsOfOne,
    responses=problems(401, 404, 422, 503),
)
async def one(
    request: Request,
    run: Annotated[str, Path(max_length=100, description="Its id or the start of it, or the id of a retrain")],
) -> Response:
    """One run whole; for a retrain its runs, also while it goes on."""
    service = service_of(request)
    return Json(await service.readers.ask(lambda: _found(service.wiring, run)))


def _found(wiring: Wiring, run: str) -> Mapping[str, object]:
    document = run_document(wiring.runs, run, wiring.in_progress())
    return {name: value for name, value in document.items() if name != "holder"}  # a host and a process number
