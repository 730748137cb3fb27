"""What is asked: videos with every observation given of them, and the moment that each is in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from tiercast.core.moments import Moment

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


def moments_of(request: Request, served: Collection[Moment]) -> pl.DataFrame:
    """The latest rows with the moment each is in ``naturally``, and the ``moment`` that answers it; null: none does."""
    latest = request.latest()
    is_early, measured = latest.select(request.is_early().alias("early"), MEASURED.alias("measured"))
    natural = [
        Moment.DRAFT if not views else Moment.EARLY if early else Moment.OBSERVED
        for views, early in zip(measured.to_list(), is_early.to_list(), strict=True)
    ]
    answering = {
        moment: next((each.value for each in richer if each in served), None) for moment, richer in RICHER_FIRST.items()
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
