"""A release, its manifest, and the promotion entries that say which release serves."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from tiercast.core.canonical import canonical_json, sha256_hex
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment

MANIFEST_NAME: Final = "manifest.json"
MANIFEST_FORMAT: Final = 2

Label = Literal["views", "given"]
Action = Literal["promote", "rollback", "pin", "unpin"]


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """How one feature entered a release: declared unit and range, and what training saw of it."""

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    held: float | None
    """The constant it was held at in training, and is held at in prediction; None where it was free."""
    median: float | None
    """Training median, which the logistic imputes; None where every value was missing."""
    missing_share: float
    needs: str = "the video"
    """What it is computed from: the video, its first observations, earlier videos."""
    as_scraped: bool = False
    """Whether training took what it needs as last scraped, not as it was known by then."""
    zero_share: float | None = None
    """Share of the training rows on which it was zero; None in releases that did not record it."""


@dataclass(frozen=True, slots=True)
class RowSet:
    """The rows of one part of the training set: how many, and the hash of what they were."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a release is, and only what follows from rows, settings, seed and libraries.

    No clock, run, timing or verdict: its hash is the release's name, so the same rows give the same name.
    """

    moment: Moment
    label: Label
    model: str
    features: tuple[FeatureUse, ...]
    feature_schema: str
    tier_edges: tuple[int, ...] | None
    """The edges over all videos; None where labels were given."""
    tiers: Mapping[str, Any] | None
    """What tiers are relative to, and every group's edges; see ``learn.references.TierReference``."""
    marks: tuple[str, ...]
    """What has to be said of its labels and history: as scraped, of any age."""
    log_views_range: tuple[float, float] | None
    newest_training_video_at: str | None
    calibration: str | None
    confidence_threshold: float | None
    training: RowSet
    test: RowSet
    metrics: Mapping[str, Any]
    settings: Mapping[str, Any]
    libraries: Mapping[str, str]
    files: Mapping[str, str]
    """File name to the SHA-256 of its bytes."""
    format: int = MANIFEST_FORMAT

    def to_bytes(self) -> bytes:
        """The manifest as canonical JSON; its SHA-256 is the release id."""
        return canonical_json(asdict(self))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read a manifest back; raises InvalidInput where it is damaged or of another format."""
        try:
            document = json.loads(content)
            if document["format"] != MANIFEST_FORMAT:
                raise InvalidInput(
                    f"The manifest has format {document['format']}; this version reads format {MANIFEST_FORMAT}. "
                    "Retrain with this version, or serve it with the version that made it."
                )
            values = {field.name: document[field.name] for field in fields(cls)}
            values["moment"] = Moment(values["moment"])
            values["features"] = tuple(FeatureUse(**feature) for feature in values["features"])
            values["training"] = RowSet(**values["training"])
            values["test"] = RowSet(**values["test"])
            values["marks"] = tuple(values["marks"])
            for name in ("tier_edges", "log_views_range"):
                values[name] = tuple(values[name]) if values[name] is not None else None
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(f"The manifest cannot be read ({type(error).__name__}: {error}).") from error


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable model: the manifest's bytes and the files it names. Its id is the manifest's SHA-256."""

    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, bytes]

    @classmethod
    def stage(cls, manifest: Manifest, files: Mapping[str, bytes]) -> "Release":
        """A release as it would be published, in memory."""
        return cls(manifest, manifest.to_bytes(), dict(files))

    @property
    def id(self) -> str:
        """64 hexadecimal digits; commands accept any prefix of them that is unique."""
        return sha256_hex(self.manifest_bytes)


def verify_release(release_id: str, manifest_bytes: bytes, files: Mapping[str, bytes]) -> Release:
    """The release, once every byte agrees with its name; raises InvalidInput naming what does not."""
    if sha256_hex(manifest_bytes) != release_id:
        raise InvalidInput(f"Release {release_id[:12]}: {MANIFEST_NAME} does not match the release's hash.")
    manifest = Manifest.from_bytes(manifest_bytes)
    for name, expected in manifest.files.items():
        if name not in files or sha256_hex(files[name]) != expected:
            raise InvalidInput(f"Release {release_id[:12]}: {name} is missing or does not match its hash.")
    return Release(manifest, manifest_bytes, dict(files))


@dataclass(frozen=True, slots=True)
class Promotion:
    """One entry of the promotion log; the entry with the highest number names the champion."""

    number: int
    moment: Moment
    action: Action
    release: str
    previous: str | None
    manifest_sha256: str
    verdict: str | None
    findings: tuple[Mapping[str, Any], ...]
    actor: str
    reason: str
    run: str | None
    at: datetime
    token: str
    """Unique to the writer, so that after a lost answer it can tell its own entry from another's."""
    best: str | None = None
    """The release that candidates are also held to: the last one proven better than its predecessor; None in entries
    written before it was recorded."""

    def to_bytes(self) -> bytes:
        """The entry as canonical JSON, with the SHA-256 of everything else in it."""
        document = {**asdict(self), "at": self.at.isoformat()}
        return canonical_json({**document, "sha256": sha256_hex(canonical_json(document))})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Promotion":
        """Read an entry back; raises InvalidInput where it is damaged."""
        try:
            document = json.loads(content)
            if document.pop("sha256") != sha256_hex(canonical_json(document)):
                raise InvalidInput("A promotion entry does not match its own hash.")
            document["at"] = datetime.fromisoformat(document["at"])
            document["moment"] = Moment(document["moment"])
            document["findings"] = tuple(document["findings"])
            return cls(**document)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(f"A promotion entry cannot be read ({type(error).__name__}: {error}).") from error
