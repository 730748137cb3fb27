"""The canonical columns as Polars types."""

from typing import Final

import polars as pl

from tiercast.core.video import COLUMNS, Kind

_TYPES: Final[dict[Kind, pl.DataType]] = {
    "text": pl.String(),
    "count": pl.Int64(),
    "real": pl.Float64(),
    "flag": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "texts": pl.List(pl.String()),
}

SCHEMA: Final[dict[str, pl.DataType]] = {column.name: _TYPES[column.kind] for column in COLUMNS}
