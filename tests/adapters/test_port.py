"""The port of a service, alone and shared out among workers."""

import pickle
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.reduction import ForkingPickler

import pytest

from tiercast.adapters.port import listen_at

CONNECTIONS = 40
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares connections out among sockets")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def as_worker_gets_it(held: socket.socket) -> socket.socket:
    found: socket.socket = pickle.loads(ForkingPickler.dumps(held))
    found.listen(CONNECTIONS)
    return found


def free_port() -> int:
    with listen_at("127.0.0.1", 0, workers=1) as held:
        return int(held.getsockname()[1])


def accepted(listening: socket.socket) -> list[socket.socket]:
    """Every connection that waits there."""
    listening.setblocking(False)
    found = []
    while True:
        try:
            found.append(listening.accept()[0])
        except BlockingIOError:
            return found


@needs_linux
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_workers_share_the_connections_of_a_port(host: str, stack: ExitStack) -> None:
    held = stack.enter_context(listen_at(host, 0, workers=2))
    address = held.getsockname()[:2]
    workers = [stack.enter_context(as_worker_gets_it(held)) for _ in range(2)]
    for _ in range(CONNECTIONS):
        stack.enter_context(socket.create_connection(address))
    counts = [len([stack.enter_context(each) for each in accepted(worker)]) for worker in workers]
    assert sum(counts) == CONNECTIONS
    assert min(counts) > 0


@pytest.mark.parametrize("second", [1, 2])
@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("chosen", [True, False])
def test_a_port_is_held_once(first: int, second: int, chosen: bool, stack: ExitStack) -> None:
    held = stack.enter_context(listen_at("127.0.0.1", free_port() if chosen else 0, workers=first))
    port = held.getsockname()[1]
    with pytest.raises(OSError, match="in use"):  # also before its workers listen
        listen_at("127.0.0.1", port, workers=second)
    if first == 2:
        stack.enter_context(as_worker_gets_it(held))
    with pytest.raises(OSError, match="in use"):
        listen_at("127.0.0.1", port, workers=second)


@pytest.mark.parametrize("workers", [1, 2])
def test_of_services_that_start_at_once_one_gets_the_port(workers: int, stack: ExitStack) -> None:
    for _ in range(20):
        port, together = free_port(), threading.Barrier(3)

        def start(port: int = port, together: threading.Barrier = together) -> socket.socket | None:
            together.wait()
            try:
                return listen_at("127.0.0.1", port, workers=workers)
            except OSError:
                return None

        with ThreadPoolExecutor(3) as threads:
            outcomes = [each.result() for each in [threads.submit(start) for _ in range(3)]]
        held = [each for each in outcomes if each is not None]
        for each in held:
            each.close()
        assert len(held) <= 1


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (2, 2)])
def test_a_port_can_be_had_again_while_connections_of_before_fade(first: int, second: int, stack: ExitStack) -> None:
    with ExitStack() as before:
        held = before.enter_context(listen_at("127.0.0.1", 0, workers=first))
        port = held.getsockname()[1]
        listening = held if first == 1 else before.enter_context(as_worker_gets_it(held))
        asking = socket.create_connection(("127.0.0.1", port))
        listening.accept()[0].close()  # who closes first keeps the port busy for a minute
        asking.close()
    again = stack.enter_context(listen_at("127.0.0.1", port, workers=second))
    assert again.getsockname()[1] == port
