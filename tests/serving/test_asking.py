"""Threads for questions that may never be answered."""

import asyncio
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from tiercast.core.errors import Missing, Unavailable
from tiercast.serving import asking
from tiercast.serving.asking import Threads, asked, in_time


@pytest.fixture
def frozen() -> Iterator[threading.Event]:
    """What nobody gets an answer from before the test ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(2, "test")
    yield made
    made.shutdown(cancel_futures=True)


def fail() -> None:
    raise Missing("there is none")


def test_an_answer_or_an_error_comes_as_it_is(threads: Threads) -> None:
    assert asyncio.run(threads.ask(lambda: 7)) == 7
    assert threads.submit(divmod, 7, 2).result(60) == (3, 1)
    with pytest.raises(Missing, match="there is none"):
        asyncio.run(threads.ask(fail))
    with pytest.raises(Missing, match="there is none"):
        in_time(asked(fail), "Somebody")


def test_what_does_not_answer_is_given_up_in_a_sentence_and_keeps_nobody_else(
    threads: Threads, frozen: threading.Event
) -> None:
    with pytest.raises(Unavailable, match=r"^Not within 0\.01 seconds$") as caught:
        asyncio.run(threads.ask(frozen.wait, seconds=0.01, late="Not within {seconds:g} seconds"))
    assert caught.value.__cause__ is None, "callers are shown no error with a cause"
    assert asyncio.run(threads.ask(lambda: 7)) == 7


def test_one_question_is_given_up_too(frozen: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.01)
    with pytest.raises(Unavailable, match=r"The store did not answer within 0\.01 seconds"):
        in_time(asked(frozen.wait), "The store")


def test_questions_that_were_given_up_do_not_pile_up(threads: Threads, frozen: threading.Event) -> None:
    for _ in range(20):
        with pytest.raises(Unavailable):
            asyncio.run(threads.ask(frozen.wait, seconds=0.001))
    assert threads.waiting == 1
    frozen.set()
    assert asyncio.run(threads.ask(lambda: 7)) == 7


def test_no_more_threads_than_allowed_ask_at_a_time(threads: Threads, frozen: threading.Event) -> None:
    begun = [threading.Event() for _ in range(3)]

    def hang(number: int) -> None:
        begun[number].set()
        frozen.wait(60)

    found = [threads.submit(hang, number) for number in range(3)]
    assert begun[0].wait(60)
    assert begun[1].wait(60)
    assert (threads.waiting, begun[2].is_set()) == (1, False)
    frozen.set()
    for each in found:
        each.result(60)


def test_after_the_shutdown_nothing_begins_and_whoever_waited_knows_it(frozen: threading.Event) -> None:
    threads = Threads(1, "test")
    began = threading.Event()
    threads.submit(lambda: (began.set(), frozen.wait(60)))
    assert began.wait(60)
    waiting = threads.submit(lambda: 7)
    threads.shutdown(cancel_futures=True)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="test were shut down"):
        threads.submit(lambda: 7)


def test_what_was_asked_is_not_kept_in_memory(threads: Threads) -> None:
    body, gone = threading.Event(), threading.Event()
    weakref.finalize(body, gone.set)
    threads.submit(body.is_set).result(60)
    del body
    assert gone.wait(10)


HANGS = """
import asyncio, threading
from tiercast.core.errors import Unavailable
from tiercast.serving.asking import Threads, asked
asked(threading.Event().wait)
try:
    asyncio.run(Threads(1, "test").ask(threading.Event().wait, seconds=0.01))
except Unavailable:
    print("given up")
"""


def test_a_process_ends_though_a_thread_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], timeout=60, capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"given up\n", b"")
