"""What stands in the model store, for people to read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest, Promotion
from tiercast.flows.model_store import Champion, load_release, releases, standing
from tiercast.flows.promotion_history import Entry, history
from tiercast.ports.models import ObjectStore, PromotionLog


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One stored release; without a manifest where it does not verify."""

    release: str
    serves: bool
    manifest: Manifest | None
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class MomentModels:
    """The releases and the promotion log of one moment."""

    moment: Moment
    champion: Champion | None
    releases: Sequence[ReleaseLine]
    entries: Sequence[Entry]
    pinned: Promotion | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Models:
    """Every moment's models."""

    moments: Sequence[MomentModels]

    def to_document(self) -> dict[str, object]:
        """The answer of ``models --json``."""
        return {"moments": [_moment_document(each) for each in self.moments]}


def list_models(objects: ObjectStore, log: PromotionLog | None, moments: Sequence[Moment]) -> Models:
    """Releases, newest promotion last, and who serves; damage is shown, not raised."""
    return Models([_moment_models(objects, log, moment) for moment in moments])


def _moment_models(objects: ObjectStore, log: PromotionLog | None, moment: Moment) -> MomentModels:
    if log is None:
        return MomentModels(moment, None, [], [])
    entries, now = history(log, moment), standing(objects, log, moment)
    order = {entry.promotion.release: entry.number for entry in entries if entry.promotion}
    stored = sorted(releases(objects, moment), key=lambda release: order.get(release, 0))
    lines = [_line(objects, moment, release, now.champion) for release in stored]
    return MomentModels(moment, now.champion, lines, entries, now.pinned, now.warnings)


def _line(objects: ObjectStore, moment: Moment, release: str, serving: Champion | None) -> ReleaseLine:
    serves = serving is not None and serving.release.id == release
    try:
        return ReleaseLine(release, serves, load_release(objects, moment, release).manifest)
    except (InvalidInput, Missing) as error:
        return ReleaseLine(release, serves, None, str(error))


def promotion_document(entry: Promotion) -> dict[str, object]:
    """One entry of the promotion log, without its writer's token."""
    document = asdict(entry)
    del document["token"]
    return {**document, "moment": entry.moment.value, "at": entry.at.isoformat()}


def _moment_document(models: MomentModels) -> dict[str, object]:
    serving, stored = models.champion, {line.release for line in models.releases}
    return {
        "moment": models.moment.value,
        "champion": serving.release.id if serving else None,
        "pinned": promotion_document(models.pinned) if models.pinned else None,
        "warnings": list(models.warnings),
        "releases": [_release_document(line) for line in models.releases],
        "promotions": [
            {**promotion_document(entry.promotion), "stored": entry.promotion.release in stored}
            if entry.promotion
            else {"number": entry.number, "damage": entry.damage}
            for entry in models.entries
        ],
    }


def _release_document(line: ReleaseLine) -> dict[str, object]:
    document: dict[str, object] = {"release": line.release, "serves": line.serves, "damage": line.damage}
    if line.manifest is not None:
        manifest = line.manifest
        document |= {
            "label": manifest.label,
            "model": manifest.model,
            "metrics": dict(manifest.metrics),
            "tier_edges": manifest.tier_edges,
            "relative_to": manifest.tiers["relative_to"] if manifest.tiers else None,
            "confidence_threshold": manifest.confidence_threshold,
            "marks": list(manifest.marks),
            "held_features": {f.name: f.held for f in manifest.features if f.held is not None},
            "training_rows": manifest.training.rows,
            "test_rows": manifest.test.rows,
            "newest_training_video_at": manifest.newest_training_video_at,
        }
    return document
