"""Parquet files, read in slices."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from tiercast.adapters.contents import BATCH_ROWS, Content, OpenedFile
from tiercast.adapters.formats import choose
from tiercast.adapters.formats.item import Format
from tiercast.adapters.frame_rows import batch_of_frame
from tiercast.core.errors import InvalidInput
from tiercast.ports.videos import RawBatch

MAGIC: Final = b"PAR1"
_HASHED_AT_ONCE: Final = 2**20


def open_parquet(content: Content, wanted: Format | None) -> OpenedFile:
    """A Parquet file, decoded once from end to end so that damage shows before any row is handed out."""
    with content.stream() as stream:
        digest = hashlib.sha256()
        while block := stream.read(_HASHED_AT_ONCE):
            digest.update(block)
    source = _source(content)
    form: Format | None = None
    for part in _slices(source, content.label):
        form = form or choose([dict.fromkeys(part.columns)], wanted, content.label)
    assert form is not None

    def read() -> Iterator[RawBatch]:
        for part in _slices(source, content.label):
            if part.height:
                yield batch_of_frame(part, form)

    return OpenedFile(content.label, form.name, digest.hexdigest(), content.modified_at, read)


def _source(content: Content) -> Path | bytes:
    """The path itself where it is plain Parquet, so that it is never whole in memory; else the bytes."""
    if isinstance(content.origin, Path):
        with content.origin.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return content.origin
    with content.stream() as stream:
        return stream.read()


def _slices(source: Path | bytes, label: str) -> Iterator[pl.DataFrame]:
    """The rows in slices, at least one (which then has none)."""
    start = 0
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        scan = pl.scan_parquet(file, glob=False, hive_partitioning=False)
        height = scan.select(pl.len()).collect().item()
        while start == 0 or start < height:
            yield scan.slice(start, BATCH_ROWS).collect()
            start += BATCH_ROWS
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        raise InvalidInput(
            f"{label} is a damaged Parquet file ({problem}, at row {start}); copy or export it again."
        ) from error
