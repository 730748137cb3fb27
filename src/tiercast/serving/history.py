"""The video store as predictions need it: remembered for a minute, and for as long as it is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
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


@dataclass(slots=True)
class LastKnownHistory:
    """A VideoHistory that goes on without a database: creators it was asked for are remembered, others are unknown."""

    open: Callable[[], VideoHistory]
    away: str | None = None
    """Why the store cannot be asked at present; None where it can."""
    _reason: Unavailable | None = None
    _known: OrderedDict[Creator, _Known] = field(default_factory=OrderedDict)
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
        unknown = self._not_fresh(creators)
        if unknown and self.away is None:
            try:
                self._remember(unknown, in_time(asked(lambda: self.open().of_creators(unknown)), WHO))
            except Unavailable as error:
                self._lost(error)
        with self._lock:
            found = [self._known[creator].rows for creator in creators if creator in self._known]
        found = [rows for rows in found if not rows.is_empty()]
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
        """Read every creator anew: what is stored has changed."""
        with self._lock:
            self._known.clear()
            self._observations = 0

    def _not_fresh(self, creators: Iterable[Creator]) -> list[Creator]:
        oldest = monotonic() - REMEMBERED_SECONDS
        with self._lock:
            for creator in creators:
                if creator in self._known:
                    self._known.move_to_end(creator)
            return [each for each in creators if each not in self._known or self._known[each].read_at < oldest]

    def _remember(self, creators: Sequence[Creator], rows: pl.DataFrame) -> None:
        parts = rows.partition_by("platform", "author", as_dict=True) if rows.height else {}
        read_at = monotonic()
        with self._lock:
            for creator in creators:
                known = _Known(parts.get(creator, NOTHING), read_at)
                before = self._known.pop(creator, None)
                self._observations += known.rows.height - (before.rows.height if before else 0)
                self._known[creator] = known
            while self._is_full() and len(self._known) > len(creators):
                self._observations -= self._known.popitem(last=False)[1].rows.height

    def _is_full(self) -> bool:
        return self._observations > MOST_OBSERVATIONS or len(self._known) > MOST_CREATORS

    def _lost(self, error: Unavailable) -> None:
        if self.away is None:
            structlog.get_logger().warning("video store out of reach", problem=str(error))
        self.away, self._reason = str(error), error
