"""How long each stage of a run took."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Seconds by stage, in the order in which they were first entered."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what happens inside to this stage, also where it fails."""
        began = perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + perf_counter() - began

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, and the total since the watch was made, in milliseconds' precision."""
        measured = {**self._seconds, "total": perf_counter() - self._began}
        return {name: round(seconds, 3) for name, seconds in measured.items()}
