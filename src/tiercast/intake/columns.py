"""Raw columns of any type as canonical ones: typed columns at once, text and mixed ones value by value."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
from pydantic_core import to_json

from tiercast.core.video import COLUMNS, Kind
from tiercast.intake.reading import Reading, by_value, completed, marks
from tiercast.intake.schema import SCHEMA
from tiercast.intake.texts import read_texts
from tiercast.intake.times import read_times
from tiercast.intake.values import FLOAT_NOISE

_INT64_END: Final = 2**63 - 1
_WIDER: Final = tuple(getattr(pl, name) for name in ("UInt64", "Int128", "UInt128") if hasattr(pl, name))
"""Whole numbers of more than 63 bits; older Polars lack the last."""
_FLOAT_INT64_END: Final = 9.2e18
"""Counts beyond 64 bits are brought here; far above COUNT_LIMIT, so they stay recognisably absurd."""
_NULLS: Final = {name: pl.Series(name, [None], dtype=dtype) for name, dtype in SCHEMA.items()}


def read_columns(rows: pl.DataFrame) -> dict[str, Reading]:
    """Every canonical column in its canonical type, null where the rows lack it; a float id raises InvalidInput.

    Columns of one kind and type are read as one, since with few rows each call costs more than what it does.
    """
    read = {name: Reading(null.new_from_index(0, rows.height)) for name, null in _NULLS.items()}
    for kind, alike in _alike(rows):
        readings = read_texts(alike) if kind == "text" else _read_as_one(alike, _READERS[kind])
        read |= {series.name: reading for series, reading in zip(alike, readings, strict=True)}
    return read


def _alike(rows: pl.DataFrame) -> Iterator[tuple[Kind, list[pl.Series]]]:
    """The columns that are there, by kind, those but text by type also."""
    groups: dict[tuple[Kind, pl.DataType | None], list[pl.Series]] = {}
    there = {series.name: series for series in rows}
    for column in COLUMNS:
        series = there.get(column.name)
        if series is not None and series.dtype != pl.Null:
            plain = _plain(series)
            group = (column.kind, None if column.kind == "text" else plain.dtype)
            groups.setdefault(group, []).append(plain)
    for (kind, _), alike in groups.items():
        yield kind, alike


def _plain(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        return series.cast(pl.String)
    return series.cast(pl.Float64) if series.dtype.is_decimal() else series


def _read_as_one(columns: Sequence[pl.Series], read: Callable[[pl.Series], Reading]) -> list[Reading]:
    if len(columns) == 1:
        return [read(columns[0])]
    height, whole = len(columns[0]), read(pl.concat(columns))
    return [whole.slice(place * height, height, series.name) for place, series in enumerate(columns)]


def _read_counts(series: pl.Series) -> Reading:
    if series.dtype == pl.String:
        return _read_count_texts(series)
    if series.dtype.is_integer():
        lowest = 0 if series.dtype.is_unsigned_integer() else -_INT64_END
        clipped = series.clip(lowest, _INT64_END) if series.dtype in _WIDER else series
        return Reading(clipped.cast(pl.Int64))
    if series.dtype.is_float():
        known = series.cast(pl.Float64).fill_nan(None)
        whole = known.round()
        bad = marks(known.is_infinite() | ((known - whole).abs() > known.abs() * FLOAT_NOISE))
        fitting = (whole if bad is None else whole.set(bad, None)).clip(-_FLOAT_INT64_END, _FLOAT_INT64_END)
        return Reading(fitting.cast(pl.Int64), bad)
    parsed, bad = by_value(series, "count")
    return Reading(_int64(series.name, parsed), bad)


def _read_count_texts(series: pl.Series) -> Reading:
    """Plain digits at once; what is written otherwise ("1.2M") value by value."""
    plain = series.str.strip_chars().str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    if plain.null_count() == series.null_count():
        return Reading(plain)
    rest = (plain.is_null() & series.is_not_null()).arg_true()
    parsed, bad = by_value(series.gather(rest), "count")
    return completed(plain, rest, Reading(_int64(series.name, parsed), bad))


def _int64(name: str, counts: list[int | None]) -> pl.Series:
    fitting = [None if count is None else max(-_INT64_END, min(count, _INT64_END)) for count in counts]
    return pl.Series(name, fitting, dtype=pl.Int64)


def _read_reals(series: pl.Series) -> Reading:
    if series.dtype.is_numeric():
        numbers = series.cast(pl.Float64)
        if np.isfinite(numbers.to_numpy()).sum() == len(numbers) - numbers.null_count():
            return Reading(numbers)
        known = numbers.fill_nan(None)
        bad = marks(known.is_infinite())
        return Reading(known if bad is None else known.set(bad, None), bad)
    parsed, bad = by_value(series, "real")
    return Reading(pl.Series(series.name, parsed, dtype=pl.Float64), bad)


def _read_flags(series: pl.Series) -> Reading:
    if series.dtype == pl.Boolean:
        return Reading(series)
    parsed, bad = by_value(series, "flag")
    return Reading(pl.Series(series.name, parsed, dtype=pl.Boolean), bad)


def _read_hashtags(series: pl.Series) -> Reading:
    if series.dtype == pl.List(pl.String):
        name = pl.element().str.strip_chars().str.strip_chars_start("#＃").str.strip_chars()
        names = series.list.eval(name, parallel=False)
        return Reading(names.list.eval(pl.element().filter(pl.element() != "")))
    parsed, bad = by_value(series, "texts")
    # JSON in between: Polars makes a series of each list of Python's texts, which takes longer.
    texts = [None if names is None else to_json(names).decode() for names in parsed]
    return Reading(pl.Series(series.name, texts, dtype=pl.String).str.json_decode(pl.List(pl.String)), bad)


_READERS: Final[dict[Kind, Callable[[pl.Series], Reading]]] = {
    "count": _read_counts,
    "real": _read_reals,
    "flag": _read_flags,
    "time": read_times,
    "texts": _read_hashtags,
}
