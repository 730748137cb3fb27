"""The port of a service, alone and shared out among workers."""

import pickle
import socket
import sys
from collections.abc import Iterator
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
def test_a_port_is_held_once(first: int, second: int, stack: ExitStack) -> None:
    held = stack.enter_context(listen_at("127.0.0.1", 0, workers=first))
    port = held.getsockname()[1]
    if first == 1:
        held.listen()
    else:
        with pytest.raises(OSError, match="in use"):  # also before its workers listen
            listen_at("127.0.0.1", port, workers=second)
        stack.enter_context(as_worker_gets_it(held))
    with pytest.raises(OSError, match="in use"):
        listen_at("127.0.0.1", port, workers=second)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (2, 2)])
def test_a_port_can_be_had_again_while_connections_of_before_fade(first: int, second: int, stack: ExitStack) -> None:
    with ExitStack() as before:
        held = before.enter_context(listen_at("127.0.0.1", 0, workers=first))
        port = held.getsockname()[1]
        if first == 1:
            held.listen()
        listening = held if first == 1 else before.enter_context(as_worker_gets_it(held))
        asking = socket.create_connection(("127.0.0.1", port))
        listening.accept()[0].close()  # who closes first keeps the port busy for a minute
        asking.close()
    again = stack.enter_context(listen_at("127.0.0.1", port, workers=second))
    assert again.getsockname()[1] == port
