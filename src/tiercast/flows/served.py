"""Who served at some time, as the promotion log tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.flows.model_store import releases
from tiercast.flows.promotion_history import Entry, history
from tiercast.ports.models import ObjectStore, PromotionLog


@dataclass(frozen=True, slots=True)
class Service:
    """The entry in force at some time, and how long its release served without a break."""

    entry: Promotion
    since: datetime
    until: datetime | None
    """None while it still serves."""


@dataclass(frozen=True, slots=True)
class Served:
    """Who served one moment; nobody before its first promotion."""

    moment: Moment
    service: Service | None
    stored: bool
    """Whether that release is still in the store."""
    doubts: tuple[str, ...]
    """Entries beside it that cannot be read: what they say, and when, nobody knows."""


@dataclass(frozen=True, slots=True)
class ServedAt:
    """Who served every moment at one time."""

    at: datetime
    moments: Sequence[Served]

    def to_document(self) -> dict[str, object]:
        """The answer of ``models --at --json``."""
        return {"at": self.at.isoformat(), "moments": [_document(each) for each in self.moments]}


def served_at(entries: Sequence[Entry], at: datetime) -> tuple[Service | None, tuple[str, ...]]:
    """The newest entry written by then with its release's service, and the damage of entries that may be newer.

    Entries come oldest first; their order is that of their numbers, so clocks that differ a little do not matter.
    """
    by_then = [place for place, each in enumerate(entries) if each.promotion and each.promotion.at <= at]
    place = max(by_then, default=-1)
    beyond = (later for later in range(place + 1, len(entries)) if entries[later].promotion)
    doubtful = entries[place + 1 : next(beyond, len(entries))]
    found = entries[place].promotion if by_then else None
    return _service(entries, found) if found else None, tuple(each.damage or "" for each in doubtful)


def _service(entries: Sequence[Entry], found: Promotion) -> Service:
    others = [each.promotion for each in entries if each.promotion and each.promotion.release != found.release]
    began_after = max((other.number for other in others if other.number < found.number), default=0)
    ended_by = min((other.number for other in others if other.number > found.number), default=None)
    same = [each.promotion for each in entries if each.promotion and each.promotion.release == found.release]
    since = next(one.at for one in same if one.number > began_after)
    return Service(found, since, next((other.at for other in others if other.number == ended_by), None))


def who_served(objects: ObjectStore, log: PromotionLog | None, moments: Sequence[Moment], at: datetime) -> ServedAt:
    """Who served each moment at a time; raises Unavailable."""
    return ServedAt(at, [_served(objects, log, moment, at) for moment in moments])


def _served(objects: ObjectStore, log: PromotionLog | None, moment: Moment, at: datetime) -> Served:
    service, doubts = served_at(history(log, moment) if log else [], at)
    return Served(moment, service, service is not None and service.entry.release in releases(objects, moment), doubts)


def _document(served: Served) -> dict[str, object]:
    service = served.service
    told = service and {
        "release": service.entry.release,
        "number": service.entry.number,
        "action": service.entry.action,
        "actor": service.entry.actor,
        "reason": service.entry.reason,
        "since": service.since.isoformat(),
        "until": service.until.isoformat() if service.until else None,
        "stored": served.stored,
    }
    return {"moment": served.moment.value, "served": told, "warnings": list(served.doubts)}
