"""What the client answers: the fields that one asks for most; each answer's ``document`` has everything it was told.

A newer service may tell more than is named here; that stands in the document too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, overload

import polars as pl

from tiercast.answering import why_nothing
from tiercast.core.errors import InvalidInput

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one video will reach."""

    video_id: str
    platform: str | None
    moment: str
    tier: int
    """1 to 5."""
    probabilities: tuple[float, ...]
    """Of tiers 1 to 5; they sum to 1."""
    confident: bool
    score: float
    """0 to 100."""
    release: str
    missing: tuple[str, ...]
    """Features whose inputs were unknown."""
    views_interval: tuple[int, int] | None
    """80 % range of views."""
    relative_to: str | None
    creator_relative: float | None
    reasons: Document | None
    """Only where they were asked for."""
    document: Document = field(repr=False, hash=False)

    @classmethod
    def of(cls, document: Document) -> "Prediction":
        """The prediction in a document."""
        interval = document["views_interval"]
        return cls(
            video_id=document["video_id"],
            platform=document["platform"],
            moment=document["moment"],
            tier=document["tier"],
            probabilities=tuple(document["probabilities"]),
            confident=document["confident"],
            score=document["score"],
            release=document["release"],
            missing=tuple(document["missing"]),
            views_interval=None if interval is None else (interval[0], interval[1]),
            relative_to=document["relative_to"],
            creator_relative=document["creator_relative"],
            reasons=document.get("reasons"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """One video that got no prediction, the reason's name and one plain sentence."""

    video_id: str | None
    reason: str
    detail: str

    @classmethod
    def of(cls, document: Document) -> "Refused":
        """The refusal in a document."""
        return cls(document["video_id"], document["reason"], document["detail"])


@dataclass(frozen=True, slots=True, repr=False)
class Predictions(Sequence[Prediction]):
    """One prediction a video that could be answered, in the order in which the videos were given."""

    predictions: tuple[Prediction, ...]
    refused: tuple[Refused, ...] = ()
    """The videos without one."""
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Predictions":
        """Those of several answers, one after the other; raises InvalidInput where every video was refused."""
        told = [*documents]
        found = [each for document in told for each in document["predictions"]]
        refused = [each for document in told for each in document["refused"]]
        if not found:
            raise InvalidInput(why_nothing(refused))
        warnings = dict.fromkeys(each for document in told for each in document["warnings"])
        return cls(tuple(map(Prediction.of, found)), tuple(map(Refused.of, refused)), tuple(warnings))

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Prediction, ...]: ...
    def __getitem__(self, index: int | slice) -> Prediction | tuple[Prediction, ...]:
        return self.predictions[index]

    def __len__(self) -> int:
        return len(self.predictions)

    def __repr__(self) -> str:
        tiers = Counter(each.tier for each in self.predictions)
        counts = ", ".join(f"{tiers[tier]:,} in tier {tier}" for tier in sorted(tiers))
        return f"<Predictions of {len(self):,} videos: {counts}; {len(self.refused):,} refused>"

    def to_polars(self) -> pl.DataFrame:
        """Everything that was told of each video, a column a field."""
        return pl.from_dicts([dict(each.document) for each in self.predictions], infer_schema_length=None)


@dataclass(frozen=True, slots=True)
class Score:
    """One score and where it comes from; every mapping has the signals that were there."""

    overall_score: int
    """0 to 100."""
    weights: Mapping[str, float] = field(hash=False)
    """They sum to 1: that of a missing signal is shared out in proportion."""
    signals: Mapping[str, float] = field(hash=False)
    contributions: Mapping[str, float] = field(hash=False)
    """Points that each brings."""
    missing: tuple[str, ...]
    ml: Prediction | None
    """The champion's prediction, where a video was given."""
    warnings: tuple[str, ...]
    document: Document = field(repr=False, hash=False)

    @classmethod
    def of(cls, document: Document) -> "Score":
        """The score in a document."""
        return cls(
            overall_score=document["overall_score"],
            weights=document["weights"],
            signals=document["signals"],
            contributions=document["contributions"],
            missing=tuple(document["missing"]),
            ml=None if document["ml"] is None else Prediction.of(document["ml"]),
            warnings=tuple(document["warnings"]),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Ingested:
    """What some items brought; of items that were all sent before, nothing."""

    read: int
    stored: int
    updated: int
    observations: int
    rejected: int
    rejects: Mapping[str, int] = field(hash=False)
    """Refused items by reason."""
    documents: tuple[Document, ...] = field(repr=False, hash=False)
    """One a part of at most a thousand items."""

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Ingested":
        """That of several parts together; raises InvalidInput where every item was refused."""
        told = tuple(documents)
        failed = [each["error"] for document in told for each in document["failed"]]
        if len(failed) == len(told):
            raise InvalidInput(failed[0])
        rejects: Counter[str] = Counter()
        for document in told:
            for file in document["files"]:
                rejects.update(file["rejects"])
        names = ("read", "stored", "updated", "observations", "rejected")
        totals = {name: sum(document[name] for document in told) for name in names}
        return cls(**totals, rejects=dict(rejects), documents=told)


@dataclass(frozen=True, slots=True)
class Promotion:
    """One entry of the promotion log."""

    number: int
    moment: str
    action: str
    """promote, rollback, pin or unpin."""
    release: str
    previous: str | None
    actor: str
    reason: str
    at: datetime
    document: Document = field(repr=False, hash=False)

    @classmethod
    def of(cls, document: Document) -> "Promotion":
        """The entry in a document."""
        names = ("number", "moment", "action", "release", "previous", "actor", "reason")
        said = {name: document[name] for name in names}
        return cls(**said, at=datetime.fromisoformat(document["at"]), document=document)


@dataclass(frozen=True, slots=True)
class MomentModels:
    """What stands in the model store for one moment."""

    moment: str
    champion: str | None
    """The release that serves."""
    releases: tuple[Document, ...] = field(hash=False)
    warnings: tuple[str, ...]
    document: Document = field(repr=False, hash=False)
    """Also the promotion log, and what is pinned."""

    @classmethod
    def of(cls, document: Document) -> "MomentModels":
        """The models in a document."""
        releases, warnings = tuple(document["releases"]), tuple(document["warnings"])
        return cls(document["moment"], document["champion"], releases, warnings, document)


@dataclass(frozen=True, slots=True)
class Run:
    """One run; of one that goes on or failed early, little is known."""

    run: str
    status: str
    """promoted, held, rejected, failed or running."""
    moment: str | None
    reason: str | None
    test_accuracy: float | None
    candidate: str | None
    champion_before: str | None
    champion_after: str | None
    document: Document = field(repr=False, hash=False)
    """As ``tiercast retrain --json`` told it, findings and metrics among it."""

    @classmethod
    def of(cls, document: Document) -> "Run":
        """The run in a document."""
        names = ("moment", "reason", "test_accuracy", "candidate", "champion_before", "champion_after")
        known = {name: document.get(name) for name in names}
        return cls(document["run"], document["status"], **known, document=document)
