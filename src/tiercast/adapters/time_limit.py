"""A time limit on work in the main thread."""

import signal
import time
from types import FrameType
from typing import Final

from tiercast.core.errors import Overdue

AGAIN_SECONDS: Final = 5.0
"""Where a library swallowed the error, it is raised again; by then work that heeds it is out of the block."""


class TimeLimit:
    """A block that may be entered several times; the clock runs from the beginning, also between the blocks.

    Raises Overdue with ``sentence`` in the main thread. Without SIGALRM (Windows) only entering a block looks at the
    clock.
    """

    def __init__(self, seconds: float, sentence: str) -> None:
        self._ends = time.monotonic() + seconds
        self._sentence = sentence
        self._inside = False

    def __enter__(self) -> None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Overdue(self._sentence)
        self._inside = True
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, left, AGAIN_SECONDS)

    def __exit__(self, *exc: object) -> None:
        self._inside = False
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._inside:
            raise Overdue(self._sentence)
