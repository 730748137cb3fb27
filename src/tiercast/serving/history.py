"""The video store as predictions need it: remembered for a minute, and for as long as it is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import polars as pl
import structlog

from tiercast.core.errors import Unavailable
from tiercast.intake.schema import SCHEMA
from tiercast.ports.videos import VideoHistory
from tiercast.serving.asking import asked, in_time

REMEMBERED_SECONDS: Final = 60.0
"""How old a creator's posts may be where the store can be asked; a forecast rests on days."""
WHO: Final = "The video store"
MOST_OBSERVATIONS: Final = 100_000
"""Some 40 MB; the creators that were asked for longest ago go first."""
MOST_CREATORS: Final = 20_000
"""Also those of whom nothing is stored, whom anybody may make up."""
ORDER: Final = ("published_at", "platform", "video_id", "scraped_at")
"""How a VideoHistory orders its rows."""

NOTHING: Final = pl.DataFrame(schema=SCHEMA)

Creator = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    rows: pl.DataFrame
    read_at: float
    changes: int
    """How often what is stored had changed before they were read."""


@dataclass(slots=True)
class LastKnownHistory:
    """A VideoHistory that goes on without a database: creators it was asked for are remembered, others are unknown."""

    open: Callable[[], VideoHistory]
    away: str | None = None
    """Why the store cannot be asked at present; None where it can."""
    _reason: Unavailable | None = None
    _known: OrderedDict[Creator, _Known] = field(default_factory=OrderedDict)
    _changes: int = 0
    """How often what is stored has changed, as far as this process did it."""
    _observations: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _probing: "Future[dict[str, str]] | None" = None
    """The last probe, which may still wait for its answer."""

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        """As the store's own; raises Unavailable, at once while the store is known to be away."""
        if self.away is not None:
            raise Unavailable(self.away) from self._reason
        return self.open().recent(limit=limit)

    def of_creators(self, creators: Sequence[Creator]) -> pl.DataFrame:
        """As the store's own, up to a minute old; while it is away, what was known when it was last asked."""
        changes, known, stale = self._remembered(creators)
        if stale and self.away is None:
            try:
                rows = in_time(asked(lambda: self.open().of_creators(stale)), WHO)
                known |= self._remember(stale, rows, changes)
            except Unavailable as error:
                self._lost(error)
        found = [rows for rows in known.values() if not rows.is_empty()]
        return pl.concat(found).sort(ORDER) if found else NOTHING

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        """As the store's own; none while it is away."""
        if not authors or self.away is not None:
            return {}
        try:
            return in_time(asked(lambda: self.open().platforms_of(authors)), WHO)
        except Unavailable as error:
            self._lost(error)
            return {}

    def everything(self) -> pl.DataFrame:
        """As the store's own."""
        return self.open().everything()

    def probe(self) -> None:
        """Ask whether the store is there (again)."""
        if self._probing is None or self._probing.done():  # one that hangs holds a connection, as another would
            self._probing = asked(lambda: self.open().platforms_of(["."]))
        try:
            in_time(self._probing, WHO)
        except Unavailable as error:
            self._lost(error)
            return
        if self.away is not None:
            structlog.get_logger().info("video store within reach again")
        self.away, self._reason = None, None

    def forget(self) -> None:
        """Read every creator anew: what is stored has changed. While the store is away, what is known still answers."""
        with self._lock:
            self._changes += 1

    def _remembered(self, creators: Sequence[Creator]) -> tuple[int, dict[Creator, pl.DataFrame], list[Creator]]:
        """The changes until now, the rows of each creator that is known, and the creators to be read (again)."""
        oldest = monotonic() - REMEMBERED_SECONDS
        with self._lock:
            known = {creator: self._known[creator] for creator in creators if creator in self._known}
            for creator in known:
                self._known.move_to_end(creator)
            fresh = {c for c, each in known.items() if each.read_at >= oldest and each.changes == self._changes}
            rows = {creator: each.rows for creator, each in known.items()}
            return self._changes, rows, [creator for creator in creators if creator not in fresh]

    def _remember(
        self, creators: Sequence[Creator], rows: pl.DataFrame, changes: int
    ) -> dict[Creator, pl.DataFrame]:  # fmt: skip
        """Each creator's rows, of those that were read after so many changes."""
        parts = rows.partition_by("platform", "author", as_dict=True) if rows.height else {}
        own = {creator: parts.get(creator, NOTHING) for creator in creators}
        read_at = monotonic()
        with self._lock:
            for creator, theirs in own.items():
                before = self._known.pop(creator, None)
                self._observations += theirs.height - (before.rows.height if before else 0)
                self._known[creator] = _Known(theirs, read_at, changes)
            while self._is_full() and len(self._known) > len(creators):
                self._observations -= self._known.popitem(last=False)[1].rows.height
        return own

    def _is_full(self) -> bool:
        return self._observations > MOST_OBSERVATIONS or len(self._known) > MOST_CREATORS

    def _lost(self, error: Unavailable) -> None:
        if self.away is None:
            structlog.get_logger().warning("video store out of reach", problem=str(error))
        self.away, self._reason = str(error), error
