"""HTTP/1.1 as uvicorn speaks it, with limits on what no application sees: heads, and what comes after an answer."""

from asyncio import TimerHandle
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tiercast.http.problems import HEADERS, Problem

HEAD_SECONDS: Final = 10.0
"""Who has not sent a whole head by then is a slow attacker or a dead line."""
MAX_HEAD_BYTES: Final = 16_384
"""Twice what common proxies allow in one header."""

LINGER_SECONDS: Final = 10.0
"""How long the rest of a body is read after its answer: closing at once would take the answer from the caller."""
FRAMING_BYTES: Final = 16
"""What chunks may add for each byte of a body: the smallest come as 31 0D 0A, the byte, 0D 0A."""


class BoundedHeads(HttpToolsProtocol):
    """Closes a connection that keeps the server waiting for a head or grows it too large, or that never ends a body.

    A body that nobody has answered yet is bounded by the application.
    """

    _timer: TimerHandle | None = None
    _in_head: bool = True
    _in_body: bool = False
    _answering: RequestResponseCycle | None = None
    """The request that is answered now; ``cycle`` is the newest, which may wait behind it."""
    _unread_bytes: int = 0
    """Came since the head began, or beside the body: chunk sizes and trailers."""

    def connection_made(self, transport: Any) -> None:
        """The time for the first head begins with the connection."""
        super().connection_made(transport)
        limit, self.limit_concurrency = self.limit_concurrency, None  # uvicorn's own answer is no problem document
        if limit is not None and len(self.connections) > limit:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{limit:,} connections are open already. Come back later.")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._stop_waiting()
        super().connection_lost(exc)
        if self._answering is not None:  # uvicorn tells the newest request alone, and an answer to nobody is no fault
            self._answering.disconnected = True
            self._answering.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to no body."""
        self._unread_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unread_bytes > MAX_HEAD_BYTES and self._in_head:
            told = f"The head of a request may hold {MAX_HEAD_BYTES:,} bytes. Send fewer or shorter headers."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, told)
        elif self._unread_bytes > MAX_HEAD_BYTES and self._in_body:
            self.transport.close()
        elif self._is_between() and self._timer is None:  # uvicorn stopped its own clock at the first stray byte
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, f"{msg} Send HTTP/1.1.")

    def on_message_begin(self) -> None:
        """The head of the next request begins."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """It is complete."""
        self._stop_waiting()
        if not self.url.startswith(b"/") and (authority := urlsplit(self.url).netloc):
            # RFC 9112, section 3.2.2: what a target such as http://a/b names counts, whatever Host says.
            self.headers[:] = [(name, authority if name == b"host" else value) for name, value in self.headers]
        self._in_head, self._in_body, self._unread_bytes = False, True, 0
        super().on_headers_complete()
        if self._answering is None or self._answering.response_complete:
            self._answering = self.cycle

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers are dropped: no route reads any, and they have no end."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """What is part of a body is for the application to bound."""
        self._unread_bytes = max(0, self._unread_bytes - FRAMING_BYTES * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request came whole."""
        self._stop_waiting()
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Whoever has an answer gets some time to finish the request."""
        following = self.pipeline[-1][0] if self.pipeline else self._answering
        super().on_response_complete()
        self._answering = following
        if self._in_body and not self.transport.is_closing():
            self._wait(LINGER_SECONDS, self.transport.close)

    def _is_between(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._in_body and not self._in_head

    def _await_head(self) -> None:
        self._in_head, self._unread_bytes = True, 0
        self._wait(HEAD_SECONDS, self.transport.close)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer without the application, and close."""
        request_id = uuid4().hex
        structlog.get_logger().info("refused", request_id=request_id, status=int(status))
        response = Problem(status, detail).response()
        own = ((b"connection", b"close"), (b"x-request-id", request_id.encode()))
        head = [b"%s: %s\r\n" % header for header in (*response.raw_headers, *HEADERS, *own)]
        line = f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode()
        self.transport.write(b"".join([line, *head, b"\r\n", response.body]))
        self.transport.close()
