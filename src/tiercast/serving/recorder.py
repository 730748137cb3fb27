"""Keeping what was served, off the request path: nobody waits for it, and nothing of it grows without bound."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from typing import Final

import structlog

from tiercast.core.errors import InvalidInput, TiercastError
from tiercast.flows.kept import Kept, served_of
from tiercast.ports.serving import ServedPrediction, ServedPredictions

BATCH: Final = 500
"""Predictions of one transaction: some 20 ms of SQLite's only writer."""
GATHER_SECONDS: Final = 1.0
"""How long the first of a batch waits for others: a transaction for each would cost more than predicting."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
"""A database that comes back is noticed within this time."""
TIDY_SECONDS: Final = 3_600.0
"""How often what is too old is dropped."""


@dataclass(slots=True)
class Recorder:
    """Takes served predictions at any pace, and writes them in batches while the database is there."""

    store: Callable[[], ServedPredictions]
    """Opened in the background, and again until that succeeds."""
    now: Callable[[], datetime]
    max_waiting: int
    keep_days: int
    """0 keeps nothing, and drops what was kept before."""
    kept: int = 0
    """Predictions written since the start."""
    dropped: int = 0
    """Predictions lost since the start: there was no room, or no try could have kept them."""
    waiting: int = 0
    """Predictions that are not written yet."""
    problem: str | None = None
    """Why nothing can be written at present, in one sentence."""
    _inbox: deque[tuple[Kept, int]] = field(default_factory=deque)
    _ready: deque[ServedPrediction] = field(default_factory=deque)
    """Used by the thread alone, as everything below."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _ends_at: float | None = None
    _pause_seconds: float = 0.0
    _retry_at: float = 0.0
    _tidy_at: float = 0.0

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="recorder")
        self._thread.start()

    def put(self, kept: Kept) -> None:
        """Take a call's predictions; those for which there is no room are counted and dropped. Never waits."""
        if self.keep_days == 0:
            return
        with self._changed:
            before, room = self.waiting, 0 if self._ends_at is not None else self.max_waiting - self.waiting
            taken = min(len(kept), room)
            self.dropped += len(kept) - taken
            if not taken:
                return
            self._inbox.append((kept, taken))
            self.waiting += taken
            if before == 0 or before < BATCH <= self.waiting:
                self._changed.notify()

    def close(self, timeout_seconds: float) -> int:
        """Write what waits, within this time; how many predictions could not be written."""
        with self._changed:
            self._ends_at = monotonic() + timeout_seconds
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        with self._changed:
            lost, self.waiting = self.waiting, 0
            self.dropped += lost
        if lost:
            structlog.get_logger().warning("predictions lost", lost=lost, problem=self.problem)
        return lost

    # -- the thread

    def _run(self) -> None:
        while self._is_needed():
            self._gather()
            self._turn()
            if self._is_due(self._retry_at):
                self._work()

    def _is_needed(self) -> bool:
        if self._ends_at is None:
            return True
        return bool(self._inbox or self._ready) and monotonic() < self._ends_at

    def _gather(self) -> None:
        """Wait until there is a batch, or something that has waited for one long enough, or something else to do."""
        with self._changed:
            if not self._ready:
                self._changed.wait_for(lambda: self._inbox or self._ends_at is not None, self._idle_seconds())
            wait = max(GATHER_SECONDS if self._inbox and not self._ready else 0.0, self._retry_at - monotonic())
            if wait > 0:
                self._changed.wait_for(self._is_pressing, min(wait, GATHER_SECONDS))

    def _is_pressing(self) -> bool:
        return self._ends_at is not None or sum(taken for _, taken in self._inbox) >= BATCH

    def _idle_seconds(self) -> float:
        return max(0.0, max(self._tidy_at, self._retry_at) - monotonic())

    def _is_due(self, at: float) -> bool:
        return monotonic() >= at or self._ends_at is not None

    def _turn(self) -> None:
        """What came in, as compact rows: they also wait out a long absence of the database without its frames."""
        while self._inbox:
            kept, taken = self._inbox.popleft()
            try:
                self._ready.extend(served_of(kept)[:taken])
            except Exception:  # noqa: BLE001 the thread's edge: a fault in one call's answers loses those alone
                structlog.get_logger().exception("predictions cannot be kept", predictions=taken)
                self._settle(taken, kept=0)

    def _work(self) -> None:
        """Write a batch, and drop what is too old; after a failure, again a little later."""
        try:
            store = self.store()
            if self._ends_at is None and monotonic() >= self._tidy_at:
                store.drop_before(self.now() - timedelta(days=self.keep_days))
                self._tidy_at = monotonic() + TIDY_SECONDS
            while self._ready and (self._ends_at is None or monotonic() < self._ends_at):
                batch = list(islice(self._ready, BATCH))
                self._settle(len(batch), kept=self._write(store, batch))
                for _ in batch:
                    self._ready.popleft()
                self._turn()
        except TiercastError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 the thread's edge: it has to live as long as the service
            if self.problem is None:
                structlog.get_logger().exception("keeping predictions failed")
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self._recovered()

    def _write(self, store: ServedPredictions, batch: Sequence[ServedPrediction]) -> int:
        """How many were kept: where one can never be, each is tried by itself, so that it takes no other with it."""
        try:
            store.save(batch)
        except InvalidInput as error:
            kept = sum(_keeps(store, each) for each in batch)
            structlog.get_logger().warning("predictions refused", refused=len(batch) - kept, reason=str(error))
            return kept
        return len(batch)

    def _settle(self, count: int, *, kept: int) -> None:
        with self._changed:
            self.waiting -= count
            self.kept += kept
            self.dropped += count - kept

    def _failed(self, sentence: str) -> None:
        if self.problem is None:
            structlog.get_logger().warning("predictions wait", problem=sentence, waiting=self.waiting)
        self.problem = sentence
        self._pause_seconds = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds))
        self._retry_at = monotonic() + self._pause_seconds
        if self._ends_at is not None:  # until the end, a try now and then is all that is left
            with self._changed:
                self._changed.wait(min(FIRST_PAUSE_SECONDS, max(0.0, self._ends_at - monotonic())))

    def _recovered(self) -> None:
        if self.problem is not None:
            structlog.get_logger().info(
                "predictions are kept again", waiting=self.waiting, kept=self.kept, dropped=self.dropped
            )
        self.problem, self._pause_seconds, self._retry_at = None, 0.0, 0.0


def _keeps(store: ServedPredictions, served: ServedPrediction) -> bool:
    try:
        store.save([served])
    except InvalidInput:
        return False  # told with the others of its batch
    return True
