"""A small HTTP proxy before the S3 server, to be as unhelpful as real stores are."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

EVER = 1_000_000
"""More attempts than any client makes."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the ``at``-th key that is written, or where ``requests`` with the ``at``-th write."""

    at: int = 0
    status: int | None = None
    """The answer instead of the server's; none at all where None."""
    performs: bool = False
    """Whether the server does what it was asked for before."""
    times: int = EVER
    """How many attempts meet it."""
    hangs: bool = False
    """Whether the connection stays open without an answer, instead of being closed."""
    act: Callable[[], None] | None = None
    """What happens at that moment, for example the end of whoever writes."""
    requests: bool = False
    below: str = ""
    """Instead of a number: a part of the key."""


class Proxy(ThreadingHTTPServer):
    """Forwards everything; may drop a request header, and may spoil some writes."""

    daemon_threads = True

    def __init__(
        self, target: str, *, drop: str = "", lose: int = 0, lose_below: str = "", fault: Fault | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.drop, self.lose, self.lose_below, self.fault = drop, lose, lose_below, fault
        self.writes, self.faults = 0, 0
        self.closing = threading.Event()
        self._keys: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def loses(self, method: str, path: str) -> bool:
        """Whether this answer is lost; each loss counts down."""
        if method != "PUT" or self.lose_below not in path:
            return False
        self.lose -= 1
        return self.lose >= 0

    def spoils(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, if it does."""
        if method != "PUT":
            return None
        self.writes += 1
        if path not in self._keys:
            self._keys.append(path)
        fault = self.fault
        if fault is None or self.faults >= fault.times:
            return None
        number = self.writes if fault.requests else 1 + self._keys.index(path)
        if fault.below not in path if fault.below else fault.at != number:
            return None
        self.faults += 1
        return fault


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.spoils(self.command, self.path)
        if fault and not fault.performs:
            self._spoil(fault)
            return
        status, content, kept = self._asked(body)
        if fault:
            self._spoil(fault)
            return
        if self.server.loses(self.command, self.path):
            status, content, kept = 503, b"", []
        self._answer(status, content, kept)

    def _asked(self, body: bytes) -> tuple[int, bytes, list[tuple[str, str]]]:
        headers = {name: value for name, value in self.headers.items() if name.lower() != self.server.drop.lower()}
        connection = HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        status, content, kept = answer.status, answer.read(), answer.getheaders()
        connection.close()
        return status, content, kept

    def _spoil(self, fault: Fault) -> None:
        if fault.act:
            fault.act()
        if fault.status is not None:
            self._answer(fault.status, b"", [])
            return
        if fault.hangs:
            self.server.closing.wait(30)
        self.close_connection = True

    def _answer(self, status: int, content: bytes, kept: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in kept:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _forward  # noqa: N815  # the names that http.server looks for

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    """The proxy, answering until the block ends."""
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.closing.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
