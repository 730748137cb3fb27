"""What a replay asks its champions: every video that came after, as it stood when it would have been asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import tier_edges
from tiercast.flows.forecast_rows import ForecastPlan
from tiercast.flows.forecast_set import Build, assemble
from tiercast.learn.carry import carried
from tiercast.learn.describe import OF_THE_CREATOR, Past
from tiercast.learn.exam import Known, tiers_at
from tiercast.learn.predictor import Asked, Predictor
from tiercast.learn.references import log_edges
from tiercast.learn.timeline import History, Timeline, creator_numbers
from tiercast.ports.videos import VideoHistory, VideoStore

KEY = ("platform", "video_id")
EVERYTHING = 1 << 40
"""More videos than any store holds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Questions:
    """Rows to ask about ``(n,)``, oldest question first, and what came of them."""

    moment: Moment
    rows: pl.DataFrame
    """Canonical rows; forecasts with ``asked_at``, up to when earlier posts are known."""
    at: pl.Series
    """When each is asked: as it was posted, or (``early``) as it was observed."""
    views: NDArray[np.int64]
    """The views that label them."""
    creators: NDArray[np.int64]

    @classmethod
    def of(
        cls, whole: tuple[VideoStore, VideoHistory], moment: Moment, plan: ForecastPlan, span: tuple[datetime, datetime]
    ) -> "Questions":  # fmt: skip
        """Those of the whole store asked after the first and up to the second time."""
        videos, history = whole
        rows = _observed(videos) if moment is Moment.OBSERVED else _forecast(history.everything(), moment, plan)
        rows = rows.filter(pl.col("at") > span[0], pl.col("at") <= span[1]).sort("at", *KEY)
        return cls(
            moment=moment,
            rows=rows.drop("at", "label_views"),
            at=rows["at"],
            views=rows["label_views"].to_numpy().astype(np.int64),
            creators=creator_numbers(rows),
        )

    def between(self, after: datetime, until: datetime) -> slice:
        """Those asked after the one and up to the other time."""
        first, last = (int(self.at.search_sorted(time, side="right")) for time in (after, until))
        return slice(first, last)

    def edges(self) -> tuple[int, ...]:
        """The tier edges of all of them, in views; none without any."""
        return tier_edges(self.views.tolist()) if len(self.views) else ()


def _observed(videos: VideoStore) -> pl.DataFrame:
    """Each video with its latest observation, which is also its label."""
    rows = videos.latest(limit=None, likes_known=True).drop_nulls("published_at")
    return rows.with_columns(at=pl.col("published_at"), label_views=pl.col("views"))


def _forecast(everything: pl.DataFrame, moment: Moment, plan: ForecastPlan) -> pl.DataFrame:
    """Each row that has a label by now, as training takes them; of the creator what was measured with it."""
    dated = everything.drop_nulls("published_at")
    found = assemble(dated, moment, plan, max_videos=EVERYTHING, build=Build(min_videos=1, test_share=1.0)).rows
    if found is None:
        return dated.head(0).with_columns(at="published_at", asked_at="published_at", label_views="views")
    measured = dated.select(*KEY, "scraped_at", *OF_THE_CREATOR)
    rows = found.drop(OF_THE_CREATOR).join(measured, on=[*KEY, "scraped_at"], how="left")
    return rows.select(
        *dated.columns,
        "asked_at",
        "label_views",
        at="scraped_at" if moment is Moment.EARLY else "published_at",
    )


@dataclass(frozen=True)
class Examiner:
    """Asks releases, and carries what they say to one set of edges; ``observations`` is the whole store's history."""

    questions: Questions
    observations: pl.DataFrame
    log_edges: Floats
    """The four edges in ln(views + 1), see ``references.log_edges``."""
    _pasts: dict[tuple[History, float], Past] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Questions, observations: pl.DataFrame) -> "Examiner":
        """With the edges of all of the questions."""
        return cls(questions, observations, log_edges(np.array(questions.edges(), dtype=np.float64)))

    def tiers(self, part: slice) -> NDArray[np.int64]:
        """What came of these questions."""
        return tiers_at(self.questions.views[part], self.log_edges)

    def answers(self, release: Release, part: slice) -> tuple[Floats, Known]:
        """Tier probabilities (n, n_tiers) as the release would have told them then, and what naive rivals would know.

        Everything earlier that a forecast rests on counts from when it was known: later posts and scrapes are there,
        and out of reach.
        """
        predictor, manifest = Predictor.of(release), release.manifest
        asked = self._asked(predictor, manifest.settings, part)
        told, own = predictor.probabilities(asked), asked.inputs.edges
        known = Known(asked.usual, asked.inputs.start if self.questions.moment is Moment.EARLY else None)
        if own is None or manifest.log_views_range is None:
            return told, known
        low, high = log_edges(np.exp(np.array(manifest.log_views_range))).tolist()
        return carried(told, own, (low, high), np.broadcast_to(self.log_edges, own.shape)), known

    def _asked(self, predictor: Predictor, settings: Mapping[str, object], part: slice) -> Asked:
        rows = self.questions.rows[part]
        if self.questions.moment is Moment.OBSERVED:
            return predictor.observed(rows)
        history: History = "as_scraped" if settings.get("history") == "as_scraped" else "observed"
        past = self._past(history, float(str(settings["embargo_days"])))
        if self.questions.moment is Moment.EARLY:
            return predictor.forecast(rows, past, seen=self._seen(rows))
        if history == "observed":  # what is said of the creator was measured after the posting
            rows = rows.with_columns(pl.lit(None, dtype=rows.schema[name]).alias(name) for name in OF_THE_CREATOR)
        return predictor.forecast(rows, past)

    def _past(self, history: History, embargo_days: float) -> Past:
        if (history, embargo_days) not in self._pasts:
            timeline = Timeline.of(self.observations, history=history, embargo_days=embargo_days)
            self._pasts[history, embargo_days] = Past.of(timeline)
        return self._pasts[history, embargo_days]

    def _seen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The observations up to each row's own."""
        asked = rows.select(*KEY, until="scraped_at").with_row_index("row")
        measured = self.observations.filter(pl.col("views") > 0)
        return measured.join(asked, on=KEY).filter(pl.col("scraped_at") <= pl.col("until")).drop("until")
