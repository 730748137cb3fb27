"""JSON files: a list of items, one item, an object around a list, or one item a line."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from tiercast.adapters.contents import BATCH_ROWS, Content, OpenedFile, decoded, text_lines
from tiercast.adapters.formats import choose, recognise
from tiercast.adapters.formats.frames import batch_of, shown_keys
from tiercast.adapters.formats.item import Format
from tiercast.core.errors import InvalidInput
from tiercast.ports.videos import RawBatch, Unreadable

SAMPLE_ITEMS: Final = 100
"""Items looked at together to recognise a format: scrapers mix in error rows, rarely this many in a row."""


def is_json_object(line: str) -> bool:
    """Whether one line is a whole JSON object.

    >>> is_json_object('{"a": 1}'), is_json_object('{"a": 1},'), is_json_object("[]")
    (True, False, False)
    """
    text = line.strip()
    return text.startswith("{") and text.endswith("}") and isinstance(_parsed(text), dict)


def open_document(content: Content, wanted: Format | None) -> OpenedFile:
    """A file that is one JSON document, parsed whole; raises InvalidInput where it is damaged or unknown."""
    with content.stream() as stream:
        raw = stream.read()
    digest = hashlib.sha256(raw).hexdigest()
    text = decoded(raw, content.label).removeprefix("\ufeff")
    items = _items_of(_document(text, content.label), content.label)
    form = choose(items, wanted, content.label)

    def read() -> Iterator[RawBatch]:
        for start in range(0, len(items), BATCH_ROWS):
            yield batch_of(items[start : start + BATCH_ROWS], form)

    return OpenedFile(content.label, form.name, digest, content.modified_at, read)


def open_lines(content: Content, wanted: Format | None) -> OpenedFile:
    """A file with one JSON object a line; lines that are none are handed out as unreadable."""
    digest = hashlib.sha256()
    lines = text_lines(content, digest)
    form = _form_of_lines(lines, wanted, content.label)
    for _ in lines:
        pass

    def read() -> Iterator[RawBatch]:
        numbered = ((n, line) for n, line in enumerate(text_lines(content), start=1) if line.strip())
        while page := list(islice(numbered, BATCH_ROWS)):
            yield _batch_of_lines(page, form)

    return OpenedFile(content.label, form.name, digest.hexdigest(), content.modified_at, read)


def _form_of_lines(lines: Iterator[str], wanted: Format | None, label: str) -> Format:
    """The format by the first lines that tell; reads on while none does."""
    first: list[object] = []
    while page := list(islice(lines, SAMPLE_ITEMS)):
        items: list[object] = [item for item in map(_parsed, page) if isinstance(item, dict)]
        first = first or items
        if recognise(items) is not None:
            return choose(items, wanted, label)
    return choose(first, wanted, label)


def _batch_of_lines(page: list[tuple[int, str]], form: Format) -> RawBatch:
    items: list[object] = []
    unreadable: list[Unreadable] = []
    for number, line in page:
        try:
            items.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            text = line.rstrip("\r\n")
            unreadable.append(Unreadable(text, "not_json", f"Line {number} is not JSON ({_what(error)})."))
    return batch_of(items, form, unreadable)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _document(text: str, label: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        state = "was cut short" if cut else "is damaged"
        raise InvalidInput(
            f"{label}: the JSON {state} at line {error.lineno}, column {error.colno} ({error.msg}). "
            "Copy or export it again."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{label}: the JSON cannot be read ({_what(error)}).") from error


def _what(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _items_of(document: object, label: str) -> list[object]:
    """The items of a document: those of a list, of the one list that an object wraps, or the object itself."""
    if isinstance(document, dict) and recognise([document]) is None:
        lists = [value for value in document.values() if isinstance(value, list) and _holds_objects(value)]
        if len(lists) > 1:
            raise InvalidInput(
                f"{label} wraps {len(lists)} lists of items (its fields are {shown_keys(document)}); "
                "keep one list in each file."
            )
        return lists[0] if lists else [document]
    items: list[object] = document if isinstance(document, list) else [document]
    if not items:
        raise InvalidInput(f"{label} holds an empty list: there are no items to read.")
    return items


def _holds_objects(values: list[object]) -> bool:
    return any(isinstance(value, Mapping) for value in values)
