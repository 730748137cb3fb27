"""Asking what may never answer, in threads that nobody has to wait for: no request, and not the end of the process."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from tiercast.core.errors import Unavailable

ASK_SECONDS: Final = 5.0
"""A database that takes longer counts as away: a frozen one, or one behind a dead line, would never answer."""
SILENT: Final = "The database did not answer in time ({seconds:g} seconds). Nothing was changed; try again later."

P = ParamSpec("P")
Found = TypeVar("Found")


class Threads(Executor):
    """At most so many threads. Unlike those of a ThreadPoolExecutor, one that hangs lets the process end."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._started = 0
        self._closed = False
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many calls no thread has taken yet."""
        return len(self._waiting)

    def submit(self, fn: Callable[P, Found], /, *args: P.args, **kwargs: P.kwargs) -> Future[Found]:
        """What a call will give, once a thread is free for it; raises RuntimeError after the shutdown."""
        found: Future[Found] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError(f"The threads called {self._name} were shut down, so they take no more calls.")
            while self._waiting and self._waiting[0][0].cancelled():  # else they would pile up behind hanging ones
                self._waiting.popleft()
            self._waiting.append((found, partial(fn, *args, **kwargs)))
            if self._started < self._most:
                threading.Thread(target=self._run, daemon=True, name=self._name).start()
                self._started += 1
            self._changed.notify()
        return found

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Take no more calls. Whatever ``wait`` says, nobody waits here: a thread may hang for ever."""
        with self._changed:
            self._closed = True
            for found, _ in self._waiting if cancel_futures else ():
                found.cancel()
            self._changed.notify_all()

    async def ask(self, ask: Callable[[], Found], *, seconds: float = ASK_SECONDS, late: str = SILENT) -> Found:
        """What a call gives; raises Unavailable with the sentence ``late`` where it takes longer than these seconds."""
        answer = asyncio.get_running_loop().run_in_executor(self, ask)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise Unavailable(late.format(seconds=seconds)) from None  # a cause would keep the sentence from callers

    def _run(self) -> None:
        while self._take_one():
            pass

    def _take_one(self) -> bool:
        """Whether there may be another; nothing of a call is kept while the next one is waited for."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return False
            found, ask = self._waiting.popleft()
        if found.set_running_or_notify_cancel():
            _settle(found, ask)
        return True


def asked(ask: Callable[[], Found]) -> Future[Found]:
    """What a thread of its own will find."""
    found: Future[Found] = Future()
    threading.Thread(target=_settle, args=(found, ask), daemon=True, name="asking").start()
    return found


def in_time(found: Future[Found], who: str) -> Found:
    """The answer; raises Unavailable where it does not come within ASK_SECONDS."""
    try:
        return found.result(ASK_SECONDS)
    except TimeoutError as error:
        raise Unavailable(f"{who} did not answer within {ASK_SECONDS:g} seconds. Is it frozen?") from error


def _settle(found: Future[Found], ask: Callable[[], Found]) -> None:
    try:
        found.set_result(ask())
    except Exception as error:  # noqa: BLE001  the thread's edge: it is raised for whoever waits
        found.set_exception(error)
