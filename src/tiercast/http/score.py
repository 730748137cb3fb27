"""``POST /v1/score``."""

from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tiercast.answering import Wanted
from tiercast.core.errors import NoChampion
from tiercast.core.moments import Moment
from tiercast.flows.score import NOT_ASKED, Forecast, ScoreRequest, forecast_of, score
from tiercast.http.bodies import document_of
from tiercast.http.json import Json
from tiercast.http.predict import LARGE_BODY_BYTES, answered, apart, warnings_of
from tiercast.http.service import Service, service_of
from tiercast.http.shapes import PREDICTION, VIDEO, Prediction, body_of, problems

SIGNALS: Final[dict[str, Any]] = {"behavioral": 72, "gemini": 64, "rules": 80, "trends": None}
EXAMPLE: Final[dict[str, Any]] = {
    "overall_score": 71,
    "weights": {"behavioral": 0.3889, "gemini": 0.2778, "ml": 0.1667, "rules": 0.1667},
    "signals": {"behavioral": 72.0, "gemini": 64.0, "ml": 70.3, "rules": 80.0},
    "contributions": {"behavioral": 28.0, "gemini": 17.78, "ml": 11.72, "rules": 13.33},
    "missing": ["trends"],
    "ml": PREDICTION,
    "warnings": [],
}

router = APIRouter(tags=["score"])


class ScoreBody(BaseModel):
    """Signals to weigh, and a video for the champion to predict."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"signals": SIGNALS, "moment": "draft", "video": VIDEO}]}
    )

    signals: dict[str, float | None] | None = Field(
        None, description="Points of 0 to 100 by the names of score.weights; null or absent: missing, never a zero"
    )
    moment: Moment | None = Field(None, description="How the video is predicted; default: the richest that it allows")
    video: dict[str, Any] | None = Field(
        None, description="One video in our own columns or a scraper's; its predicted score is the signal ml"
    )


class ScoreAnswer(BaseModel):
    """One score and where it comes from; every object has the signals that were there."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    overall_score: int = Field(ge=0, le=100, description="The sum of the contributions, rounded half up")
    weights: dict[str, float] = Field(description="They sum to 1: that of a missing signal is shared out in proportion")
    signals: dict[str, float] = Field(description="The values used")
    contributions: dict[str, float] = Field(description="Points that each brings: weight x value")
    missing: list[str]
    ml: Prediction | None = Field(description="The champion's whole prediction, where a video was given")
    warnings: list[str] = Field(description="Such as why there is no prediction")


@router.post(
    "/v1/score",
    summary="Weigh several signals into one score",
    response_model=ScoreAnswer,
    responses=problems(400, 401, 408, 413, 415, 422, 503),
    openapi_extra=body_of(ScoreBody),
)
async def post(request: Request) -> Response:
    """A score of 0 to 100; the signal ml comes from the champion, where a video is given."""
    service = service_of(request)
    weights = service.wiring.settings.score.weights
    body = await request.body()
    large = len(body) > LARGE_BODY_BYTES
    asked = await apart(service, lambda: ScoreRequest.of(document_of(request, body), weights), large=large)
    forecast = await _forecast(service, asked, large=large)
    return Json(score(weights, asked, forecast).to_document())


async def _forecast(service: Service, asked: ScoreRequest, *, large: bool) -> Forecast:
    if asked.video is None:
        return NOT_ASKED
    try:
        answers = await answered(service, [asked.video], Wanted(asked.moment), large=large)
    except NoChampion as error:
        return Forecast(why_none=str(error))
    warnings = warnings_of(service, [asked.video], answers)
    return forecast_of(answers.predictions, answers.unanswered, asked.moment, warnings)
