"""What the promotion log tells: every entry, and what people decided in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.ports.models import PromotionLog


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the promotion log: what it says, or why it cannot be read."""

    number: int
    promotion: Promotion | None
    damage: str | None = None


def history(log: PromotionLog, moment: Moment) -> list[Entry]:
    """Every entry of the log, oldest first; a damaged one says so. Raises Unavailable."""
    return [_entry(log, moment, number) for number in log.numbers(moment)]


def newest_first(log: PromotionLog, moment: Moment) -> Iterator[Entry]:
    """The same from the newest on, each read when it is asked for."""
    return (_entry(log, moment, number) for number in reversed(log.numbers(moment)))


def _entry(log: PromotionLog, moment: Moment, number: int) -> Entry:
    try:
        promotion = Promotion.from_bytes(log.read(moment, number))
        if (promotion.moment, promotion.number) != (moment, number):
            raise InvalidInput(f"It was written as entry {promotion.number} of {promotion.moment}.")
        if promotion.manifest_sha256 != promotion.release:
            raise InvalidInput(f"It names release {promotion.release[:12]} but the hash of another manifest.")
    except (InvalidInput, Missing) as error:
        return Entry(number, None, f"Promotion {number} cannot be used: {error}")
    return Entry(number, promotion)


def pinned(entries: Sequence[Promotion]) -> Promotion | None:
    """The pin that is in force, if one is; entries come oldest first."""
    choices = [entry for entry in entries if entry.action in ("pin", "unpin")]
    return choices[-1] if choices and choices[-1].action == "pin" else None


def withdrawn(entries: Sequence[Promotion]) -> dict[str, Promotion]:
    """Each release that a rollback took out of service, unless a later rollback or pin chose it again."""
    out: dict[str, Promotion] = {}
    for entry in entries:
        if entry.action == "rollback" and entry.previous:
            out[entry.previous] = entry
        if entry.action in ("rollback", "pin"):
            out.pop(entry.release, None)
    return out


def last_promoted_at(entries: Sequence[Promotion]) -> datetime | None:
    """When a retrain last promoted; None where none ever did."""
    return max((entry.at for entry in entries if entry.action == "promote"), default=None)


def release_before(entries: Sequence[Promotion], number: int, serving: str) -> str | None:
    """The release that served before entry ``number`` let this one serve: where a rollback leads."""
    earlier = [entry.release for entry in entries if entry.number < number and entry.release != serving]
    return earlier[-1] if earlier else None
