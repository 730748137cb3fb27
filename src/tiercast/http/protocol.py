"""HTTP/1.1 as uvicorn speaks it, with a limit on how long and how large the head of a request may be."""

from asyncio import TimerHandle
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10.0
"""Who has not sent a whole head by then is a slow attacker or a dead line."""
MAX_HEAD_BYTES: Final = 16_384
"""Twice what common proxies allow in one header."""

REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)
DOCUMENT: Final = (
    b'{"type":"urn:tiercast:headers-too-large","title":"The headers are too large","status":431,'
    b'"detail":"The head of a request may hold %d bytes. Send fewer or shorter headers."}' % MAX_HEAD_BYTES
)


class BoundedHeads(HttpToolsProtocol):
    """Closes a connection whose request head comes too slowly or grows too large; bodies are bounded by the app."""

    _head_timer: TimerHandle | None = None
    _head_bytes: int = 0
    _in_head: bool = True

    def connection_made(self, transport: Any) -> None:
        """The time for the first head begins with the connection."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes while a head is incomplete."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(REFUSAL % (len(DOCUMENT), DOCUMENT))
                self.transport.close()

    def on_message_begin(self) -> None:
        """The head of the next request begins."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """It is complete."""
        self._head_came()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_came()
        self._in_head, self._head_bytes = True, 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_came(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
