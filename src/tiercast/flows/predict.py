"""Prediction: canonical rows through the champions, one answer a video, each at the moment it is in."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.flows.answers import UNKNOWN, answers
from tiercast.flows.asked import Request, moments_of, usable_rows
from tiercast.flows.champions import Serving
from tiercast.flows.kept import Kept
from tiercast.intake.times import instant
from tiercast.learn.describe import OF_THE_CREATOR
from tiercast.learn.predictor import Asked
from tiercast.learn.reasons import MOST_VIDEOS, reasons
from tiercast.learn.timeline import History
from tiercast.ports.videos import VideoHistory

Keep = Callable[[Kept], None]


def nobody_keeps(_kept: Kept) -> None:
    """For those who predict and serve nobody."""


def with_platforms_of_creators(rows: pl.DataFrame, videos: VideoHistory) -> pl.DataFrame:
    """The rows, where none is named with the platform of the stored creator of that handle, if there is just one."""
    nameless = rows.filter(pl.col("platform") == UNKNOWN)
    found = videos.platforms_of(nameless["author"].drop_nulls().unique(maintain_order=True).to_list())
    if not found:
        return rows
    stored = pl.col("author").replace_strict(found, default=UNKNOWN, return_dtype=pl.String)
    return rows.with_columns(
        platform=pl.when((pl.col("platform") == UNKNOWN) & pl.col("author").is_not_null())
        .then(stored)
        .otherwise("platform")
    )


def predict_at(
    moment: Moment | None,
    request: Request,
    servings: Mapping[Moment, Serving],
    *,
    with_reasons: bool = False,
    keep: Keep = nobody_keeps,
) -> list[dict[str, Any]]:
    """One prediction for each video that can be asked at that moment; without one, each at the richest it allows."""
    if moment is None:
        return predict_all(request, servings, with_reasons=with_reasons, keep=keep)
    return predict(usable_rows(request, moment), servings[moment], request, with_reasons=with_reasons, keep=keep)


def predict_all(
    request: Request, servings: Mapping[Moment, Serving], *, with_reasons: bool = False, keep: Keep = nobody_keeps
) -> list[dict[str, Any]]:
    """One prediction for each video that some champion can answer, in the order of the request."""
    placed = moments_of(request, servings)
    if with_reasons:
        _refuse_reasons_for_many(placed["moment"].count())
    places: dict[str | None, list[int]] = {}
    for place, moment in enumerate(placed["moment"].to_list()):
        places.setdefault(moment, []).append(place)
    told: dict[int, dict[str, Any]] = {}
    for moment, serving in servings.items():
        own = places.get(moment.value, [])
        rows = placed if len(own) == placed.height else placed[own]
        told |= zip(own, predict(rows, serving, request, with_reasons=with_reasons, keep=keep), strict=True)
    return [told[place] for place in sorted(told)]


def predict(
    rows: pl.DataFrame, serving: Serving, request: Request, *, with_reasons: bool = False, keep: Keep = nobody_keeps
) -> list[dict[str, Any]]:
    """One prediction for each of these rows, in order, as ``predict --json`` gives it.

    Raises InvalidInput where reasons are asked for more than 100 videos.
    """
    if rows.is_empty():
        return []
    if with_reasons:
        _refuse_reasons_for_many(rows.height)
    asked = ask(rows, serving, request)
    medians = [feature.median for feature in serving.release.manifest.features]
    told = reasons(serving.predictor, asked, medians) if with_reasons else None
    answered = answers(rows, asked, serving.release, serving.predictor, told)
    keep(Kept(rows["author"], asked, answered, serving.moment, serving.release.id, request.now))
    return answered


def _refuse_reasons_for_many(videos: int) -> None:
    if videos > MOST_VIDEOS:
        raise InvalidInput(
            f"Reasons are given for at most {MOST_VIDEOS} videos at a time; these are {videos:,}. Ask for fewer."
        )


def ask(rows: pl.DataFrame, serving: Serving, request: Request) -> Asked:
    """The rows as the champion's model sees them."""
    if serving.moment is Moment.OBSERVED:
        return serving.predictor.observed(rows)
    now = instant(request.now)
    dated = rows.with_columns(asked_at=pl.min_horizontal(pl.col("published_at").fill_null(now), now))
    past = serving.past(rows)
    if serving.moment is Moment.EARLY:
        places = rows.select("platform", "video_id").with_row_index("row")
        seen = request.early().join(places, on=["platform", "video_id"])
        return serving.predictor.forecast(dated, past, seen=seen)
    return serving.predictor.forecast(_as_before_posting(dated, serving.history), past)


def _as_before_posting(rows: pl.DataFrame, history: History) -> pl.DataFrame:
    """What is said of the creator of a post that is up already was measured after it; history as scraped takes it."""
    if history == "as_scraped":
        return rows
    to_come = pl.col("views").is_null() | (pl.col("scraped_at") <= pl.col("asked_at"))
    return rows.with_columns(pl.when(to_come).then(name).alias(name) for name in OF_THE_CREATOR)
