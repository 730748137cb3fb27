"""Immutable releases in a store, and the promotion log that says which one serves."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tiercast.core.canonical import sha256_hex
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.core.release import MANIFEST_NAME, Manifest, Promotion, Release, verify_release
from tiercast.flows.promotion_history import (
    Entry,
    history,
    last_promoted_at,
    newest_first,
    pinned,
    withdrawn,
)
from tiercast.ports.models import ObjectStore, PromotionLog

# An entry that is neither accepted nor readable may be in flight; the store's client has waited between its own tries.
_APPEND_TRIES: Final = 3

_LISTED: Final = 20  # releases a message names: a screen, newest commands show them all


@dataclass(frozen=True, slots=True)
class ModelStore:
    """Where a promoter writes: the objects and the log that is safe for them."""

    objects: ObjectStore
    log: PromotionLog


@dataclass(frozen=True, slots=True)
class Champion:
    """The release that serves now, the entry that says so, and the newer entries that could not be used."""

    release: Release
    promotion: Promotion
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who serves, and the highest number in the log when that was read: whoever relies on it takes the next one."""

    champion: Champion | None
    last_number: int
    warnings: tuple[str, ...] = ()
    pinned: Promotion | None = None
    """The entry by which people let one release serve until they unpin it."""
    withdrawn: Mapping[str, Promotion] = field(default_factory=dict)
    """Release to the rollback by which people took it out of service, unless they chose it again later."""
    last_promoted_at: datetime | None = None
    """When a retrain last promoted."""
    unreadable: tuple[int, ...] = ()
    """Entries of which nobody knows what they say."""
    lost: str | None = None
    """The release that the newest readable entry names, where it is not the one that serves: it does not verify."""

    @property
    def release(self) -> Release | None:
        """The release that serves, if one does."""
        return self.champion.release if self.champion else None


@dataclass(frozen=True, slots=True)
class Race:
    """How a promotion ended: the entry that holds the number, and whether it is one's own."""

    won: bool
    entry: Promotion


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes an entry, when, and the token by which it knows its own entry again."""

    actor: str
    at: datetime
    token: str


def releases(objects: ObjectStore, moment: Moment) -> list[str]:
    """The ids of every release whose publishing was finished, sorted."""
    pattern = re.compile(rf"{moment}/releases/([0-9a-f]{{64}})/{re.escape(MANIFEST_NAME)}")
    return [found[1] for found in map(pattern.fullmatch, objects.list(f"{moment}/releases")) if found]


def resolve_release(objects: ObjectStore, moment: Moment, prefix: str, *, others: Iterable[str] = ()) -> str:
    """The one release whose id starts so, among those stored and some others that are known.

    Raises InvalidInput where several do, Missing where none does.
    """
    stored = releases(objects, moment)
    if not re.fullmatch(r"[0-9a-f]{1,64}", prefix):
        raise InvalidInput(f"{prefix!r} is no release: an id is hexadecimal digits. Stored: {named(stored)}.")
    matches = sorted(release for release in {*stored, *others} if release.startswith(prefix))
    if not matches:
        raise Missing(f"No release of {moment} starts with {prefix!r}. Stored: {named(stored)}.")
    if len(matches) > 1:
        raise InvalidInput(f"{len(matches)} releases start with {prefix!r}: {named(matches)}. Give more digits.")
    return matches[0]


def named(ids: Sequence[str]) -> str:
    """Releases in a sentence: the start of each id, twenty of them at most."""
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return ", ".join(release[:12] for release in ids[:_LISTED]) + more or "none yet"


def load_release(objects: ObjectStore, moment: Moment, release_id: str) -> Release:
    """A stored release, every byte verified; raises Missing, InvalidInput where a byte differs, Unavailable."""
    folder = _folder(moment, release_id)
    manifest_bytes = _manifest_bytes(objects, folder, release_id)
    genuine = sha256_hex(manifest_bytes) == release_id
    files = {}
    for name in Manifest.from_bytes(manifest_bytes).files if genuine else ():
        with suppress(Missing):
            files[name] = objects.get(f"{folder}/{name}")
    release = verify_release(release_id, manifest_bytes, files)
    if release.manifest.moment != moment:
        raise InvalidInput(f"Release {release_id[:12]} predicts {release.manifest.moment}, not {moment}.")
    return release


def load_manifest(objects: ObjectStore, moment: Moment, release_id: str) -> Manifest:
    """What a stored release says of itself, verified, without its model; raises as ``load_release`` does."""
    manifest_bytes = _manifest_bytes(objects, _folder(moment, release_id), release_id)
    if sha256_hex(manifest_bytes) != release_id:
        raise InvalidInput(f"Release {release_id[:12]}: {MANIFEST_NAME} does not match the release's hash.")
    return Manifest.from_bytes(manifest_bytes)


def _manifest_bytes(objects: ObjectStore, folder: str, release_id: str) -> bytes:
    try:
        return objects.get(f"{folder}/{MANIFEST_NAME}")
    except Missing as error:
        raise Missing(
            f"Release {release_id[:12]} is not in the model store (there is no {folder}/{MANIFEST_NAME}): it was "
            "removed, or never published whole."
        ) from error


def _folder(moment: Moment, release_id: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", release_id):
        raise InvalidInput(f"{release_id!r} is no release id: it has to be 64 hexadecimal digits.")
    return f"{moment}/releases/{release_id}"


def upload(objects: ObjectStore, moment: Moment, release: Release) -> None:
    """Store a release, manifest last, and read every byte back; raises Unavailable where one differs.

    Doing it again is harmless: an object that is there already, byte for byte, is as good as a new one.
    """
    folder = _folder(moment, release.id)
    for name, content in sorted(release.files.items()):
        _store(objects, f"{folder}/{name}", content)
    _store(objects, f"{folder}/{MANIFEST_NAME}", release.manifest_bytes)


def _store(objects: ObjectStore, key: str, content: bytes) -> None:
    try:
        objects.put_if_absent(key, content)
    except Unavailable:
        # The write may have happened and only its answer been lost: what can be read back decides.
        with suppress(Missing, Unavailable):
            if objects.get(key) == content:
                return
        raise
    if sha256_hex(objects.get(key)) != sha256_hex(content):
        raise Unavailable(
            f"The object {key} in the model store does not hold the {len(content)} bytes that belong there, so the "
            "release was not published. Objects are never written over: remove the damaged one, then run again."
        )


def standing(objects: ObjectStore, log: PromotionLog | None, moment: Moment) -> Standing:
    """Who serves and what people decided, with the number that this was read at; damaged entries keep theirs.

    Reads every entry; who only needs the champion asks ``champion``. Where every release ever promoted is damaged
    nobody serves, and a warning says so. Raises Unavailable.
    """
    entries = history(log, moment) if log else []
    known = [entry.promotion for entry in entries if entry.promotion]
    meant = known[-1].release if known else None
    try:
        serving = _highest_sound(objects, moment, reversed(entries))
        warnings = serving.warnings if serving else ()
    except Missing as error:
        serving, warnings = None, (str(error),)
    return Standing(
        serving,
        last_number=entries[-1].number if entries else 0,
        warnings=warnings,
        pinned=pinned(known),
        withdrawn=withdrawn(known),
        last_promoted_at=last_promoted_at(known),
        unreadable=tuple(entry.number for entry in entries if entry.promotion is None),
        lost=meant if meant and (serving is None or serving.release.id != meant) else None,
    )


def champion(objects: ObjectStore, log: PromotionLog | None, moment: Moment) -> Champion | None:
    """The release of the highest entry that verifies; None where nothing was ever promoted. Writes nothing.

    Raises Unavailable, and Missing where there are entries but none of them leads to a sound release.
    """
    return None if log is None else _highest_sound(objects, moment, newest_first(log, moment))


def _highest_sound(objects: ObjectStore, moment: Moment, newest_first: Iterable[Entry]) -> Champion | None:
    warnings: list[str] = []
    for entry in newest_first:
        if entry.promotion is None:
            warnings.append(entry.damage or "")
            continue
        try:
            release = load_release(objects, moment, entry.promotion.release)
        except (InvalidInput, Missing) as error:
            warnings.append(f"Promotion {entry.number} cannot be used: {error}")
            continue
        return Champion(release, entry.promotion, tuple(warnings))
    if warnings:
        raise Missing(
            f"None of the {len(warnings)} promotions of {moment} leads to a sound release. {' '.join(warnings)} "
            "Restore the objects from a copy, or promote a new release with `tiercast retrain`."
        )
    return None


def promote(store: ModelStore, entry: Promotion) -> Race:
    """Write an entry under its number; the winner where another was faster. Raises Unavailable where nobody knows.

    A lost answer is not a lost race: after a refusal or a fault the entry is read back, and its token decides.
    """
    fault: Exception | None = None
    for _ in range(_APPEND_TRIES):
        try:
            if store.log.append(entry.moment, entry.number, entry.to_bytes()):
                return Race(True, entry)
        except Unavailable as error:
            fault = error
        try:
            winner = Promotion.from_bytes(store.log.read(entry.moment, entry.number))
        except Missing:
            continue
        except (Unavailable, InvalidInput) as error:
            fault = error
            break
        return Race(winner.token == entry.token, winner)
    raise Unavailable(
        f"The outcome of promotion {entry.number} of {entry.moment} is unknown: {fault or 'it cannot be read back.'} "
        "Either the old or the new release serves, nothing in between. Run `tiercast models` to see which."
    ) from fault
