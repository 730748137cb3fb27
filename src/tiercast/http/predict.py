"""``POST /v1/predict``."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from tiercast.adapters.formats import drafts, recognise
from tiercast.answering import (
    Answers,
    Item,
    Wanted,
    unread_fields,
    video_id_of,
    why_nothing,
)
from tiercast.http.bodies import document_of, read, refuse_too_many
from tiercast.http.json import Json
from tiercast.http.problems import Problem
from tiercast.http.service import Service, service_of
from tiercast.http.shapes import PredictAnswer, PredictRequest, body_of, problems
from tiercast.intake.stated import stated_platform

LARGE_BODY_BYTES: Final = 100_000
"""Reading more than this, or writing its answer, takes milliseconds for which others should not wait."""

Done = TypeVar("Done")

router = APIRouter()


@router.post(
    "/v1/predict",
    summary="Predict the tier of videos",
    response_model=PredictAnswer,
    responses=problems(400, 401, 408, 413, 415, 422, 503),
    openapi_extra=body_of(PredictRequest),
)
async def predict(request: Request) -> Response:
    """One prediction for each video, by the champions in memory."""
    service = service_of(request)
    body = await request.body()
    large = len(body) > LARGE_BODY_BYTES
    asked = await apart(service, partial(_asked, request, body, service), large=large)
    answers = await answered(service, asked.videos, _wanted(asked), large=large)
    request.state.videos = len(asked.videos)
    if not answers.predictions:
        raise _nothing(answers)
    document = answers.to_document(warnings_of(service, asked.videos, answers))
    return await apart(service, partial(Json, document), large=large)


async def apart(service: Service, work: Callable[[], Done], *, large: bool) -> Done:
    """The work's result, done in a thread where it is large."""
    return await asyncio.get_running_loop().run_in_executor(service.executor, work) if large else work()


def _asked(request: Request, body: bytes, service: Service) -> PredictRequest:
    asked = read(PredictRequest, document_of(request, body))
    refuse_too_many(len(asked.videos), service.wiring.settings.serve.max_videos)
    return asked


def _wanted(asked: PredictRequest) -> Wanted:
    return Wanted(asked.moment, asked.reasons, stated_platform(asked.platform))


async def answered(service: Service, items: Sequence[Item], wanted: Wanted, *, large: bool) -> Answers:
    """The answers to some items: a small one alone shares its work with others that are asked at the same time."""
    shared = not large and len(items) == 1 and wanted.platform is None
    answers = await (_together if shared else _answered)(service, items, wanted)
    service.metrics.count(answers.predictions, [each.reason for each in answers.unanswered])
    return answers


async def _together(service: Service, items: Sequence[Item], wanted: Wanted) -> Answers:
    form = recognise(items) or (drafts if drafts.recognises(items[0]) else None)
    video_id = video_id_of(items[0], form) if form else None
    if form and video_id:
        return await service.coalescer.answer(items[0], video_id, form, wanted)
    return await _answered(service, items, wanted)


async def _answered(service: Service, items: Sequence[Item], wanted: Wanted) -> Answers:
    return await apart(service, lambda: service.oracle.answer(items, wanted), large=True)


def _nothing(answers: Answers) -> Problem:
    refused = answers.to_document([])["refused"]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, why_nothing(refused), more={"refused": refused})


def warnings_of(service: Service, items: Sequence[Item], answers: Answers) -> list[str]:
    """What could not be asked, and fields that were not read."""
    told = []
    if service.history.away is not None and any(each["moment"] != "observed" for each in answers.predictions):
        told.append(
            "The video store is out of reach, so nothing is known of earlier posts; these features count as missing."
        )
    return told + unread_fields(items)
