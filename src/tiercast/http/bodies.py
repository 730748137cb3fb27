"""Bodies as the routes take them: JSON of the right kind, or a problem that names what is wrong."""

from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from tiercast.core.errors import InvalidInput
from tiercast.http.json import JSON_TYPE, parsed
from tiercast.http.problems import Problem

JSON_TYPES: Final = (JSON_TYPE, "")
MOST_FAULTS: Final = 5
"""A body of a thousand wrong rows is wrong in the same way a thousand times."""

Model = TypeVar("Model", bound=BaseModel)


def kind_of(request: Request) -> str:
    """The media type of a body, in lower case and without parameters; empty where none is stated."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def refuse_too_many(count: int, most: int, *, what: str = "videos") -> None:
    """Raise Problem where a body holds more of what a service takes than one request may."""
    if count > most:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The request holds {count:,} {what}; {most:,} are allowed at a time (serve.max_videos). "
            "Send them in parts.",
        )


def document_of(request: Request, body: bytes) -> Any:
    """The JSON document of a body; raises Problem where it is another kind or cannot be read."""
    kind = kind_of(request)
    if kind not in JSON_TYPES and not kind.endswith("+json"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body is {kind[:100]!r}; send JSON with Content-Type: {JSON_TYPE}.",
        )
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body is encoded as {coding[:100]!r}; send it as it is, uncompressed.",
        )
    if not body.strip():
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is empty; send a JSON document.")
    try:
        return parsed(body)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body is no JSON in UTF-8: {error}.") from error


def read(model: type[Model], document: Any) -> Model:
    """The document as a model; raises InvalidInput naming each field, the value seen and what was possible."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        told = "; ".join(_told(fault) for fault in faults[:MOST_FAULTS])
        more = f"; and {len(faults) - MOST_FAULTS:,} more" if len(faults) > MOST_FAULTS else ""
        fields = ", ".join(model.model_fields)
        raise InvalidInput(f"The body does not fit: {told}{more}. Its fields are {fields}.") from error


def _told(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"])) or "the document"
    if fault["type"] == "missing":
        return f"{place[:100]} is missing"
    if fault["type"] == "extra_forbidden":
        return f"there is no field {place[:100]!r}"
    message = "Input should be an object" if fault["type"] == "is_instance_of" else fault["msg"]
    return f"{place[:100]} is {_shown(fault['input'])}: {message[0].lower()}{message[1:]}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
