"""Videos as callers give them: cleaned, placed at the moment they are in, and what gets no answer told by video."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import polars as pl

from tiercast.core.moments import Moment
from tiercast.core.video import published_at_from_tiktok_id
from tiercast.flows.answers import UNKNOWN
from tiercast.flows.asked import NEEDS, UNSERVED, Request, moments_of, usable_rows
from tiercast.flows.champions import Serving
from tiercast.intake.clean import Cleaned, Context, clean

NO_PREDICTION: Final = "no_prediction"
"""Why a sound video is not answered: no model serves what is known of it."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One video without a prediction: which, the reason's name and one plain sentence."""

    video_id: str | None
    reason: str
    detail: str


def cleaned(rows: pl.DataFrame, *, now: datetime, guessed_at: datetime, platform: str | None) -> Cleaned:
    """Canonical rows of videos to predict; where a row does not say when it was scraped, ``guessed_at`` stands in."""
    of_id = partial(_platform_of_id, now=now)
    return clean(rows, Context(now, None, guessed_at, platform or UNKNOWN, of_id, planned=True))


def _platform_of_id(video_id: str, *, now: datetime) -> str | None:
    """An id that holds a TikTok posting time is TikTok's, and training read its hour from there too."""
    return "tiktok" if published_at_from_tiktok_id(video_id, now) else None


def early_max_age_hours(servings: Mapping[Moment, Serving], default: float) -> float:
    """How old an observation may be for ``early``: as its champion was trained, else the default."""
    if Moment.EARLY in servings:
        return float(servings[Moment.EARLY].release.manifest.settings["early_max_age_hours"])
    return default


def unanswered(request: Request, servings: Mapping[Moment, Serving], moment: Moment | None) -> Iterator[Unanswered]:
    """The sound videos that get no prediction, by the champions that there are or by the one moment asked for."""
    hours = request.early_max_age_hours
    if moment is None:
        left = moments_of(request, servings).filter(pl.col("moment").is_null())
        for video_id, natural in left.select("video_id", "naturally").rows():
            yield Unanswered(video_id, NO_PREDICTION, f"Videos {UNSERVED[Moment(natural)].format(hours=hours)}.")
        return
    latest, usable = request.latest(), usable_rows(request, moment)
    if usable.height == latest.height:
        return
    left = latest.join(usable, on=["platform", "video_id"], how="anti")
    for video_id in left["video_id"].to_list():
        needed = NEEDS[moment].format(hours=hours)
        yield Unanswered(video_id, NO_PREDICTION, f"The moment {moment.value} needs {needed}.")
