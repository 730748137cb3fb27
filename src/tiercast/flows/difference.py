"""What changed between two releases: data, features, settings, libraries, model and metrics."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import FeatureUse, Manifest
from tiercast.flows.model_store import load_release, resolve_release
from tiercast.ports.models import ObjectStore


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: its name, and what it is in either release; None where that one lacks it."""

    name: str
    a: object
    b: object

    @property
    def factor(self) -> float | None:
        """How many times larger the second is, where both are counts above 0.

        >>> Change("edge 1", 200, 300).factor
        1.5
        >>> Change("model", "logistic", "xgboost").factor is None
        True
        """
        numbers = [each for each in (self.a, self.b) if isinstance(each, int | float) and not isinstance(each, bool)]
        return numbers[1] / numbers[0] if len(numbers) == 2 and min(numbers) > 0 else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two releases of one moment, and by section everything in which they differ."""

    moment: Moment
    a: str
    b: str
    sections: Mapping[str, Sequence[Change]]
    incomparable: str | None
    """Why values of the metrics say nothing about which release is better; None where they were measured alike."""

    def to_document(self) -> dict[str, object]:
        """The answer of ``models --diff --json``."""
        return {
            "moment": self.moment.value,
            "a": self.a,
            "b": self.b,
            "metrics_comparable": self.incomparable is None,
            "metrics_incomparable_because": self.incomparable,
            **{name: [_document(change, name) for change in changes] for name, changes in self.sections.items()},
        }


def compare_releases(objects: ObjectStore, moments: Sequence[Moment], first: str, second: str) -> Difference:
    """What changed from one release to another, each named by a unique prefix; both are verified.

    Raises InvalidInput, and Missing where no moment holds both.
    """
    (moment, a), (other, b) = (_find(objects, moments, prefix) for prefix in (first, second))
    if moment != other:
        raise InvalidInput(f"{a[:12]} predicts {moment} and {b[:12]} predicts {other}: they are no two of one kind.")
    manifests = [load_release(objects, moment, each).manifest for each in (a, b)]
    return difference(a, b, *manifests)


def _find(objects: ObjectStore, moments: Sequence[Moment], prefix: str) -> tuple[Moment, str]:
    faults = []
    for moment in moments:
        try:
            return moment, resolve_release(objects, moment, prefix)
        except Missing as error:
            faults.append(str(error))
    raise Missing(" ".join(faults))


def difference(a: str, b: str, first: Manifest, second: Manifest) -> Difference:
    """What two manifests tell apart."""
    sections = {
        "data": _changes(_data(first), _data(second)),
        "features": _changes(_features(first.features), _features(second.features)),
        "settings": _changes(_flat(first.settings), _flat(second.settings)),
        "libraries": _changes(first.libraries, second.libraries),
        "model": _changes(_model(first), _model(second)),
        "metrics": _changes(first.metrics, second.metrics),
    }
    return Difference(first.moment, a, b, sections, _incomparable(first, second))


def _changes(a: Mapping[str, object], b: Mapping[str, object]) -> list[Change]:
    names = [*a, *(name for name in b if name not in a)]
    return [Change(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def _data(manifest: Manifest) -> dict[str, object]:
    tiers, edges = manifest.tiers or {}, manifest.tier_edges or ()
    return {
        "label": manifest.label,
        "training rows": manifest.training.rows,
        "training fingerprint": manifest.training.sha256,
        "test rows": manifest.test.rows,
        "test fingerprint": manifest.test.sha256,
        "newest video": manifest.newest_training_video_at,
        "smallest log views": manifest.log_views_range[0] if manifest.log_views_range else None,
        "largest log views": manifest.log_views_range[1] if manifest.log_views_range else None,
        "tiers relative to": tiers.get("relative_to"),
        **{f"edge {tier}|{tier + 1}": views for tier, views in enumerate(edges, 1)},
        **{f"edges of {group}": list(cut) for group, cut in _groups(tiers)},
        "multiples of the creator's usual": tiers.get("multiples"),
        "marks": list(manifest.marks),
    }


def _groups(tiers: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[int]]]:
    return ((group, cut) for group, cut in tiers.get("edges", {}).items() if group != "all")


def _features(features: Sequence[FeatureUse]) -> dict[str, object]:
    told: dict[str, object] = {"names": [each.name for each in features]}
    for each in features:
        told[f"{each.name}, missing share"] = each.missing_share
        told[f"{each.name}, held at"] = each.held
        told[f"{each.name}, median"] = each.median
        told[f"{each.name}, as scraped"] = each.as_scraped
    return told


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _model(manifest: Manifest) -> dict[str, object]:
    return {
        "model": manifest.model,
        "calibration": manifest.calibration,
        "confidence threshold": manifest.confidence_threshold,
        "feature schema": manifest.feature_schema,
        **{f"file {name}": sha256 for name, sha256 in manifest.files.items()},
    }


def _incomparable(first: Manifest, second: Manifest) -> str | None:
    reasons = []
    if first.label != second.label:
        reasons.append("one learned the views and the other labels that were given")
    if (first.tier_edges, first.tiers) != (second.tier_edges, second.tiers):
        reasons.append("their tiers are cut at different edges")
    if first.test != second.test:
        reasons.append("they were tested on different rows")
    if not reasons:
        return None
    return f"The metrics do not say which of the two is better: {' and '.join(reasons)}."


def _document(change: Change, section: str) -> dict[str, object]:
    told: dict[str, object] = {"name": change.name, "a": change.a, "b": change.b}
    return told | {"factor": change.factor} if section == "data" else told
