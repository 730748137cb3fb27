"""Errors as problem documents (RFC 9457): one table from what went wrong to a status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tiercast.core.errors import InvalidInput, Missing, TiercastError, Unavailable
from tiercast.http.json import to_json

MEDIA_TYPE: Final = "application/problem+json"
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""For careful browsers, of every answer, whoever gives it."""
STATUS_OF: Final[dict[type[TiercastError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Missing: HTTPStatus.NOT_FOUND,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_UNFORESEEN: Final = HTTPStatus.INTERNAL_SERVER_ERROR


class ProblemDocument(BaseModel):
    """Why a request was not answered, RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The kind of problem, as a URN that never changes", examples=["urn:tiercast:invalid"])
    title: str = Field(description="The kind of problem in words", examples=["The request cannot be used"])
    status: int = Field(description="The HTTP status", examples=[422])
    detail: str = Field(description="What happened, the value seen, what was possible, what to do next")


KINDS: Final = {
    HTTPStatus.BAD_REQUEST: ("malformed", "The request cannot be read"),
    HTTPStatus.UNAUTHORIZED: ("unauthorized", "The bearer key is missing or unknown"),
    HTTPStatus.FORBIDDEN: ("forbidden", "The request comes from another site"),
    HTTPStatus.NOT_FOUND: ("not-found", "It does not exist"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "This route does not take that method"),
    HTTPStatus.REQUEST_TIMEOUT: ("too-slow", "The request took too long to arrive"),
    HTTPStatus.CONFLICT: ("conflict", "A retrain is running already"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too-large", "The request is too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("unsupported-media-type", "The body is of another kind"),
    HTTPStatus.MISDIRECTED_REQUEST: ("misdirected", "This server does not answer to that Host"),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("invalid", "The request cannot be used"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("headers-too-large", "The headers are too large"),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("fault", "The service failed in a way nobody foresaw"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("unavailable", "A part that is needed is not available"),
}
"""By status: the last part of the problem's URN, and its title."""


class Problem(Exception):
    """A request that is answered with a problem document; ``more`` adds members to it, ``headers`` to the answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        kind: str | None = None,
        title: str | None = None,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind or KINDS[status][0]
        self.title = title or KINDS[status][1]
        self.more = dict(more or {})
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        document = {"type": f"urn:tiercast:{self.kind}", "title": self.title, "status": int(self.status)}
        body = to_json({**document, "detail": self.detail, **self.more})
        return Response(body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)


def status_of(error: TiercastError) -> HTTPStatus:
    """The status that an error has by its remedy.

    >>> status_of(Missing("no such run"))
    <HTTPStatus.NOT_FOUND: 404>
    """
    return next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), _UNFORESEEN)
