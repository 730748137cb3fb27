"""Champions made ready to answer, and who of them may."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from tiercast.core.errors import InvalidInput, Missing, NoChampion
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.model_store import Champion, champion
from tiercast.learn.circumstances import StorePast
from tiercast.learn.describe import Past
from tiercast.learn.history import CreatorPast
from tiercast.learn.predictor import Predictor
from tiercast.learn.timeline import History, Timeline
from tiercast.ports.models import ObjectStore, PromotionLog
from tiercast.ports.videos import VideoHistory

Videos = Callable[[], VideoHistory]


@dataclass(frozen=True)
class Serving:
    """The champion of a moment, loaded, what stood in the way of newer ones, and where it reads history."""

    release: Release
    predictor: Predictor
    warnings: Sequence[str]
    videos: Videos
    """Opened for a forecast only: ``observed`` answers also where the video store is out of reach."""

    @classmethod
    def of(cls, champion: Champion, videos: Videos) -> "Serving":
        """The champion of the promotion log, loaded; raises InvalidInput where this version cannot."""
        return cls(champion.release, Predictor.of(champion.release), champion.warnings, videos)

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
class Roster:
    """Who serves, and of the moments that only damaged releases were promoted for, what is wrong."""

    servings: Mapping[Moment, Serving]
    damage: Mapping[Moment, str]

    @classmethod
    def load(
        cls, objects: ObjectStore, log: PromotionLog | None, videos: Videos, moments: Iterable[Moment] = Moment
    ) -> "Roster":
        """Those of the promotion log; damage of one moment keeps no other from serving. Raises Unavailable."""
        servings, damage = dict[Moment, Serving](), dict[Moment, str]()
        for moment in moments:
            try:
                found = champion(objects, log, moment)
                if found is not None:
                    servings[moment] = Serving.of(found, videos)
            except (InvalidInput, Missing) as error:
                damage[moment] = str(error)
        return cls(servings, damage)

    def answering(self, moment: Moment | None) -> Mapping[Moment, Serving]:
        """Those that may answer; raises NoChampion where there is none, never a made-up answer."""
        return answering(moment, self.servings, self.damage)


def answering(
    moment: Moment | None, servings: Mapping[Moment, Serving], damaged: Collection[Moment]
) -> Mapping[Moment, Serving]:
    """The champions that may answer; raises NoChampion where there is none, never a made-up answer."""
    found = servings if moment is None else {each: servings[each] for each in servings if each is moment}
    if found:
        return found
    which = "any moment" if moment is None else f"the moment {moment.value}"
    there = f" Served: {', '.join(each.value for each in servings)}." if servings else ""
    if damaged if moment is None else moment in damaged:
        raise NoChampion(
            f"No model serves {which}: what was promoted for it is damaged.{there} `tiercast doctor` says what is "
            "wrong; restore the model store from a copy, or promote a new release with `tiercast retrain`."
        )
    raise NoChampion(
        f"No model serves {which} yet, so nothing can be predicted.{there} Ingest videos and run 'tiercast retrain'; "
        "a candidate that passes the gate then serves."
    )


def creators_of(rows: pl.DataFrame) -> list[tuple[str, str]]:
    """The (platform, author) pairs of some rows, each once."""
    pairs = dict.fromkeys(zip(rows["platform"].to_list(), rows["author"].to_list(), strict=True))
    return [pair for pair in pairs if None not in pair]
