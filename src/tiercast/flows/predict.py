"""Prediction: canonical rows through the champions, one answer a video, each at the moment it is in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import RelativeTo
from tiercast.core.tiers import score as score_of
from tiercast.flows.kept import Kept
from tiercast.flows.model_store import champion
from tiercast.learn.circumstances import StorePast
from tiercast.learn.describe import OF_THE_CREATOR, Past
from tiercast.learn.history import CreatorPast
from tiercast.learn.predictor import Asked, Predictor
from tiercast.learn.reasons import MOST_VIDEOS, Reason, reasons
from tiercast.learn.references import ALL
from tiercast.learn.timeline import History, Timeline
from tiercast.ports import ObjectStore, PromotionLog, VideoHistory

UNKNOWN = "unknown"
"""Stands for the platform of a row that names none; no feature rests on it, and answers give null."""

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
        age, hours = pl.col("scraped_at") - pl.col("published_at"), timedelta(hours=self.early_max_age_hours)
        return MEASURED & (age > timedelta()) & (age <= hours)


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
    return rows.select("platform", "author").drop_nulls().unique(maintain_order=True).rows()


def moments_of(request: Request, servings: Mapping[Moment, Serving]) -> pl.DataFrame:
    """The latest rows with the moment each is in ``naturally``, and the ``moment`` that answers it; null: none does."""
    natural = (
        pl.when(~MEASURED.fill_null(value=False))
        .then(pl.lit(Moment.DRAFT.value))
        .when(request.is_early().fill_null(value=False))
        .then(pl.lit(Moment.EARLY.value))
        .otherwise(pl.lit(Moment.OBSERVED.value))
    )
    answers = {
        moment.value: next((each.value for each in richer if each in servings), None)
        for moment, richer in RICHER_FIRST.items()
    }
    return request.latest().with_columns(
        naturally=natural, moment=natural.replace_strict(answers, return_dtype=pl.String)
    )


def usable_rows(request: Request, moment: Moment) -> pl.DataFrame:
    """The latest rows that this moment can be asked about; see ``NEEDS``."""
    latest = request.latest()
    if moment is Moment.OBSERVED:
        return latest.filter(MEASURED)
    return request.latest_early() if moment is Moment.EARLY else latest


def predict_all(
    request: Request, servings: Mapping[Moment, Serving], *, with_reasons: bool = False, keep: Keep = nobody_keeps
) -> list[dict[str, Any]]:
    """One prediction for each video that some champion can answer, in the order of the request."""
    placed = moments_of(request, servings).with_row_index("place")
    if with_reasons:
        _refuse_reasons_for_many(placed["moment"].count())
    answers: dict[int, dict[str, Any]] = {}
    for moment, serving in servings.items():
        rows = placed.filter(pl.col("moment") == moment.value)
        told = predict(rows, serving, request, with_reasons=with_reasons, keep=keep)
        answers |= dict(zip(rows["place"].to_list(), told, strict=True))
    return [answers[place] for place in sorted(answers)]


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
    told = reasons(serving.predictor, asked, medians) if with_reasons else [None] * rows.height
    answers = list(_answers(rows, asked, serving, told))
    keep(Kept(rows["author"], asked, answers, serving.moment, serving.release.id, request.now))
    return answers


def _refuse_reasons_for_many(videos: int) -> None:
    if videos > MOST_VIDEOS:
        raise InvalidInput(
            f"Reasons are given for at most {MOST_VIDEOS} videos at a time; these are {videos:,}. Ask for fewer."
        )


def ask(rows: pl.DataFrame, serving: Serving, request: Request) -> Asked:
    """The rows as the champion's model sees them."""
    if serving.moment is Moment.OBSERVED:
        return serving.predictor.observed(rows)
    now = pl.lit(request.now).cast(pl.Datetime("us", "UTC"))
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


def _answers(
    rows: pl.DataFrame, asked: Asked, serving: Serving, told: Sequence[Sequence[Reason] | None]
) -> Iterable[dict[str, Any]]:
    manifest, predictor = serving.release.manifest, serving.predictor
    probabilities = predictor.probabilities(asked)
    threshold = manifest.confidence_threshold
    confident = probabilities.max(axis=1) >= (np.inf if threshold is None else threshold)
    columns = zip(
        rows["platform"].to_list(),
        rows["video_id"].to_list(),
        probabilities.tolist(),
        confident.tolist(),
        predictor.missing(asked),
        _ranges(asked, predictor),
        asked.groups or [None] * rows.height,
        told,
        strict=True,
    )
    for platform, video_id, shares, sure, missing, (interval, multiple), group, why in columns:
        answer = {
            "platform": None if platform == UNKNOWN else platform,
            "video_id": video_id,
            "moment": manifest.moment.value,
            "tier": 1 + max(range(len(shares)), key=shares.__getitem__),
            "probabilities": shares,
            "confident": sure,
            "score": score_of(shares),
            "release": serving.release.id,
            "missing": missing,
            "views_interval": interval,
            "relative_to": _relative_to(group, predictor),
            "relative_to_group": group,
            "creator_relative": multiple,
            "label": manifest.label,
            "marks": list(manifest.marks),
            "horizon_days": manifest.settings.get("horizon_days"),
            "newest_training_video_at": manifest.newest_training_video_at,
        }
        if why is not None:
            answer["reasons"] = _reasons_document(why)
        yield answer


def _relative_to(group: str | None, predictor: Predictor) -> str | None:
    """What the tier is relative to: as the release was trained, or what this video fell back to."""
    if group is None or predictor.reference is None:
        return None
    wanted = predictor.reference.relative_to
    if group == ALL or wanted is RelativeTo.CREATOR:
        return group
    return RelativeTo.COHORT.value if "," in group else RelativeTo.PLATFORM.value


def _ranges(asked: Asked, predictor: Predictor) -> list[tuple[list[int] | None, float | None]]:
    """The 80 % range of each video's views, and its middle over the creator's usual views."""
    found = predictor.blend.views_range(asked.inputs)
    if found is None:
        return [(None, None)] * len(asked.inputs)
    unknown = np.full(len(found), np.nan)
    usual = unknown if asked.usual is None else asked.usual
    multiples = np.exp(np.log1p(found[:, 1]) - usual).tolist()
    return [
        ([int(np.floor(low)), int(np.ceil(high))], None if np.isnan(multiple) else round(multiple, 2))
        for (low, _, high), multiple in zip(found.tolist(), multiples, strict=True)
    ]


def _reasons_document(why: Sequence[Reason]) -> dict[str, list[dict[str, object]]]:
    """Apart by what the creator can still change and what not."""
    parts: dict[str, list[dict[str, object]]] = {"changeable": [], "given": []}
    for reason in why:
        parts["changeable" if reason.feature.changeable else "given"].append(
            {
                "feature": reason.feature.name,
                "meaning": reason.feature.meaning,
                "unit": reason.feature.unit,
                "value": reason.value,
                "usual": reason.usual,
                "effect": reason.effect,
            }
        )
    return parts
