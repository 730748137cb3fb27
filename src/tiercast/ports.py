"""What the flows ask of the world: Protocols of at most seven verbs, each with an embedded and a scaled adapter."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.release import Release


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


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One retraining as it is kept: the whole answer of ``retrain --json`` with its time."""

    run: str
    moment: Moment
    status: str
    started_at: datetime
    document: Mapping[str, object]


class RunLog(Protocol):
    """Past runs, whatever their end."""

    def save(self, record: RunRecord) -> None:
        """Keep a run."""
        ...

    def recent(self, limit: int) -> list[RunRecord]:
        """The newest runs, newest first."""
        ...

    def get(self, run: str) -> RunRecord:
        """One run by its id or a unique prefix; raises Missing."""
        ...

    def of(self, retrain: str) -> list[RunRecord]:
        """The run of this very id, and those of its single moments (``ID-draft``), oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class InProgress:
    """The retrain that is under way, as its lease tells."""

    run: str
    holder: str
    """The process and its machine."""
    since: datetime
    """By the database's clock."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """What people may know of an API key: never the key, nor its digest."""

    name: str
    added_at: datetime
    revoked_at: datetime | None = None


class KeyRing(Protocol):
    """API keys by name, each kept as a digest; a name is used once, also after its key was revoked."""

    def add(self, name: str, digest: str, at: datetime) -> bool:
        """Keep a key; False where the name was ever used."""
        ...

    def names(self) -> list[NamedKey]:
        """Every key, also the revoked ones, in the order in which they were added."""
        ...

    def revoke(self, name: str, at: datetime) -> bool:
        """End a key; False where there is none of that name that still opens."""
        ...

    def digests(self) -> dict[str, str]:
        """The digest of each key that opens, by name."""
        ...


class Lease(Protocol):
    """The right to retrain, which one run holds at a time."""

    def __enter__(self) -> "Lease":
        """Take the lease; raises Busy naming the run that holds it."""
        ...

    def ensure_held(self) -> None:
        """Raises Unavailable where the lease was lost: to another run, or to a person."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Give it back."""
        ...


class Slots(Protocol):
    """Times at which a schedule was due; of several servers, one has each."""

    def claim(self, slot: datetime, by: str) -> bool:
        """Whether nobody had this slot before; then it is ``by``'s."""
        ...

    def last(self) -> datetime | None:
        """The newest slot that somebody had."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a run that did not promote, for programs and for people."""

    run: str
    facts: Mapping[str, object]
    text: str
    """In Slack's markup."""


class Notifier(Protocol):
    """Somebody who wants to hear of retrains that did not promote."""

    def send(self, notice: Notice) -> None:
        """Tell of one run; raises Unavailable where it did not arrive."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """One step of a replay: the retrain as it would have been, and what grading it later takes."""

    at: datetime
    document: Mapping[str, object]
    """The whole answer of ``retrain --json``."""
    ungated: str | None
    """The candidate that a cron without a gate would have served from then on; None where none could be fitted."""
    entries: Mapping[int, bytes]
    """What the step added to the promotion log, by number."""
    arrays: Mapping[str, NDArray[np.float64]]
    """What was known of the rows to learn from: their views, and for forecasts what naive rivals need."""
    seconds: float


class ReplaySteps(Protocol):
    """The finished steps of one replay, each kept whole or not at all."""

    def finished(self) -> list[ReplayedStep]:
        """Those kept so far, oldest first."""
        ...

    def save(self, step: ReplayedStep) -> None:
        """Keep a step; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ServedPrediction:
    """One answer that somebody got, and what it rested on."""

    prediction: str
    """Its id; ids sort by time."""
    predicted_at: datetime
    platform: str | None
    video_id: str
    author: str | None
    moment: Moment
    release: str
    feature_schema: str
    """The first digits of the hash of the vector's names and units."""
    probabilities: tuple[float, ...]
    features: tuple[float | None, ...]
    """The vector as the model got it, in the release's order; None where it got no number."""
    missing: tuple[str, ...]
    """Features whose inputs were unknown, also those for which a value stood in or that the release holds constant."""


@dataclass(frozen=True, slots=True)
class MissingCounts:
    """Of so many predictions, how many lacked the inputs of each feature; a feature that none lacked is not named."""

    predictions: int
    lacking: Mapping[str, int]


class ServedPredictions(Protocol):
    """Every prediction that was served, for as long as they are kept (SQLite, Postgres)."""

    def save(self, served: Sequence[ServedPrediction]) -> None:
        """Keep them, all or none; one that is kept already stays as it is.

        Raises Unavailable where another try may succeed, InvalidInput where these can never be kept.
        """
        ...

    def recent(
        self, *, limit: int, moment: Moment | None = None, video_id: str | None = None, before: str | None = None
    ) -> list[ServedPrediction]:
        """The newest, newest first: of a moment, of a video, or those before the last one of an earlier page."""
        ...

    def missing(self, moment: Moment, *, feature_schema: str, since: datetime, limit: int) -> MissingCounts:
        """What the newest ``limit`` predictions of that feature set lacked, none of them older than ``since``."""
        ...

    def erase(self, *, author: str | None, video_id: str | None) -> int:
        """Remove those of an author, also nameless ones of the author's stored videos, or of one video; how many."""
        ...

    def drop_before(self, at: datetime) -> int:
        """Remove what was served before that time; how many."""
        ...

    def count(self) -> int:
        """Predictions kept."""
        ...


class ObjectStore(Protocol):
    """Immutable objects by key: a folder, S3 and its kin, GCS, Azure."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write unless the key exists; True when this call wrote. Raises Unavailable on an unknown outcome."""
        ...

    def get(self, key: str) -> bytes:
        """The object's bytes; raises Missing where there is none."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        ...


class PromotionLog(Protocol):
    """Numbered, immutable entries; whoever writes a number first owns it."""

    name: Literal["objects", "postgres"]

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        """Write entry ``number`` unless it exists; True when this call wrote it."""
        ...

    def numbers(self, moment: Moment) -> list[int]:
        """Every number in the log, ascending."""
        ...

    def read(self, moment: Moment, number: int) -> bytes:
        """One entry; raises Missing."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked about ``n`` videos, as plain arrays; see ``learn.models.Inputs``."""

    X: NDArray[np.float64]
    edges: NDArray[np.float64] | None
    start: NDArray[np.float64] | None


class Rehearsal(Protocol):
    """A fresh process that loads staged bytes as production would, started early so that nobody waits for it."""

    def predict(self, release: Release, question: Question) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) from a process that never saw the training; raises Unavailable."""
        ...

    def close(self) -> None:
        """End the process."""
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


class Progress(Protocol):
    """Somebody who watches: a bar on a terminal, or nobody."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins, of ``total`` steps where that is known."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Some steps of it are done."""
        ...
