"""CSV files: commas, one header line, UTF-8; an empty cell is missing, a quoted empty one ("") is empty text."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from tiercast.adapters.contents import BATCH_ROWS, Content, OpenedFile, text_lines
from tiercast.adapters.formats import choose
from tiercast.adapters.formats.frames import shown_keys
from tiercast.adapters.formats.item import Format
from tiercast.adapters.frame_rows import batch_of_frame
from tiercast.core.errors import InvalidInput
from tiercast.ports.videos import RawBatch

_OTHER_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LONGEST_CELL: Final = 2**31 - 1
"""What a C long holds everywhere."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Some records as their original text."""

    header: list[str]
    records: list[str]
    last_line: int


def open_csv(content: Content, wanted: Format | None) -> OpenedFile:
    """A CSV file, every record checked; raises InvalidInput where one has other cells than the header."""
    digest = hashlib.sha256()
    form: Format | None = None
    for page in _pages(text_lines(content, digest), content.label):
        if form is None:
            form = choose([dict.fromkeys(page.header)], wanted, content.label)
        _frame(page, content.label)
    assert form is not None

    def read() -> Iterator[RawBatch]:
        for page in _pages(text_lines(content), content.label):
            if page.records:
                yield batch_of_frame(_frame(page, content.label), form)

    return OpenedFile(content.label, form.name, digest.hexdigest(), content.modified_at, read)


def _pages(lines: Iterator[str], label: str) -> Iterator[_Page]:
    """The records in pages, at least one (which then has none); blank lines are left out."""
    csv.field_size_limit(_LONGEST_CELL)  # the default refuses a caption over 128 KiB
    taken: list[str] = []
    reader = csv.reader(_remembering(lines, taken), strict=True)
    try:
        header = _header(reader, label)
        taken.clear()
        records: list[str] = []
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                _check_width(cells, header, line=reader.line_num, label=label)
                records.append("".join(taken))
            taken.clear()
            if len(records) == BATCH_ROWS:
                yield _Page(header, records, reader.line_num)
                records = []
        yield _Page(header, records, reader.line_num)
    except csv.Error as error:
        raise InvalidInput(f"{label}: the CSV is damaged at line {reader.line_num} ({error}).") from error


def _remembering(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _header(reader: Iterator[list[str]], label: str) -> list[str]:
    header = next((cells for cells in reader if cells), [])
    for delimiter, its_name in _OTHER_DELIMITERS.items():
        if len(header) == 1 and delimiter in header[0]:
            raise InvalidInput(
                f"{label}: the header is one column, {header[0][:80]!r}; its cells seem to be divided by {its_name}. "
                "Commas are read: save it as comma-separated CSV."
            )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InvalidInput(f"{label}: the header names {shown_keys(dict.fromkeys(repeated))} more than once.")
    return header


def _check_width(cells: list[str], header: list[str], *, line: int, label: str) -> None:
    if len(cells) != len(header):
        raise InvalidInput(
            f"{label}: the row that ends on line {line} has {len(cells)} cells, but the header has {len(header)}. "
            "A text with a comma needs quotes around it; export the file again."
        )


def _frame(page: _Page, label: str) -> pl.DataFrame:
    """The page's cells as text."""
    schema = dict.fromkeys(page.header, pl.String())
    if not page.records:
        return pl.DataFrame(schema=schema)
    body = "".join(record if record.endswith("\n") else record + "\n" for record in page.records)
    try:
        frame = pl.read_csv(body.encode(), has_header=False, schema=schema)
        problem = f"{frame.height} of {len(page.records)} rows can be told apart"
    except pl.exceptions.PolarsError as error:
        frame, problem = None, str(error).splitlines()[0]
    if frame is None or frame.height != len(page.records):
        raise InvalidInput(
            f"{label}: the CSV is damaged in the {len(page.records)} rows up to line {page.last_line} ({problem}). "
            "A quote inside a text has to be doubled and the text quoted; export the file again."
        )
    return frame
