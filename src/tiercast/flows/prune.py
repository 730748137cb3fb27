"""Old releases leave the model store; whatever serves, may serve again or served lately stays, and so does the log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tiercast.core.canonical import canonical_json
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import MANIFEST_NAME, Promotion
from tiercast.flows.model_store import Standing, standing
from tiercast.flows.promotion_history import history, release_before
from tiercast.ports.models import ObjectStore, PromotionLog

SERVED_LATELY: Final = timedelta(days=90)
"""A quarter: whoever asks why a prediction was made asks within it, and may want the model itself."""
UNNAMED_FOR: Final = timedelta(hours=24)
"""An upload ends within minutes, and a laptop sleeps a night: by then its publisher has promoted or is gone."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """How many of the newest promoted releases to keep in any case, and the present that ages are counted from."""

    keep: int
    now: datetime
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of each stored release of one moment, by id, and why."""

    moment: Moment
    kept: Mapping[str, str]
    removed: Mapping[str, str]
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    """Uploads that no entry names, and when a prune first saw each: a publisher may be at work on them."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What a prune finds: the log, who serves, the keys of each release, and uploads that earlier prunes saw."""

    entries: Sequence[Promotion]
    damaged: bool
    standing: Standing
    keys: Mapping[str, Sequence[str]]
    seen: Mapping[str, datetime]

    @property
    def named(self) -> dict[str, int]:
        """Each release that the log names, with the newest number that does."""
        return {entry.release: entry.number for entry in self.entries}


def prune(objects: ObjectStore, log: PromotionLog | None, moment: Moment, pruning: Pruning) -> Pruned:
    """Remove releases that are neither needed nor among the newest, and what interrupted publishers left behind.

    Raises InvalidInput for a count below 1, Missing where promotions exist but none leads to a sound release, and
    Unavailable; started again it finishes what it left.
    """
    if pruning.keep < 1:
        raise InvalidInput(f"--keep {pruning.keep} would keep no release; keep at least 1.")
    shelf = _look(objects, log, moment)
    planned = _plan(shelf, moment, pruning)
    if pruning.dry_run:
        return planned
    for release in planned.waiting:
        seen = canonical_json({"seen_at": pruning.now.isoformat()})
        objects.put_if_absent(_mark(moment, release), seen)
    chosen = _remove(objects, log, shelf, planned)
    for release in shelf.seen.keys() - planned.waiting.keys():
        objects.delete(_mark(moment, release))
    removed = {release: why for release, why in planned.removed.items() if release not in chosen}
    return Pruned(moment, {**planned.kept, **chosen}, removed, planned.waiting)


def _look(objects: ObjectStore, log: PromotionLog | None, moment: Moment) -> _Shelf:
    entries = history(log, moment) if log else []
    now = standing(objects, log, moment)
    if now.last_number and now.champion is None:
        raise Missing(f"Nothing was removed. {' '.join(now.warnings)}")
    keys: dict[str, list[str]] = {}
    for key in objects.list(f"{moment}/releases"):
        keys.setdefault(key.split("/")[2], []).append(key)
    marks = (key.removesuffix(".json").split("/")[-1] for key in objects.list(f"{moment}/unnamed"))
    return _Shelf(
        entries=[entry.promotion for entry in entries if entry.promotion],
        damaged=any(entry.damage for entry in entries),
        standing=now,
        keys=keys,
        seen={release: _seen_at(objects, moment, release) for release in marks},
    )


def _mark(moment: Moment, release: str) -> str:
    return f"{moment}/unnamed/{release}.json"


def _seen_at(objects: ObjectStore, moment: Moment, release: str) -> datetime:
    key = _mark(moment, release)
    try:
        return datetime.fromisoformat(json.loads(objects.get(key))["seen_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"The object {key} in the model store cannot be read. Remove it, then prune again."
        ) from error


def _plan(shelf: _Shelf, moment: Moment, pruning: Pruning) -> Pruned:
    """Everything stored, sorted into what stays, what goes, and what a publisher may still be at work on."""
    needed, removed, waiting = _needed(shelf, pruning), {}, {}
    for release in shelf.keys.keys() - needed.keys():
        since = shelf.seen.get(release, pruning.now)
        if release in shelf.named:
            removed[release] = f"last named by entry {shelf.named[release]}"
        elif pruning.now - since >= UNNAMED_FOR:
            removed[release] = "uploaded, never promoted"
        else:
            waiting[release] = since
    kept = {release: why for release, why in needed.items() if release in shelf.keys}
    return Pruned(moment, kept, dict(sorted(removed.items())), dict(sorted(waiting.items())))


def _needed(shelf: _Shelf, pruning: Pruning) -> dict[str, str]:
    """Each release that has to stay, with the first reason that holds."""
    champion, pinned = shelf.standing.champion, shelf.standing.pinned
    reasons: list[tuple[str | None, str]] = []
    if champion:
        before = release_before(shelf.entries, champion.promotion.number, champion.release.id)
        reasons += [(champion.release.id, "serves"), (pinned.release if pinned else None, "pinned")]
        reasons += [(before, "a rollback returns to it"), (champion.promotion.best, "the best so far")]
    reasons += [(each, f"served in the last {SERVED_LATELY.days} days") for each in _lately(shelf.entries, pruning.now)]
    whole = [each for each, number in sorted(shelf.named.items(), key=lambda item: item[1]) if _whole(shelf, each)]
    reasons += [(each, f"among the newest {pruning.keep}") for each in whole[-pruning.keep :]]
    if shelf.damaged:
        unnamed = shelf.keys.keys() - shelf.named.keys()
        reasons += [(each, "an entry that cannot be read may name it") for each in unnamed]
    return {release: why for release, why in reversed(reasons) if release}


def _whole(shelf: _Shelf, release: str) -> bool:
    return any(key.endswith(f"/{MANIFEST_NAME}") for key in shelf.keys.get(release, ()))


def _lately(entries: Sequence[Promotion], now: datetime) -> set[str]:
    """Releases that the log lets serve at some time of the last 90 days."""
    ends = [*(entry.at for entry in entries[1:]), now]
    return {entry.release for entry, end in zip(entries, ends, strict=False) if now - end <= SERVED_LATELY}


def _remove(objects: ObjectStore, log: PromotionLog | None, shelf: _Shelf, planned: Pruned) -> dict[str, str]:
    """Delete every manifest, then the files; what an entry written meanwhile names gets its manifest back.

    A release without manifest does not exist for any reader, so that none is ever seen by halves.
    """
    manifests = {}
    for release in planned.removed:
        key = f"{planned.moment}/releases/{release}/{MANIFEST_NAME}"
        if key in shelf.keys[release]:
            manifests[release] = (key, objects.get(key))
            objects.delete(key)
    chosen = {}
    for entry in history(log, planned.moment) if log else []:
        if entry.number > shelf.standing.last_number and entry.promotion and entry.promotion.release in manifests:
            objects.put_if_absent(*manifests[entry.promotion.release])
            chosen[entry.promotion.release] = "chosen to serve meanwhile"
    for release in planned.removed.keys() - chosen.keys():
        for key in shelf.keys[release]:
            objects.delete(key)
    return chosen


def to_document(moments: Sequence[Pruned], pruning: Pruning) -> dict[str, object]:
    """The answer of ``models --prune --json``."""
    return {"dry_run": pruning.dry_run, "keep": pruning.keep, "moments": [_document(each) for each in moments]}


def _document(pruned: Pruned) -> dict[str, object]:
    return {
        "moment": pruned.moment.value,
        "removed": [{"release": release, "reason": why} for release, why in pruned.removed.items()],
        "kept": [{"release": release, "reason": why} for release, why in pruned.kept.items()],
        "waiting": [{"release": release, "seen_at": at.isoformat()} for release, at in pruned.waiting.items()],
    }
