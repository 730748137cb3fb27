"""Frames read from CSV and Parquet as batches: columns pass as they are, rows become objects only when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import polars as pl

from tiercast.adapters.formats import drafts, table
from tiercast.adapters.formats.frames import batch_of
from tiercast.adapters.formats.item import Format
from tiercast.ports.videos import RawBatch


@dataclass(frozen=True, slots=True)
class FrameRows(Sequence[object]):
    """The rows of a frame as dicts, each made when it is indexed."""

    frame: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    @overload
    def __getitem__(self, index: int) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[object]: ...
    def __getitem__(self, index: int | slice) -> object:
        """One row as a dict, or some rows."""
        if isinstance(index, slice):
            return FrameRows(self.frame[index])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self.frame.row(index, named=True)


def batch_of_frame(frame: pl.DataFrame, form: Format) -> RawBatch:
    """A batch of the frame's rows: by column where it is a table, else item by item."""
    if form.name not in (table.name, drafts.name):
        return batch_of(frame.to_dicts(), form)
    columns = [column for column in table.COLUMN_NAMES if column in frame.columns]
    return RawBatch(frame.select(columns), FrameRows(frame), ignored=table.ignored(frame.columns))
