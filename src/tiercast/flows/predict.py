"""Prediction: canonical rows through the champions, one answer a video, each at the moment it is in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final

import polars as pl

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.answers import UNKNOWN, answers
from tiercast.flows.kept import Kept
from tiercast.flows.model_store import champion
from tiercast.intake.times import instant
from tiercast.learn.circumstances import StorePast
from tiercast.learn.describe import OF_THE_CREATOR, Past
from tiercast.learn.history import CreatorPast
from tiercast.learn.predictor import Asked, Predictor
from tiercast.learn.reasons import MOST_VIDEOS, reasons
from tiercast.learn.timeline import History, Timeline
from tiercast.ports.models import ObjectStore, PromotionLog
from tiercast.ports.videos import VideoHistory

__all__ = [
    "MEASURED", "NEEDS", "RICHER_FIRST", "UNKNOWN", "UNSERVED", "Request", "Serving", "Videos", "ask", "creators_of",
    "latest_of_each", "load_champion", "load_champions", "moments_of", "predict", "predict_all", "usable_rows",
    "with_platforms_of_creators",
]  # fmt: skip

RICHER_FIRST: Final = {
    Moment.DRAFT: (Moment.DRAFT,),
    Moment.EARLY: (Moment.EARLY, Moment.OBSERVED, Moment.DRAFT),
    Moment.OBSERVED: (Moment.OBSERVED, Moment.DRAFT),
}
"""By the moment that a video is in: whose champion answers, the one that knows most of such a video first."""
NEEDS: Final = {
    Moment.OBSERVED: "views above 0",
    Moment.EARLY: "a posting time and an observation with views at most {hours:g} hours after it",
    Moment.DRAFT: "nothing but a video_id",
}
UNSERVED: Final = {
    Moment.DRAFT: "without views get no prediction: no model serves draft",
    Moment.OBSERVED: (
        "not observed within {hours:g} hours after posting get no prediction: no model serves observed or draft"
    ),
}
"""By the moment that a video is in: what is said where nobody answers; whichever moment is served answers ``early``."""

MEASURED: Final = pl.col("views") > 0
Videos = Callable[[], VideoHistory]
Keep = Callable[[Kept], None]


def nobody_keeps(_kept: Kept) -> None:
    """For those who predict and serve nobody."""


@dataclass(frozen=True)
class Serving:
    """The champion of a moment, loaded, what stood in the way of newer ones, and where it reads history."""

    release: Release
    predictor: Predictor
    warnings: Sequence[str]
    videos: Videos
    """Opened for a forecast only: ``observed`` answers also where the video store is out of reach."""

    @property
    def moment(self) -> Moment:
        """The moment it predicts."""
        return self.release.manifest.moment

    @property
    def history(self) -> History:
        """How its training took earlier posts."""
        return "as_scraped" if self.release.manifest.settings.get("history") == "as_scraped" else "observed"

    @cached_property
    def store(self) -> StorePast:
        """How everybody's newest posts had done, read once: who serves for long makes a new Serving now and then."""
        recent = self.videos().recent(limit=int(self.release.manifest.settings["history_videos"]))
        return StorePast.of(self._timeline(recent))

    def past(self, rows: pl.DataFrame) -> Past:
        """What the store knows of these rows' creators, and of everybody's newest posts."""
        earlier, key = self.videos().of_creators(creators_of(rows)), ["platform", "video_id"]
        undated = rows.filter(pl.col("published_at").is_null()).select(key)
        if not undated.is_empty():  # asked as of now, a post that is stored already would be its own history
            earlier = earlier.join(undated, on=key, how="anti", maintain_order="left")
        return Past(CreatorPast.of(self._timeline(earlier)), self.store)

    def _timeline(self, rows: pl.DataFrame) -> Timeline:
        embargo_days = float(self.release.manifest.settings["embargo_days"])
        return Timeline.of(rows, history=self.history, embargo_days=embargo_days)


@dataclass(frozen=True, slots=True)
class Request:
    """Videos to predict: every observation given, canonical rows, and when it is asked."""

    rows: pl.DataFrame
    now: datetime
    early_max_age_hours: float

    def latest(self) -> pl.DataFrame:
        """One row a video, in the order in which they first appear."""
        return latest_of_each(self.rows)

    def early(self) -> pl.DataFrame:
        """The observations that are early."""
        return self.rows.filter(self.is_early())

    def latest_early(self) -> pl.DataFrame:
        """The last early observation of each video that has one, in the order in which videos first appear."""
        return latest_of_each(self.rows, preferred=self.is_early()).filter(self.is_early())

    def is_early(self) -> pl.Expr:
        """Whether an observation was made within the first hours, as training took them."""
        return _early_within(self.early_max_age_hours)


@lru_cache(maxsize=8)  # one question after the other asks of the same hours
def _early_within(hours: float) -> pl.Expr:
    age = pl.col("scraped_at") - pl.col("published_at")
    return MEASURED & (age > timedelta()) & (age <= timedelta(hours=hours))


def load_champion(objects: ObjectStore, log: PromotionLog | None, moment: Moment, videos: Videos) -> Serving:
    """The release that serves; raises Missing where there is none, never a made-up answer."""
    serving = champion(objects, log, moment)
    if serving is None:
        raise Missing(
            f"No model serves the moment {moment.value} yet, so nothing can be predicted. Ingest videos and run "
            "'tiercast retrain'; a candidate that passes the gate then serves."
        )
    return Serving(serving.release, Predictor.of(serving.release), serving.warnings, videos)


def load_champions(objects: ObjectStore, log: PromotionLog | None, videos: Videos) -> dict[Moment, Serving]:
    """Every moment's champion; raises Missing where no moment has one."""
    found = {moment: champion(objects, log, moment) for moment in Moment}
    servings = {
        moment: Serving(serving.release, Predictor.of(serving.release), serving.warnings, videos)
        for moment, serving in found.items()
        if serving is not None
    }
    if not servings:
        raise Missing(
            "No model serves any moment yet, so nothing can be predicted. Ingest videos and run 'tiercast retrain'; a "
            "candidate that passes the gate then serves."
        )
    return servings


def latest_of_each(rows: pl.DataFrame, *, preferred: pl.Expr = MEASURED) -> pl.DataFrame:
    """One row a video, the last scraped of the preferred ones if it has any, in the order in which videos first appear.

    A scrape that found no views does not undo what earlier ones measured.
    """
    if rows["video_id"].n_unique() == rows.height:
        return rows
    ranked = rows.with_row_index("first").with_columns(preferred=preferred.fill_null(value=False))
    newest_last = ranked.sort("preferred", "scraped_at", maintain_order=True)
    key = ("platform", "video_id")
    one = newest_last.group_by(key, maintain_order=True).agg(pl.all().exclude("first").last(), pl.col("first").min())
    return one.sort("first").select(rows.columns)


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


def creators_of(rows: pl.DataFrame) -> list[tuple[str, str]]:
    """The (platform, author) pairs of some rows, each once."""
    pairs = dict.fromkeys(zip(rows["platform"].to_list(), rows["author"].to_list(), strict=True))
    return [pair for pair in pairs if None not in pair]


def moments_of(request: Request, servings: Mapping[Moment, Serving]) -> pl.DataFrame:
    """The latest rows with the moment each is in ``naturally``, and the ``moment`` that answers it; null: none does."""
    latest = request.latest()
    is_early, measured = latest.select(request.is_early().alias("early"), MEASURED.alias("measured"))
    natural = [
        Moment.DRAFT if not views else Moment.EARLY if early else Moment.OBSERVED
        for views, early in zip(measured.to_list(), is_early.to_list(), strict=True)
    ]
    answering = {
        moment: next((each.value for each in richer if each in servings), None)
        for moment, richer in RICHER_FIRST.items()
    }
    return latest.with_columns(
        pl.Series("naturally", [moment.value for moment in natural], dtype=pl.String),
        pl.Series("moment", [answering[moment] for moment in natural], dtype=pl.String),
    )


def usable_rows(request: Request, moment: Moment) -> pl.DataFrame:
    """The latest rows that this moment can be asked about; see ``NEEDS``."""
    latest = request.latest()
    if moment is Moment.OBSERVED:
        return latest if (latest["views"] > 0).all(ignore_nulls=False) else latest.filter(MEASURED)
    return request.latest_early() if moment is Moment.EARLY else latest


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
