"""Canonical columns out of SQL: plain numbers and texts on the way, their own types in the frame."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Integer, Select, cast

from tiercast.adapters.tables import epoch_us, observations, videos
from tiercast.core.video import COLUMNS, Kind
from tiercast.intake.schema import SCHEMA

IDS_A_QUERY: Final = 500
"""SQLite takes at most 32,766 parameters, some builds 999."""

_ON_THE_WAY: Final[dict[Kind, pl.DataType]] = {"time": pl.Int64(), "flag": pl.Int64(), "texts": pl.String()}
"""Kinds that are sent as something else: a driver's own times and flags take longer than all the rest."""
_KINDS: Final = {column.name: column.kind for column in COLUMNS}


def wire(name: str) -> ColumnElement[Any]:
    """The canonical column as it is sent: a time as whole microseconds since 1970, a flag as 0 or 1."""
    column = videos.c[name] if name in videos.c else observations.c[name]
    if _KINDS[name] == "time":
        return epoch_us(column).label(name)
    return cast(column, Integer).label(name) if _KINDS[name] == "flag" else column


def fetched(connection: Connection, query: Select[Any], values: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """The answer to a query of ``wire`` columns in their canonical types, built column by column."""
    result = connection.execute(query, values)
    names, rows = list(result.keys()), result.fetchall()
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pl.DataFrame([_decoded(name, each) for name, each in zip(names, columns, strict=True)])


def _decoded(name: str, values: Sequence[Any]) -> pl.Series:
    kind, wanted = _KINDS[name], SCHEMA[name]
    sent = pl.Series(name, values, dtype=_ON_THE_WAY.get(kind, wanted))
    return sent.str.json_decode(wanted) if kind == "texts" else sent.cast(wanted)
