"""Scraper files of every kind, opened by what they contain and never by their name."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from tiercast.adapters.contents import Content, OpenedFile, plain_faults, text_lines
from tiercast.adapters.csv_files import open_csv
from tiercast.adapters.formats import by_name
from tiercast.adapters.json_files import is_json_object, open_document, open_lines
from tiercast.adapters.parquet_files import MAGIC as PARQUET_MAGIC
from tiercast.adapters.parquet_files import open_parquet
from tiercast.core.errors import InvalidInput

HEAD_LINES: Final = 20
"""Lines looked at to tell JSON Lines, of which some may be damaged, from other text."""


def open_file(path: Path, format: str | None) -> OpenedFile:  # noqa: A002
    """The file, recognised and checked from end to end; raises InvalidInput where it is damaged or unknown."""
    label = os.fspath(path)
    with plain_faults(label):
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        if path.is_dir():
            raise InvalidInput(f"{label} is a folder; name a file, or let expand() list the files in it.")
        origin = path if path.is_file() else path.read_bytes()  # a pipe can be read only once
    return _opened(Content(label, origin, modified_at), format)


def open_bytes(content: bytes, label: str, format: str | None) -> OpenedFile:  # noqa: A002
    """The same for bytes from standard input or a request, which count as modified now."""
    return _opened(Content(label, content, datetime.now(tz=UTC)), format)


def expand(paths: Sequence[str | Path]) -> list[Path]:
    """The files that these paths mean: folders give every file below them that is not hidden, sorted.

    Raises InvalidInput for a path that does not exist and for a folder without files.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        with plain_faults(os.fspath(path)):
            if not path.exists():
                raise InvalidInput(f"{path} does not exist; name files, or folders of files.")
            files.extend(_files_below(path) if path.is_dir() else [path])
    return files


def _files_below(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path, folder))
    if not found:
        raise InvalidInput(f"{folder} is a folder without files; name one that holds scraped files.")
    return found


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _opened(content: Content, format_name: str | None) -> OpenedFile:
    wanted = by_name(format_name) if format_name is not None else None
    with content.stream() as stream:
        magic = stream.read(len(PARQUET_MAGIC))
    if magic == PARQUET_MAGIC:
        return open_parquet(content, wanted)
    head = list(islice((line for line in text_lines(content) if line.strip()), HEAD_LINES))
    if not head:
        raise InvalidInput(f"{content.label} is empty; scrape or export it again.")
    objects = sum(map(is_json_object, head))
    if len(head) > 1 and 2 * objects >= len(head):
        return open_lines(content, wanted)
    if head[0].lstrip()[0] in "[{":
        return open_document(content, wanted)
    return open_csv(content, wanted)
