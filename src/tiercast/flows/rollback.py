"""What people decide about who serves: back to an earlier release, or one that stays until they say otherwise."""

from collections.abc import Sequence
from dataclasses import replace

from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.core.release import Action, Promotion
from tiercast.flows.model_store import (
    Champion,
    ModelStore,
    Standing,
    Writer,
    load_release,
    named,
    promote,
    resolve_release,
    standing,
)
from tiercast.flows.promotion_history import history, release_before


def rollback(store: ModelStore, moment: Moment, *, release: str | None, reason: str, writer: Writer) -> Promotion:
    """Make an earlier champion serve again: the one named by a unique prefix, or the one that served before.

    Raises InvalidInput where the target already serves or never served, or where a release is pinned, Missing where
    there is none, and Unavailable where the store is, or where another promotion took the number first.
    """
    now, champion = _serving(store, moment)
    if now.pinned:
        raise InvalidInput(
            f"{_told(now.pinned)} Nothing was rolled back. Run `tiercast unpin` first, or pin another release."
        )
    served = _served(store, moment)
    target = _before(champion, served) if release is None else _chosen(store, moment, release, served)
    # Where newer entries are damaged, the release that serves may be confirmed by name.
    if target == champion.release.id and not champion.warnings:
        raise InvalidInput(f"Release {target[:12]} already serves {moment}.")
    load_release(store.objects, moment, target)
    return _written(store, now, _decision("rollback", target, moment, reason=reason, writer=writer))


def pin(store: ModelStore, moment: Moment, *, release: str, reason: str, writer: Writer) -> Promotion:
    """Let a release that serves or served do so until it is unpinned; no retrain promotes meanwhile.

    Raises as ``rollback`` does; InvalidInput also where this very release is pinned already.
    """
    now, champion = _serving(store, moment)
    target = _chosen(store, moment, release, _served(store, moment))
    if now.pinned and now.pinned.release == target:
        raise InvalidInput(_told(now.pinned))
    load_release(store.objects, moment, target)
    decision = _decision("pin", target, moment, reason=reason, writer=writer)
    if target == champion.release.id:  # who is only kept where it is has not become better by that
        decision = replace(decision, best=champion.promotion.best)
    return _written(store, now, decision)


def unpin(store: ModelStore, moment: Moment, *, reason: str, writer: Writer) -> Promotion:
    """Let retrains promote again; who serves stays. Raises InvalidInput where nothing is pinned, and Unavailable."""
    now = standing(store.objects, store.log, moment)
    if now.pinned is None:
        raise InvalidInput(f"No release of {moment} is pinned, so there is nothing to unpin.")
    serving = now.release.id if now.release else now.pinned.release
    entry = _decision("unpin", serving, moment, reason=reason, writer=writer)
    best = now.champion.promotion.best if now.champion else now.pinned.best
    return _written(store, now, replace(entry, best=best))


def _serving(store: ModelStore, moment: Moment) -> tuple[Standing, Champion]:
    now = standing(store.objects, store.log, moment)
    if now.champion is None:
        raise Missing(now.warnings[0] if now.warnings else _nothing(store, moment))
    return now, now.champion


def _nothing(store: ModelStore, moment: Moment) -> str:
    told = f"Nothing was ever promoted for {moment}, so no earlier release could serve."
    others = " and ".join(each.value for each in Moment if store.log.numbers(each))
    return f"{told} There are promotions for {others}: name the moment." if others else told


def _served(store: ModelStore, moment: Moment) -> list[Promotion]:
    return [entry.promotion for entry in history(store.log, moment) if entry.promotion]


def _told(pinned: Promotion) -> str:
    return (
        f"Release {pinned.release[:12]} of {pinned.moment} has been pinned since {pinned.at:%Y-%m-%d %H:%M} UTC by "
        f"{pinned.actor}: {pinned.reason.rstrip('.')}."
    )


def _before(champion: Champion, served: Sequence[Promotion]) -> str:
    """The release that served before the champion."""
    serving, entry = champion.release.id, champion.promotion
    before = release_before(served, entry.number, serving)
    if before is None:
        raise Missing(
            f"No other release of {entry.moment} served before {serving[:12]}, so there is none to go back to."
        )
    return before


def _chosen(store: ModelStore, moment: Moment, prefix: str, served: Sequence[Promotion]) -> str:
    """The release with this prefix, which has to have served; one that has been removed since is known by name."""
    known = sorted({entry.release for entry in served})
    target = resolve_release(store.objects, moment, prefix, others=known)
    if target not in known:
        raise InvalidInput(f"Release {target[:12]} never served {moment}. Those that did: {named(known)}.")
    return target


def _decision(action: Action, release: str, moment: Moment, *, reason: str, writer: Writer) -> Promotion:
    """An entry that somebody at a keyboard writes; candidates are held to what they chose."""
    return Promotion(
        number=0,
        moment=moment,
        action=action,
        release=release,
        previous=None,
        manifest_sha256=release,
        verdict=None,
        findings=(),
        actor=writer.actor,
        reason=reason,
        run=None,
        at=writer.at,
        token=writer.token,
        best=release,
    )


def _written(store: ModelStore, now: Standing, decision: Promotion) -> Promotion:
    """Write the entry after the last one that the decision was made beside."""
    previous = now.release.id if now.release else None
    entry = replace(decision, number=now.last_number + 1, previous=previous)
    race = promote(store, entry)
    if not race.won:
        raise Unavailable(
            f"{race.entry.actor} wrote promotion {entry.number} first ({race.entry.action} of "
            f"{race.entry.release[:12]}), so nothing else was written. Look at `tiercast models`, then try again."
        )
    return entry
