"""Bytes on a connection, as a stranger may send them."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """The first answer on a connection; no status where it was closed without one."""

    status: int | None
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @classmethod
    def of(cls, raw: bytes) -> "Reply":
        """From what came until the connection was closed."""
        while raw.startswith(b"HTTP/1.1 100 "):
            raw = raw.partition(b"\r\n\r\n")[2]
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else None
        return cls(status, headers, body[: int(headers.get("content-length", len(body)))])


def opened(port: int) -> socket.socket:
    """A connection to the service."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def received(connection: socket.socket) -> bytes:
    """Everything until it is closed; a connection that was reset is closed as well."""
    pieces = []
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def sent(port: int, raw: bytes) -> Reply:
    """The answer to these bytes."""
    with opened(port) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # closed before all was sent; an answer may have come
            connection.sendall(raw)
        return Reply.of(received(connection))


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/v1/predict",
    headers: tuple[str, ...] = (),
    last: bool = True,
) -> bytes:
    """A request; ``last`` asks the server to close afterwards."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if method == "POST":
        lines += [f"Content-Length: {len(body)}"]
        if not any(each.lower().startswith("content-type") for each in headers):
            lines += ["Content-Type: application/json"]
    if last:
        lines += ["Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
