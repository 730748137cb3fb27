"""The port that a service listens at: where it has several workers, each does with a socket of its own.

At one socket for all, whichever worker wakes first takes every connection that has arrived, and the others stay idle
for as long as those connections are kept.
"""

import socket
import sys
from collections.abc import Callable
from typing import Self


def listen_at(host: str, port: int, *, workers: int) -> socket.socket:
    """The port, held from now on, for the one worker or for all of them; raises OSError where something listens there.

    Only Linux shares connections out among sockets; elsewhere workers have to make do with one.
    """
    held, shared = _bound(host, port), workers > 1 and sys.platform == "linux"
    try:
        if port or not shared:  # a number that the system chose would be given back with the first socket's end
            held.listen()  # of two services that were let in at once, the second is refused here
    except OSError:
        held.close()
        raise
    held.set_inheritable(True)
    return _Shared.of(held) if shared else held


class _Shared(socket.socket):
    """Does not listen itself: a process that is handed it gets a socket of its own at the same port."""

    @classmethod
    def of(cls, held: socket.socket) -> Self:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # or a second service would be let in beside it
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            held.shutdown(socket.SHUT_RDWR)
        return cls(fileno=held.detach())

    def __reduce__(self) -> tuple[Callable[[str, int], socket.socket], tuple[str, int]]:
        host, port, *_ = self.getsockname()
        return _of_worker, (host, port)


def _of_worker(host: str, port: int) -> socket.socket:
    return _bound(host, port, socket.SO_REUSEPORT)


def _bound(host: str, port: int, *also: int) -> socket.socket:
    """Also where connections of a service that has just ended are still fading."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        for option in (socket.SO_REUSEADDR, *also):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
