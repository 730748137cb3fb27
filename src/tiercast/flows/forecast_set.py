"""Training sets of the forecasts ``draft`` and ``early``: labels that matured, history cut at each row's instant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.flows.forecast_rows import (
    DAY_US,
    ForecastPlan,
    asking_rows,
    first_maturing,
    label_rule,
    mature_at,
    scraped_once,
)
from tiercast.learn.describe import OF_THE_CREATOR, Described, Past, describe
from tiercast.learn.history import EMBARGO_DAYS
from tiercast.learn.labels import label_views
from tiercast.learn.models import Inputs
from tiercast.learn.references import Standpoint, TierReference, cut_reference, log_edges
from tiercast.learn.splits import TimeSplit, time_split
from tiercast.learn.timeline import History, Timeline, creator_numbers
from tiercast.learn.training_set import Timing, TrainingSet

LABELS_AS_SCRAPED: Final = "labels as scraped"
HISTORY_AS_SCRAPED: Final = "history as of scrape"
VALIDATED_AS_SCRAPED: Final = "validation labels as scraped"
LABELS_OF_ANY_AGE: Final = "labels of any age"


@dataclass(frozen=True, slots=True)
class Assembly:
    """What became of the store's videos on the way to a training set."""

    moment: Moment
    training_set: TrainingSet | None
    posts: int
    """Dated videos with views."""
    candidates: int
    """Rows that could be asked: posts, or for ``early`` their early observations."""
    labelled: int
    how: Mapping[str, int]
    """Labelled rows by how their label came about."""
    first_matures_at: datetime | None
    """When the next scrape can bring the first of the labels that are still to come; None where none is."""
    history: History
    embargo_days: float
    marks: tuple[str, ...]
    """What the release has to say of itself: labels or history as scraped, labels of any age."""
    split: TimeSplit | None = None
    label_age_days: Mapping[str, tuple[float, float, float]] | None = None
    """10 %, 50 % and 90 % points of the labels' ages by side."""
    rows: pl.DataFrame | None = None
    """The rows of the training set, in its order: who asked, and when."""
    known_history: float | None = None
    """Share of the rows whose creator had an earlier post that was known by then."""
    earlier_posts: float | None = None
    """Share of the rows whose creator has an earlier post in the store, however late it was measured."""
    usual: NDArray[np.float64] | None = None
    """ln(views + 1) that each row's creator usually had by then."""
    embargoed: Described | None = None
    """The test rows as they would be had nothing been known of posts younger than three days."""


@dataclass(frozen=True, slots=True)
class Build:
    """What a training set needs beyond the plan."""

    min_videos: int
    """Fewer labelled rows give none."""
    test_share: float


def assemble(
    rows: pl.DataFrame, moment: Moment, plan: ForecastPlan, *, max_videos: int, build: Build | None = None
) -> Assembly:
    """From every observation (canonical rows) to the training set of a forecast; without ``build`` labels only."""
    once = scraped_once(rows)
    history: History = ("as_scraped" if once else "observed") if plan.history == "auto" else plan.history
    rule = label_rule(plan, once=once)
    measured = rows.filter(pl.col("views") > 0).drop_nulls(["published_at", "scraped_at"])
    asking, seen, observed = asking_rows(measured, moment, plan)
    labels = label_views(observed, rule).join(mature_at(observed, plan), on="row", how="left")
    labelled = asking.join(labels, on="row", how="left", maintain_order="left").rename({"views_right": "label_views"})
    unlabelled = labelled.filter(pl.col("label_views").is_null())
    labelled = labelled.filter(pl.col("label_views").is_not_null())
    labelled = labelled.sort("published_at", "platform", "video_id", "asked_at", descending=[True, False, False, False])
    labelled = labelled.head(max_videos)
    marks = [HISTORY_AS_SCRAPED] if history == "as_scraped" else []
    marks += [LABELS_OF_ANY_AGE] if rule.max_age_days is None else []
    assembly = Assembly(
        moment=moment,
        training_set=None,
        posts=measured.select(pl.struct("platform", "video_id").n_unique()).item(),
        candidates=asking.height,
        labelled=labelled.height,
        how=dict(sorted(labelled["how"].value_counts().rows())),
        first_matures_at=first_maturing(unlabelled, measured),
        history=history,
        embargo_days=plan.embargo_days,
        marks=tuple(marks),
    )
    if build is None or labelled.height < build.min_videos:
        return assembly
    return _with_training_set(assembly, _Found(labelled, measured, seen), plan, build)


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows that have a label, everything that was measured, and what early rows have seen."""

    labelled: pl.DataFrame
    measured: pl.DataFrame
    seen: pl.DataFrame | None


def _with_training_set(assembly: Assembly, found: _Found, plan: ForecastPlan, build: Build) -> Assembly:
    moment, labelled, measured, seen = assembly.moment, found.labelled, found.measured, found.seen
    labelled = labelled.with_columns(label_at=pl.max_horizontal("label_at", "mature_at"))
    posted, known = _micros(labelled["published_at"]), _micros(labelled["label_at"])
    horizon = int(plan.horizon_days * DAY_US)
    split = time_split(
        posted, known, horizon, share=build.test_share, known=plan.known_at, min_training=build.min_videos
    )
    kept = labelled.filter(pl.Series(split.is_training | split.is_test)).with_columns(
        side=pl.Series(np.where(split.is_test, "test", "training")[split.is_training | split.is_test])
    )
    kept = kept.sort("published_at", "platform", "video_id", "asked_at", "scraped_at")
    if split.rule == "as_scraped":
        assembly = replace(assembly, marks=(*assembly.marks, LABELS_AS_SCRAPED))
    kept = _creator_as_known(kept, moment, assembly.history)
    own = _own(seen, kept)
    described = describe(kept, _past(measured, assembly.history, plan.embargo_days), moment, seen=own)
    embargoed = None
    if assembly.history == "as_scraped":
        test = kept.filter(pl.col("side") == "test")
        later = _past(measured, assembly.history, max(plan.embargo_days, EMBARGO_DAYS))
        embargoed = describe(test, later, moment, seen=_own(seen, test))
    training_set = _training_set(kept, described, split, moment, plan)
    if training_set.folds(seed=0) and training_set.falls_back():
        assembly = replace(assembly, marks=(*assembly.marks, VALIDATED_AS_SCRAPED))
    return replace(
        assembly,
        training_set=training_set,
        split=split,
        label_age_days=_label_ages(kept),
        rows=kept,
        known_history=float(np.mean(described.posts > 0)),
        earlier_posts=_earlier_posts(kept, measured),
        usual=described.usual,
        embargoed=embargoed,
    )


def _earlier_posts(kept: pl.DataFrame, measured: pl.DataFrame) -> float:
    first = measured.group_by("platform", "author").agg(first_at=pl.col("published_at").min())
    told = kept.select("platform", "author", "published_at").join(first, on=["platform", "author"], how="left")
    return float(told.select((pl.col("first_at") < pl.col("published_at")).fill_null(value=False).mean()).item())


def _past(measured: pl.DataFrame, history: History, embargo_days: float) -> Past:
    return Past.of(Timeline.of(measured, history=history, embargo_days=embargo_days))


def _own(seen: pl.DataFrame | None, kept: pl.DataFrame) -> pl.DataFrame | None:
    """The observations that these rows have seen, by their place among them."""
    if seen is None:
        return None
    places = kept.select(pl.col("row").alias("asking")).with_row_index("place")
    return seen.join(places, left_on="row", right_on="asking").drop("row").rename({"place": "row"})


def _creator_as_known(kept: pl.DataFrame, moment: Moment, history: History) -> pl.DataFrame:
    """Followers measured with the row's own observation: known early, before posting only in history as scraped."""
    if moment is Moment.EARLY or history == "as_scraped":
        return kept
    return kept.with_columns(pl.lit(None, dtype=kept.schema[name]).alias(name) for name in OF_THE_CREATOR)


def _training_set(
    kept: pl.DataFrame, described: Described, split: TimeSplit, moment: Moment, plan: ForecastPlan
) -> TrainingSet:
    is_test = (kept["side"] == "test").to_numpy()
    views = kept["label_views"].to_numpy().astype(np.int64)
    standpoint = Standpoint(kept["platform"].to_list(), described.followers, described.usual, described.posts)
    reference = _reference(views, standpoint, ~is_test, plan)
    posted = _micros(kept["published_at"])
    known = _micros(kept["label_at"]) if split.rule == "strict" else posted + int(plan.horizon_days * DAY_US)
    newest = kept.filter(pl.col("side") == "training")["published_at"].max()
    identities = kept.select("platform", "video_id", pl.col("scraped_at").dt.epoch("us").cast(pl.String)).rows()
    return TrainingSet(
        moment=moment,
        inputs=Inputs(described.X, log_edges(reference.edges_of(standpoint)), described.start),
        unknown=described.unknown,
        tiers=reference.tiers(views, standpoint),
        weights=np.ones(kept.height),
        is_test=is_test,
        identities=identities,
        creators=creator_numbers(kept),
        label="views",
        views=views,
        reference=reference,
        timing=Timing(posted, known, _otherwise_known(posted, plan)),
        newest_video_at=newest.isoformat() if newest is not None else None,  # type: ignore[union-attr]
        standpoint=standpoint,
        posted_at=posted,
    )


def _otherwise_known(posted: NDArray[np.int64], plan: ForecastPlan) -> tuple[NDArray[np.int64], ...]:
    """When labels count as known in validation, where those known in time are too few; strict knows no otherwise.

    From the horizon on; and where the newest videos span little more than it, from the posting on: still by time.
    """
    return () if plan.known_at == "strict" else (posted + int(plan.horizon_days * DAY_US), posted)


def _reference(
    views: NDArray[np.int64], rows: Standpoint, training: NDArray[np.bool_], plan: ForecastPlan
) -> TierReference:
    """Edges from the training rows only."""
    if not training.any():
        training = np.ones(len(views), dtype=bool)  # D102 then says that no tier has training rows
    own = np.flatnonzero(training)
    return cut_reference(views[own], rows[own], plan.relative_to, min_cohort=plan.min_cohort, min_posts=plan.min_posts)


def _label_ages(kept: pl.DataFrame) -> dict[str, tuple[float, float, float]]:
    ages = {}
    for side in ("training", "test"):
        own = kept.filter(pl.col("side") == side)["label_age_days"]
        if own.len():
            low, middle, high = (float(own.quantile(share) or 0.0) for share in (0.1, 0.5, 0.9))
            ages[side] = (low, middle, high)
    return ages


def _micros(times: pl.Series) -> NDArray[np.int64]:
    return np.asarray(times.dt.epoch("us").to_numpy(), dtype=np.int64)
