"""Videos: what scrapers bring, where it is kept, and what is refused."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One piece of a file that is no row at all: its raw text, the reason's name and a sentence."""

    raw: object
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a file, as the file has them, under canonical column names."""

    rows: pl.DataFrame
    """Any subset of the columns of ``core.video`` with values of any type; cleaning gives them their own."""
    raw: Sequence[object]
    """The original content of each row, for the reject file."""
    unreadable: tuple[Unreadable, ...] = ()
    ignored: tuple[str, ...] = ()
    """Columns of a table that are no canonical ones, so nothing reads them."""


class SourceFile(Protocol):
    """One scraper file, opened and recognised; opening raises InvalidInput where it is damaged or unknown."""

    path: str
    format: str
    content: str
    """SHA-256 of the uncompressed content."""
    modified_at: datetime

    def batches(self) -> Iterator[RawBatch]:
        """The file's rows, in batches small enough for memory."""
        ...


@dataclass(frozen=True, slots=True)
class Added:
    """What one batch changed in the store."""

    stored: int
    updated: int
    observations: int
    conflicts: tuple[int, ...]
    """Row numbers of the batch whose scrape time is already taken by an observation with other counts."""
    views_fell: int = 0
    """New observations with fewer views than the video's one before them in time; views never fall."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much a request to forget removed."""

    videos: int
    observations: int


class VideoStore(Protocol):
    """Videos and their append-only observations (SQLite, Postgres)."""

    def add(self, rows: pl.DataFrame, *, changes_only: bool, read_at: datetime | None = None) -> Added:
        """Store clean canonical rows (columns of ``core.video``); the same rows twice add nothing.

        An observation that equals the video's latest in all counts is dropped where its time is guessed, and
        with ``changes_only`` always. With ``read_at``, counts whose time is taken by other counts are observed
        at that time instead, as a guess.
        """
        ...

    def platforms_of(self, video_ids: list[str]) -> dict[str, str]:
        """Platform of each stored video among these ids, where exactly one platform has that id."""
        ...

    def latest(self, *, limit: int | None, likes_known: bool) -> pl.DataFrame:
        """The newest videos with views > 0, each with its latest such observation, in canonical order."""
        ...

    def erase(self, *, author: str | None, video_id: str | None) -> Erased:
        """Remove the videos of an author, or one video, with every observation; records only that it did."""
        ...

    def was_read(self, content: str) -> bool:
        """Whether a file with this content key was ingested whole before."""
        ...

    def mark_read(self, content: str, at: datetime) -> None:
        """Remember that a file with this content key was ingested whole."""
        ...

    def count(self) -> tuple[int, int]:
        """Number of videos and of observations."""
        ...


class VideoHistory(Protocol):
    """Everything that was measured of stored videos, and when: one row an observation, in the canonical columns.

    Rows come ordered by (published_at, platform, video_id, scraped_at), texts by code point.
    """

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        """Every observation, also those without views, of the ``limit`` newest videos whose posting time is known.

        Which of equally new videos are left out is settled as in ``VideoStore.latest``.
        """
        ...

    def of_creators(self, creators: Sequence[tuple[str, str]]) -> pl.DataFrame:
        """The same of every such video of these creators, each as (platform, author)."""
        ...

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        """Platform of each of these handles that has videos on exactly one."""
        ...

    def everything(self) -> pl.DataFrame:
        """Every observation of every stored video, those without a posting time last."""
        ...


class ScrapedTable(Protocol):
    """An existing ``scraped_videos`` table, read as it is and never altered."""

    def batches(self) -> Iterator[RawBatch]:
        """Every row of the table, page after page, under canonical column names."""
        ...


class RejectFile(Protocol):
    """Where refused rows are kept with their raw content and reason."""

    def write(self, label: str, lines: Iterable[Mapping[str, object]]) -> str:
        """Keep these rows, each as it comes, under a name made from ``label``; returns where they stand."""
        ...

    def erase(self, *, author: str | None, video_id: str | None) -> int:
        """Remove every kept row that holds this author or video; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """A frozen training set as its file holds it: vectors in our order, labels 1..5, and its own split if any."""

    X: NDArray[np.float64]
    labels: NDArray[np.int64]
    is_test: NDArray[np.bool_] | None
