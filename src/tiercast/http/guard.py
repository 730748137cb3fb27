"""Who may ask, and how much: Host, key, size and time of every request, before any route sees it."""

import asyncio
import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiercast.http.problems import Problem
from tiercast.http.protocol import MAX_HEAD_BYTES

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""For load balancers, which hold no key and ask by address; ``/readyz`` tells release ids and what is out of reach."""
CRON_PATH: Final = "/v1/cron/retrain"
OLD_CRON_PATH: Final = "/api/cron/retrain-ml"
"""Where the cron jobs that this one replaces look for it."""
CRON: Final = frozenset({CRON_PATH, OLD_CRON_PATH})
"""These ask for a secret of their own."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
BODY_SECONDS: Final = 30.0
"""Eight megabytes in this time need 270 kB/s."""
PAGE: Final = "/"
"""A browser cannot send a bearer key by itself, so this one, which changes nothing, also takes it as a Basic password.

No other address does: browsers send passwords along with whatever other sites make them ask.
"""
BEARER: Final = 'Bearer realm="tiercast"'
BASIC: Final = 'Basic realm="tiercast", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request has to keep to."""

    name_of: Callable[[str], str | None]
    """The name of a bearer key; None where it is unknown."""
    any_key: Callable[[], bool]
    """Whether there is any key; without one only the machine itself may ask."""
    hosts: Iterable[str]
    max_body_bytes: int


class Guard:
    """ASGI middleware that lets through what keeps to the rules; anything else is answered with a problem."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._hosts = frozenset(host.lower() for host in rules.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _BoundedBody(receive, self._rules.max_body_bytes)
        try:
            self._check(scope, body)
        except Problem as problem:
            response = problem.response()
            if problem.status is HTTPStatus.UNAUTHORIZED:
                # One header for each: of several challenges in one line, browsers read the first only.
                for challenge in (BEARER, BASIC) if _is_page(scope) else (BEARER,):
                    response.headers.append("WWW-Authenticate", challenge)
            await response(scope, receive, send)
            return
        await self._app(scope, body, send)

    def _check(self, scope: Scope, body: "_BoundedBody") -> None:
        _refuse_large_head(scope)
        _refuse_unclear_host(scope)
        headers = dict(scope["headers"])  # of a repeated one the last counts; for none but Host that matters
        body.refuse_announced(headers.get(b"content-length"))
        if scope["path"] in OPEN:
            return
        host = headers.get(b"host", b"").decode("latin-1").lower()
        self._check_host(host, headers.get(b"origin"))
        if scope["path"] not in CRON and self._rules.any_key():
            scope["state"]["key"] = self._key(headers.get(b"authorization", b""), basic=_is_page(scope))

    def _check_host(self, host: str, origin: bytes | None) -> None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        allowed = self._hosts or (frozenset() if self._rules.any_key() else LOOPBACK)
        if allowed and name not in allowed:
            told = ", ".join(sorted(allowed))
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, f"The Host is {name[:100]!r}; this server answers to {told}.")
        if not self._rules.any_key() and origin is not None and _host_of(origin) != host:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "The request comes from a page of another site; without an API key only this machine itself may ask.",
            )

    def _key(self, authorization: bytes, *, basic: bool) -> str:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else ""
        if basic and scheme.lower() == "basic":
            key = _password(token.strip())
        name = self._rules.name_of(key) if key else None
        if name is None:
            seen = "is unknown or revoked" if token else "is missing"
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                f"The API key {seen}. Send 'Authorization: Bearer KEY'; `tiercast keys add NAME` makes one.",
            )
        return name


def _is_page(scope: Scope) -> bool:
    return scope["path"] == PAGE and scope["method"] in ("GET", "HEAD")


def _password(credentials: str) -> str:
    """The password of Basic credentials (RFC 7617), whoever the user; empty where there is none."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:  # neither base64 nor UTF-8
        return ""


def _host_of(origin: bytes) -> str | None:
    """Host and port of an Origin header; None where it is no address."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc
    except ValueError:  # such as "http://["
        return None


def _refuse_large_head(scope: Scope) -> None:
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > MAX_HEAD_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"Address and headers hold {size:,} bytes; {MAX_HEAD_BYTES:,} are allowed.",
        )


def _refuse_unclear_host(scope: Scope) -> None:
    """RFC 9112, section 3.2: of several, a proxy may have looked at another than this server does."""
    count = sum(name == b"host" for name, _ in scope["headers"])
    if count > 1 or (count == 0 and scope["http_version"] == "1.1"):
        raise Problem(HTTPStatus.BAD_REQUEST, f"The request has {count} Host headers. Send exactly one.")


@dataclass(slots=True)
class _BoundedBody:
    """The body of a request, up to a size and a time; raises Problem beyond either."""

    receive: Receive
    max_bytes: int
    seen_bytes: int = 0
    deadline: float | None = None
    complete: bool = False

    def refuse_announced(self, length: bytes | None) -> None:
        """Refuse at once what is announced to be too large."""
        if length is not None and length.isdigit() and int(length[:20]) > self.max_bytes:
            raise self._too_large()

    async def __call__(self) -> Message:
        """The next piece."""
        if self.complete:  # what follows is only that the caller went away, for which one may wait
            return await self.receive()
        loop = asyncio.get_running_loop()
        self.deadline = self.deadline or loop.time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.receive()
        except TimeoutError as error:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, f"The body did not come whole within {BODY_SECONDS:g} seconds."
            ) from error
        self.seen_bytes += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self.seen_bytes > self.max_bytes:
            raise self._too_large()
        return message

    def _too_large(self) -> Problem:
        return Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"A body may hold {self.max_bytes:,} bytes (serve.max_body_bytes). Send fewer videos at a time.",
        )
