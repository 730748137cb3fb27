"""The thread that looks at what is outside, and for how long it has said nothing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Final

from tiercast.core.errors import TiercastError
from tiercast.serving.asking import Threads, asked, in_time

MISSED: Final = 6
"""Looks in a row that may be missed before somebody should hear of it."""


class Upkeep:
    """One thread of its own, so that no request that waits for a database keeps it from looking."""

    def __init__(self, every_seconds: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._most_seconds = MISSED * every_seconds
        self._clock = clock
        self._looked_at = clock()
        self._executor = Threads(1, "upkeep")
        self._asked: dict[str, Future[None]] = {}

    async def run(self, look: Callable[[], None]) -> None:
        """Look once."""
        await asyncio.get_running_loop().run_in_executor(self._executor, look)

    def came(self, who: str, ask: Callable[[], None]) -> bool:
        """Whether something that each look asks came to its end in time; while it hangs, it is not asked again."""
        last = self._asked.get(who)
        if last is None or last.done():  # each that hangs holds a connection
            last = self._asked[who] = asked(ask)
        try:
            in_time(last, who)
        except TiercastError:
            return False
        return True

    def looked(self) -> None:
        """Note that a look came to its end."""
        self._looked_at = self._clock()

    def silent_seconds(self) -> float | None:
        """How long no look has come to its end; None where that is as it should be."""
        silent = self._clock() - self._looked_at
        return silent if silent > self._most_seconds else None

    def close(self) -> None:
        """Look no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
