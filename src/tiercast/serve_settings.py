"""The settings of what ``tiercast serve`` does beside predicting: scores, limits, and who hears of a failed run."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from tiercast.gate_settings import FROZEN


class Score(BaseModel):
    """How signals become one score."""

    model_config = FROZEN

    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {"behavioral": 0.35, "gemini": 0.25, "ml": 0.15, "rules": 0.15, "trends": 0.10},
        min_length=1,
        description="signal names and how much each counts; ml is the champion's",
    )


class Serve(BaseModel):
    """Limits of the HTTP service."""

    model_config = FROZEN

    max_body_bytes: int = Field(8_000_000, ge=1_000, description="largest request body")
    max_videos: int = Field(1_000, ge=1, description="most videos in one request")
    check_seconds: float = Field(5, gt=0, description="how often to look for a newer promotion and for changed keys")
    keep_predictions_days: int = Field(90, ge=0, description="how long served predictions are kept; 0: not at all")
    max_waiting_predictions: int = Field(
        50_000, ge=1, description="served predictions that may wait to be kept; more are counted and dropped"
    )
    hosts: tuple[str, ...] = Field((), description="Host names to answer to; empty: any with an API key, else loopback")


class Notify(BaseModel):
    """Who hears of a retrain that did not promote."""

    model_config = FROZEN

    webhook_url: SecretStr | None = Field(
        None, description="told when a run is held, rejected or fails; the address is a secret"
    )
    format: Literal["auto", "json", "slack"] = Field(
        "auto", description="what is sent; auto: slack to hooks.slack.com, else json"
    )
