"""What happens around every request: its id, its line in the log, its counts, and headers for careful browsers."""

import re
from collections.abc import MutableMapping, Sequence
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiercast.http.guard import CRON, PAGE
from tiercast.http.metrics import Metrics
from tiercast.http.problems import HEADERS, Problem

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""A caller's own id is taken over where it cannot harm a log."""
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged only where they fail."""
TOLD: Final = ("request_id", "key", "videos", "run")
"""What the guard and the routes leave in the request's state for its line."""
UNANSWERED: Final = 0
"""The status of a request before its answer begins."""
UNMATCHED: Final = "unmatched"
"""The route of an address that no route has; addresses themselves would be series without end."""
CLOSED_EARLY: Final = 499
"""What is logged where the caller went away before the answer, as proxies do."""


class Observed:
    """ASGI middleware: the outermost, so that whatever is answered is seen."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._patterns: Sequence[tuple[re.Pattern[str], str]] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, status, began = _request_id(scope), UNANSWERED, perf_counter()
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                added = [header for header in HEADERS if header[0] not in present]
                message = {**message, "headers": [*message["headers"], *added, (b"x-request-id", request_id)]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # before its body was whole; there is nobody to answer
        except Exception as error:  # the process edge
            if status != UNANSWERED:
                raise  # half an answer is out; the server closes the connection
            await _fault(request_id.decode(), error)(scope, receive, send_with_headers)
        finally:
            self._note(scope, status or CLOSED_EARLY, perf_counter() - began)

    def _note(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = scope.get("route")
        path = self._pattern(scope) if route is None else route.path
        self._metrics.requests.labels(path, scope["method"][:16], status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        if path not in QUIET or status >= 400:
            told = {name: scope["state"][name] for name in TOLD if name in scope["state"]}
            structlog.get_logger().info(
                "request", method=scope["method"], route=path, status=status, ms=round(1000 * seconds, 2), **told
            )

    def _pattern(self, scope: MutableMapping[str, Any]) -> str:
        """The pattern of the route that was meant by a request that reached none, such as one without a key."""
        self._patterns = self._patterns or _patterns(scope["app"])
        return next((path for pattern, path in self._patterns if pattern.match(scope["path"])), UNMATCHED)


def _patterns(app: FastAPI) -> Sequence[tuple[re.Pattern[str], str]]:
    """Every route of an application, also those that its OpenAPI document leaves out."""
    paths = [*app.openapi()["paths"], *CRON, PAGE, *([app.openapi_url] if app.openapi_url else [])]
    return [(compile_path(path)[0], path) for path in dict.fromkeys(paths)]


def _fault(request_id: str, error: Exception) -> Response:
    """Logged with its trace; the caller gets the request's id to ask about it."""
    structlog.get_logger().error("fault", request_id=request_id, exc_info=error)
    detail = f"The service failed in a way nobody foresaw. Its log has the reason under the request id {request_id}."
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail).response()


def _request_id(scope: Scope) -> bytes:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex.encode()
