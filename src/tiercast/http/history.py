"""The video store as predictions need it: asked while it is there, and never waited for while it is away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl
import structlog

from tiercast.core.errors import Unavailable
from tiercast.intake.schema import SCHEMA
from tiercast.ports import VideoHistory

Answer = TypeVar("Answer")


@dataclass(slots=True)
class LastKnownHistory:
    """A VideoHistory that goes on without a database: nothing is known of earlier posts then, and answers say so."""

    open: Callable[[], VideoHistory]
    away: str | None = None
    """Why the store cannot be asked at present; None where it can."""

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        """As the store's own; raises Unavailable, since without it no model of history can be asked at all."""
        return self.open().recent(limit=limit)

    def of_creators(self, creators: Sequence[tuple[str, str]]) -> pl.DataFrame:
        """As the store's own; without rows while it is away."""
        nothing = pl.DataFrame(schema=SCHEMA)
        return self._asked(lambda store: store.of_creators(creators), nothing) if creators else nothing

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        """As the store's own; none while it is away."""
        return self._asked(lambda store: store.platforms_of(authors), {}) if authors else {}

    def everything(self) -> pl.DataFrame:
        """As the store's own."""
        return self.open().everything()

    def probe(self) -> None:
        """Ask whether the store is there (again)."""
        try:
            self.open().platforms_of(["."])
        except Unavailable as error:
            self._lost(error)
        else:
            if self.away is not None:
                structlog.get_logger().info("video store within reach again")
            self.away = None

    def _asked(self, ask: Callable[[VideoHistory], Answer], instead: Answer) -> Answer:
        if self.away is not None:
            return instead
        try:
            return ask(self.open())
        except Unavailable as error:
            self._lost(error)
            return instead

    def _lost(self, error: Unavailable) -> None:
        if self.away is None:
            structlog.get_logger().warning("video store out of reach", problem=str(error))
        self.away = str(error)
