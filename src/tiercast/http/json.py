"""JSON in and out of the service: strict, bounded in depth, and never NaN."""

import json
from http import HTTPStatus
from typing import Any, Final

import pydantic_core
from starlette.responses import Response

JSON_TYPE: Final = "application/json"
UTF8_BOM: Final = b"\xef\xbb\xbf"
"""What some Windows programs begin a text with."""


def to_json(document: object) -> bytes:
    """The document in UTF-8; numbers that JSON cannot hold become null."""
    return pydantic_core.to_json(document, inf_nan_mode="null")


def parsed(body: bytes) -> Any:
    """The document in a body; raises ValueError where it is no JSON, holds NaN, or is nested too deeply."""
    body = body.removeprefix(UTF8_BOM)
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        if b"\\ud" not in body.lower():
            raise
    try:  # scrapers cut captions inside an emoji, and the standard library takes such halves
        return json.loads(body, parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


class Json(Response):
    """A document as the answer."""

    media_type = JSON_TYPE

    def __init__(self, document: object, status: HTTPStatus = HTTPStatus.OK, **more: Any) -> None:
        super().__init__(to_json(document), status_code=status, **more)
