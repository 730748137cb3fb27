"""A few threads that ask for predictions one after the other, until they are told to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from http_service import until

Ask = Callable[[int], dict[str, Any]]
"""The body of a request, by its number."""


@dataclass(frozen=True)
class Given:
    """One answer."""

    number: int
    asked: dict[str, Any]
    status: int
    document: Any
    began_at: float

    @property
    def ids(self) -> set[str]:
        """The videos that were predicted."""
        return {each["video_id"] for each in self.document.get("predictions", [])}


@dataclass
class Load:
    """What was answered so far, and which requests got no answer at all."""

    url: str
    ask: Ask
    given: list[Given] = field(default_factory=list)
    broken: list[tuple[float, str]] = field(default_factory=list)
    """When it was sent, and how its connection ended."""
    _asked: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ids(self) -> set[str]:
        """Every video that was predicted so far."""
        return {each for given in tuple(self.given) for each in given.ids}

    def more(self, count: int) -> None:
        """Wait for so many further answers."""
        wanted = len(self.given) + count
        until(lambda: len(self.given) >= wanted or None)

    def run(self) -> None:
        """One thread of it; a connection that broke is opened again."""
        while not self._stopping.is_set():
            with httpx2.Client(timeout=60) as client:
                self._ask_on(client)

    def stop(self) -> None:
        """Ask nothing new."""
        self._stopping.set()

    def _ask_on(self, client: httpx2.Client) -> None:
        while not self._stopping.is_set():
            with self._lock:
                number, self._asked = self._asked, self._asked + 1
            asked, began_at = self.ask(number), time.monotonic()
            try:
                answer = client.post(f"{self.url}/v1/predict", json=asked)
            except httpx2.TransportError as error:
                self.broken.append((began_at, f"{type(error).__name__}: {error}"))
                self._stopping.wait(0.02)  # until somebody listens again
                return
            self.given.append(Given(number, asked, answer.status_code, answer.json(), began_at))


@contextmanager
def under_load(url: str, ask: Ask, *, threads: int = 3) -> Iterator[Load]:
    """A service that is asked without pause; every answer so far was 200 when it ends."""
    load = Load(url, ask)
    running = [threading.Thread(target=load.run) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        load.more(20)
        yield load
    finally:
        load.stop()
        for thread in running:
            thread.join()
    assert [given for given in load.given if given.status != 200] == []
