"""The video store as it stood at some instant: ports on one frame in memory, which nothing can be written to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tiercast.core.errors import InvalidInput
from tiercast.intake.schema import SCHEMA
from tiercast.ports.videos import Added, Erased, VideoHistory, VideoStore

KEY = ["platform", "video_id"]
ORDER = ("published_at", *KEY, "scraped_at")
SINCE = "visible_at"


@dataclass(frozen=True, slots=True)
class FrameVideos:
    """Every observation that there ever was, in memory; ``at`` gives the two ports as they would have been."""

    rows: pl.DataFrame
    """Canonical columns and ``visible_at``, in the order of the history, undated videos last."""

    @classmethod
    def of(cls, rows: pl.DataFrame, visible_at: pl.Expr) -> "FrameVideos":
        """Canonical rows, one an observation, each visible from a time of its own on."""
        return cls(rows.with_columns(visible_at.alias(SINCE)).sort(*ORDER, nulls_last=True))

    def at(self, instant: datetime) -> tuple[VideoStore, VideoHistory]:
        """What a store held that had only what was visible by then."""
        return _ports(self.rows.filter(pl.col(SINCE) <= instant))

    def whole(self) -> tuple[VideoStore, VideoHistory]:
        """What the store holds in the end."""
        return _ports(self.rows)

    def fingerprint(self) -> dict[str, object]:
        """How much there is, how new it is, and a hash of all of it."""
        newest = self.rows["scraped_at"].max()
        return {
            "observations": self.rows.height,
            "newest": newest.isoformat() if isinstance(newest, datetime) else None,
            "hash": f"{self.rows.hash_rows().sum() if self.rows.height else 0:016x}",
        }

    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last observation become visible; None where there is none."""
        first, last = self.rows.select(first=pl.col(SINCE).min(), last=pl.col(SINCE).max()).row(0)
        return None if first is None else (first, last)


def _ports(rows: pl.DataFrame) -> tuple[VideoStore, VideoHistory]:
    canonical = rows.select(list(SCHEMA))
    return FrameStore(canonical), FrameHistory(canonical)


class FrameStore:
    """A VideoStore on a frame: reading only."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    def add(self, rows: pl.DataFrame, *, changes_only: bool, read_at: datetime | None = None) -> Added:  # noqa: ARG002
        """Refused."""
        raise _refused()

    def platforms_of(self, video_ids: list[str]) -> dict[str, str]:
        """Platform by id; an id that two platforms share is left out."""
        return _only_platforms(self._rows, "video_id", video_ids)

    def latest(self, *, limit: int | None, likes_known: bool) -> pl.DataFrame:
        """The newest usable videos, each with its latest usable observation; see the port."""
        usable = self._rows.filter(pl.col("views") > 0)
        if likes_known:
            usable = usable.drop_nulls("likes")
        last = usable.unique(KEY, keep="last", maintain_order=True)
        ordered = last.sort("published_at", *KEY, descending=[True, False, False], nulls_last=True)
        return ordered if limit is None else ordered.head(limit)

    def erase(self, *, author: str | None, video_id: str | None) -> Erased:  # noqa: ARG002
        """Refused."""
        raise _refused()

    def was_read(self, content: str) -> bool:  # noqa: ARG002
        """A frame knows no files."""
        return False

    def mark_read(self, content: str, at: datetime) -> None:  # noqa: ARG002
        """Refused."""
        raise _refused()

    def count(self) -> tuple[int, int]:
        """Videos and observations."""
        return self._rows.select(pl.struct(KEY).n_unique()).item(), self._rows.height


class FrameHistory:
    """A VideoHistory on a frame."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    def everything(self) -> pl.DataFrame:
        """Every observation of every video; see the port."""
        return self._rows

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        """The newest dated videos; see the port."""
        dated = self._rows.drop_nulls("published_at")
        if limit is None:
            return dated
        videos = dated.select("published_at", *KEY).unique(KEY, keep="first", maintain_order=True)
        if videos.height <= limit:
            return dated
        newest = videos.sort("published_at", *KEY, descending=[True, False, False]).head(limit)
        return dated.join(newest, on=KEY, how="semi", maintain_order="left")

    def of_creators(self, creators: Sequence[tuple[str, str]]) -> pl.DataFrame:
        """The dated videos of these creators; see the port."""
        wanted = pl.DataFrame(list(creators), schema={"platform": pl.String, "author": pl.String}, orient="row")
        dated = self._rows.drop_nulls("published_at")
        return dated.join(wanted.unique(), on=["platform", "author"], how="semi", maintain_order="left")

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        """Platform by handle; one that two platforms share is left out."""
        return _only_platforms(self._rows, "author", authors)


def _only_platforms(rows: pl.DataFrame, column: str, values: Sequence[str]) -> dict[str, str]:
    found = rows.filter(pl.col(column).is_in(list(values))).group_by(column).agg(pl.col("platform").unique())
    return {value: platforms[0] for value, platforms in found.rows() if len(platforms) == 1}


def _refused() -> InvalidInput:
    return InvalidInput("A replay only reads: the videos that it walks through cannot be changed.")
