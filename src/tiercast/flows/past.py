"""What the gate needs to know of the past: who serves, how the tiers were cut before, and what callers sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest
from tiercast.flows.model_store import Standing, load_manifest
from tiercast.flows.promotion_history import newest_first
from tiercast.ports.models import ObjectStore, PromotionLog
from tiercast.ports.serving import MissingCounts

REMEMBERED: Final = 20
"""Promotions whose edges are looked at: five months of weekly ones."""


@dataclass(frozen=True, slots=True)
class Past:
    """Who serves, what was promoted, and the present that it is the past of."""

    standing: Standing
    now: datetime
    libraries: Mapping[str, str]
    edges: tuple[Mapping[str, object], ...] = ()
    """The tiers of the newest promoted releases, oldest first, as their manifests tell them."""
    served: MissingCounts | None = None
    """What recent predictions lacked; None in a replay, in which nobody was served."""

    def edges_like(self, tiers: Mapping[str, object]) -> tuple[tuple[int, ...], ...]:
        """The edges of all videos in releases whose tiers were relative to the same as these."""
        same = [each for each in self.edges if each["relative_to"] == tiers["relative_to"]]
        return tuple(tuple(each["edges"]["all"]) for each in same)  # type: ignore[index]


def promoted_tiers(
    objects: ObjectStore, log: PromotionLog | None, moment: Moment
) -> tuple[Mapping[str, object], ...]:  # fmt: skip
    """The tiers of the last twenty promotions of models that learned views; one that cannot be read is passed over."""
    found: list[Mapping[str, object]] = []
    entries = newest_first(log, moment) if log else ()
    promotions = (each.promotion for each in entries if each.promotion and each.promotion.action == "promote")
    for promotion, _ in zip(promotions, range(REMEMBERED), strict=False):
        try:
            manifest: Manifest = load_manifest(objects, moment, promotion.release)
        except (InvalidInput, Missing):
            continue
        if manifest.tiers is not None:
            found.append(manifest.tiers)
    return tuple(reversed(found))
