"""What goes over the wire, as OpenAPI shows it; answers are built by the flows and not copied through these."""

from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from tiercast.core.moments import Moment
from tiercast.http.json import JSON_TYPE
from tiercast.http.problems import KINDS, MEDIA_TYPE

VIDEO: Final[dict[str, Any]] = {
    "platform": "tiktok",
    "video_id": "7301234567890123456",
    "author": "ana.bakes",
    "author_followers": 10_234,
    "description": "Sourdough in 30 seconds #baking",
    "duration_seconds": 31,
    "published_at": "2026-11-01T17:30:00Z",
    "scraped_at": "2026-11-12T06:00:00Z",
    "views": 48_200,
    "likes": 5_100,
    "comments": 120,
    "shares": 340,
    "saves": 610,
}
"""One video in our own columns; docs/formats has those of scrapers."""
PREDICTION: Final[dict[str, Any]] = {
    "platform": "tiktok",
    "video_id": "7301234567890123456",
    "moment": "observed",
    "tier": 4,
    "probabilities": [0.02, 0.08, 0.19, 0.44, 0.27],
    "confident": False,
    "score": 67.7,
    "release": "cafd5d4302fd0c5e8a1b7f6d93a2e4c8b1f0d7a6958473625140f3e2d1c0b9a8",
    "missing": [],
    "views_interval": None,
    "relative_to": None,
    "relative_to_group": None,
    "creator_relative": None,
    "label": "views",
    "marks": [],
    "horizon_days": None,
    "newest_training_video_at": "2026-11-11T21:04:00+00:00",
}


class PredictRequest(BaseModel):
    """Videos to predict."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"moment": "observed", "videos": [VIDEO]}]}
    )

    videos: list[InstanceOf[dict[str, Any]]] = Field(  # as they are: validating the fields of each would copy them
        min_length=1, description="In our own columns or any scraper format that `tiercast ingest` reads"
    )
    moment: Moment | None = Field(None, description="Default: for each video the richest that it allows")
    reasons: bool = Field(False, description="The five features that moved it; at most 100 videos", strict=True)
    platform: str | None = Field(None, description="Of videos that do not name theirs", max_length=64)


class Prediction(BaseModel):
    """One video's answer."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [PREDICTION]})

    platform: str | None
    video_id: str
    moment: Moment
    tier: int = Field(ge=1, le=5)
    probabilities: list[float] = Field(min_length=5, max_length=5, description="Of tiers 1 to 5; they sum to 1")
    confident: bool
    score: float = Field(ge=0, le=100)
    release: str
    missing: list[str] = Field(description="Features whose inputs were unknown")
    views_interval: list[int] | None = Field(description="80 % range of views")
    relative_to: Literal["all", "platform", "cohort", "creator"] | None
    creator_relative: float | None = Field(description="Middle of that range over the creator's usual views")


class Refused(BaseModel):
    """One video that got no prediction."""

    video_id: str | None
    reason: str = Field(examples=["likes_exceed_views"])
    detail: str = Field(examples=["It has 9 likes but 3 views; a video has at most one like a view."])


class PredictAnswer(BaseModel):
    """One prediction a video that could be answered, in the order of the request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"predictions": [PREDICTION], "refused": [], "warnings": []}]}
    )

    predictions: list[Prediction]
    refused: list[Refused] = Field(description="Videos without a prediction, each with the reason")
    warnings: list[str]


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What a route says of its body in OpenAPI, where it reads the bytes itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {JSON_TYPE: {"schema": schema}}}}


def problem(told: str) -> dict[str, Any]:
    """What a route says of one problem that it may answer with."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": told, "content": {MEDIA_TYPE: {"schema": schema}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for several statuses, in the words that stand for each."""
    return {int(status): problem(KINDS[HTTPStatus(status)][1]) for status in statuses}
