"""``POST /v1/videos``."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tiercast.answering import SOURCE, ingested
from tiercast.flows.ingest import IngestOptions, IngestReport
from tiercast.http.bodies import document_of, kind_of, refuse_too_many
from tiercast.http.json import JSON_TYPE, UTF8_BOM, Json
from tiercast.http.problems import Problem
from tiercast.http.service import service_of
from tiercast.http.shapes import VIDEO, problems
from tiercast.intake.stated import stated_platform, stated_time
from tiercast.wiring import now

LINES: Final = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
OPENS_JSON: Final = (b"{", b"[")
"""The first byte; what ``ingest`` also reads (gzip, Parquet) may unfold to any size in memory."""
EXAMPLE: Final[dict[str, Any]] = {
    "files": [
        {
            "path": SOURCE,
            "format": "table",
            "read": 1,
            "stored": 1,
            "updated": 0,
            "observations": 1,
            "rejected": 0,
            "rejects": {},
            "reject_examples": {},
            "rejects_file": None,
            "scrape_time_guessed": 0,
            "views_fell": 0,
            "ignored_columns": {},
            "read_before": False,
        }
    ],
    "failed": [],
    "read": 1,
    "stored": 1,
    "updated": 0,
    "observations": 1,
    "rejected": 0,
    "scrape_time_guessed": 0,
    "views_fell": 0,
}

router = APIRouter(tags=["videos"])


class IngestedFile(BaseModel):
    """What the body brought."""

    path: str = Field(description="Always 'request'")
    format: str = Field(description="As detected", examples=["table", "clockworks", "apidojo"])
    read: int
    stored: int
    updated: int
    observations: int
    rejected: int
    rejects: dict[str, int] = Field(description="Refused rows by reason")
    reject_examples: dict[str, str] = Field(description="For each reason the sentence of the first row it refused")
    rejects_file: None = Field(description="Refused rows are kept where the service runs; nobody is told where")
    scrape_time_guessed: int = Field(description="Observations without a scrape time, which count as made now")
    views_fell: int = Field(description="Observations with fewer views than the one before them")
    ignored_columns: dict[str, str | None]
    read_before: bool = Field(description="The very same body came before, so it added nothing")


class IngestAnswer(BaseModel):
    """As ``tiercast ingest --json`` answers."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    files: list[IngestedFile]
    failed: list[dict[str, str]]
    read: int
    stored: int
    updated: int
    observations: int
    rejected: int


BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A list of items, an object around one list, or one item; or JSON Lines",
        "content": {
            JSON_TYPE: {
                "schema": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]},
                "example": [VIDEO],
            },
            LINES[0]: {
                "schema": {"type": "string"},
                "example": '{"platform": "tiktok", "video_id": "1", "views": 9}\n',
            },
        },
    }
}


@router.post(
    "/v1/videos",
    summary="Store scraped videos",
    response_model=IngestAnswer,
    responses=problems(400, 401, 408, 413, 415, 422, 503),
    openapi_extra=BODY,
)
async def ingest(
    request: Request,
    platform: Annotated[str | None, Query(description="Of items that do not name theirs", max_length=64)] = None,
    scraped_at: Annotated[str | None, Query(description="Of items that do not state theirs", max_length=64)] = None,
) -> Response:
    """Videos and observations from items of any scraper; the same body twice adds nothing."""
    options = IngestOptions(now(), stated_platform(platform), stated_time(scraped_at, "scraped_at"))
    body = await request.body()
    service, loop = service_of(request), asyncio.get_running_loop()
    document = await loop.run_in_executor(service.writers, _ingested, request, body, options)
    service.history.forget()
    return Json(document)


def _ingested(request: Request, body: bytes, options: IngestOptions) -> Mapping[str, object]:
    service = service_of(request)
    _check(request, body, service.wiring.settings.serve.max_videos)
    report = ingested(service.wiring, body, options)
    document = IngestReport([report]).to_document()
    if report.all_rejected:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, report.why_all_rejected, more=document)
    return document


def _check(request: Request, body: bytes, most: int) -> None:
    """Raise Problem unless the body is JSON, or lines of it, of at most so many items."""
    if kind_of(request) in LINES:
        count = sum(1 for line in body.splitlines() if line.strip())
    else:
        count = _items(document_of(request, body))
    if not body.removeprefix(UTF8_BOM).lstrip().startswith(OPENS_JSON):
        told = f"The body is no list of items and no item; send JSON ({JSON_TYPE}) or JSON Lines ({LINES[0]})."
        raise Problem(HTTPStatus.BAD_REQUEST, told)
    refuse_too_many(count, most, what="items")


def _items(document: object) -> int:
    """How many items a document has at most, whichever list holds them."""
    values = document.values() if isinstance(document, Mapping) else [document]
    return max((len(value) for value in values if isinstance(value, list)), default=1)
