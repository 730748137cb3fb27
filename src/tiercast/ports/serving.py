"""Serving: who may ask, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tiercast.core.moments import Moment


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
