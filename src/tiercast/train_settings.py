"""The settings of what is learned: rows, history, labels, moments and tiers, and when a retrain begins and ends."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from tiercast.core.cron import CronLine
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.gate_settings import FROZEN


class Retrain(BaseModel):
    """How a training set is drawn."""

    model_config = FROZEN

    max_videos: int = Field(10_000, ge=1, description="newest usable videos to learn from")
    min_videos: int = Field(500, ge=1, description="fewer usable videos: the fallback file, else hold")
    fallback_path: Path | None = Field(None, description="frozen training set used below min_videos")
    test_share: float = Field(
        0.2, gt=0, lt=1, description="share that tests and never trains: of each tier; for forecasts the newest"
    )
    seed: int = Field(42, ge=0, lt=2**32, description="decides which videos test and how folds are drawn")
    save_per_like: float = Field(0.15, ge=0, le=1, description="saves per like, where saves are unknown")
    moments: Literal["auto"] | tuple[Moment, ...] = Field(
        "auto", description="what a plain retrain trains: a list of moments, or those that the data allow"
    )

    schedule: str = Field("0 3 * * 1", description="cron line, UTC, at which serve retrains; empty: never")
    max_seconds: int = Field(120, ge=1, description="a retrain that takes longer ends as failed")

    @field_validator("schedule")
    @classmethod
    def _a_cron_line(cls, schedule: str) -> str:
        if schedule.strip():
            try:
                CronLine.parse(schedule)
            except InvalidInput as error:
                raise ValueError(str(error)) from error
        return schedule.strip()

    @field_validator("moments")
    @classmethod
    def _at_least_one(cls, moments: Literal["auto"] | tuple[Moment, ...]) -> Literal["auto"] | tuple[Moment, ...]:
        if not moments:
            raise ValueError("it names no moment")
        return moments


class Features(BaseModel):
    """What forecasts may rest on."""

    model_config = FROZEN

    history: Literal["observed", "as_scraped", "auto"] = Field(
        "auto", description="earlier posts count as measured by then, or as last measured; auto: by then, if re-scraped"
    )
    embargo_days: float = Field(0, ge=0, description="nothing is known of an earlier post before it is this old")
    history_videos: int = Field(100_000, ge=1, description="newest videos that a forecast's history is drawn from")


class Labels(BaseModel):
    """Which views a forecast learns."""

    model_config = FROZEN

    at: Literal["horizon", "last"] = Field("horizon", description="views at the horizon, or at the last observation")
    horizon_days: float = Field(7, gt=0, description="age at which views are the label")
    maturity_days: float = Field(7, gt=0, description="age of the last observation from which a video has a label")
    max_age_days: Annotated[float, Field(gt=0)] | Literal["unlimited"] = Field(
        30,
        description="oldest observation that may stand in for the horizon; unlimited where each video was scraped once",
    )
    min_days_after: float = Field(
        0, ge=0, description="for at = last: days between the last used observation and the label"
    )
    known_at: Literal["strict", "as_scraped", "auto"] = Field(
        "auto",
        description="a training label was observed before the test begins, or posted a horizon before; auto: as needed",
    )

    @model_validator(mode="after")
    def _room_for_a_day(self) -> "Labels":
        if self.at == "horizon" and self.horizon_days < MIN_HORIZON_DAYS:
            raise ValueError(
                f"horizon_days is {self.horizon_days:g}; labels at a horizon need at least {MIN_HORIZON_DAYS}, since "
                "an observation within a day of it counts"
            )
        return self


MIN_HORIZON_DAYS: Final = 2


class Moments(BaseModel):
    """Where one moment ends and the next begins."""

    model_config = FROZEN

    early_max_age_hours: float = Field(72, gt=0, description="oldest observation that is early")
    early_rows: Literal["each", "first"] = Field("each", description="which early observations of a video become rows")


class Tiers(BaseModel):
    """What a forecast's tiers are relative to."""

    model_config = FROZEN

    relative_to: RelativeTo = Field(
        RelativeTo.ALL, description="all, platform, cohort (platform x followers) or creator"
    )
    min_cohort: int = Field(200, ge=10, description="training videos that a platform, cohort or all creators need")
    min_posts: int = Field(3, ge=1, description="earlier posts that a creator needs for tiers of their own")
