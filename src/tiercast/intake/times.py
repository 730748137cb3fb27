"""Raw columns of times as UTC: times, days, texts, and numbers since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from tiercast.intake.reading import Reading, by_value, completed, marks
from tiercast.intake.values import EARLIEST, EPOCH_SCALES, StatedTime

_EARLIEST_US: Final = int(EARLIEST.timestamp()) * 1_000_000
_LATEST_US: Final = 253_402_300_800 * 1_000_000
"""The end of the year 9999, after which Python has no dates."""
_US_PER_UNIT: Final = {"ms": 1_000.0, "us": 1.0, "ns": 0.001}
_US_PER_DAY: Final = 86_400_000_000.0
_TIME: Final = pl.Datetime("us", "UTC")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PROGRAMS_WRITE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,6})?(Z|\+00:00)?$"
_TEXT: Final = pl.col("text")
_WRITTEN: Final = (
    pl.when(_TEXT.str.contains(_PROGRAMS_WRITE))
    .then(_TEXT.str.replace(r"(Z|\+00:00)$", "").str.replace(" ", "T", literal=True))
    .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    .dt.replace_time_zone("UTC")
)
MANY: Final = 50
"""From so many texts on it is faster to read them as a column; below, one by one."""


def instant(at: datetime) -> pl.Expr:
    """An aware time as a constant; a tenth of what ``pl.lit`` takes for one."""
    return pl.lit(_microseconds(at)).cast(_TIME)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def read_times(series: pl.Series) -> Reading:
    """A column of any type as UTC; bad where it holds no time that a post can have."""
    if isinstance(series.dtype, pl.Datetime):
        return _in_range(series, series.to_physical().cast(pl.Float64) * _US_PER_UNIT[series.dtype.time_unit])
    if series.dtype == pl.Date:
        days = pl.Series([True]).new_from_index(0, len(series))
        read = _in_range(series, series.to_physical().cast(pl.Float64) * _US_PER_DAY)
        return Reading(read.values, read.bad, date_only=marks(days))
    if series.dtype.is_numeric():
        return _read_epochs(series)
    if series.dtype == pl.String and len(series) >= MANY:
        return _read_texts(series)
    return _read_each(series)


def _read_texts(series: pl.Series) -> Reading:
    """Times as programs write them at once; what is written otherwise value by value."""
    plain = pl.DataFrame({"text": series}).select(_WRITTEN).to_series().alias(series.name)
    plain = plain.set(plain < EARLIEST, None)
    if plain.null_count() == series.null_count():
        return Reading(plain)
    rest = (plain.is_null() & series.is_not_null()).arg_true()
    return completed(plain, rest, _read_each(series.gather(rest)))


def _read_each(series: pl.Series) -> Reading:
    parsed, bad = by_value(series, "time")
    return _of_stated(series.name, parsed, bad)


def _of_stated(name: str, stated: list[StatedTime | None], bad: pl.Series | None) -> Reading:
    times = pl.Series(name, [None if s is None else _microseconds(s.at) for s in stated], dtype=pl.Int64).cast(_TIME)
    if not any(s is not None and s.date_only for s in stated):
        return Reading(times, bad)
    days = pl.Series([s is not None and s.date_only for s in stated], dtype=pl.Boolean)
    return Reading(times, bad, date_only=days)


def _read_epochs(series: pl.Series) -> Reading:
    """Numbers since 1970, in seconds, milliseconds or microseconds by their magnitude."""
    known = series.cast(pl.Float64).fill_nan(None) if series.dtype.is_float() else series.cast(pl.Float64)
    scales = [pl.when(pl.col("n") < limit).then(pl.lit(float(scale))) for limit, scale in EPOCH_SCALES]
    read = pl.DataFrame({"n": known}).select(pl.col("n") * pl.coalesce(scales)).to_series().round()
    microseconds = read.set(read.is_null() & known.is_not_null(), float("inf"))
    return _in_range(microseconds.alias(series.name), microseconds)


def _in_range(series: pl.Series, microseconds: pl.Series) -> Reading:
    """The times as UTC; bad where they lie before any platform existed or after the year 9999."""
    bad = marks((microseconds < _EARLIEST_US) | (microseconds >= _LATEST_US))
    kept = series if bad is None else series.set(bad, None)
    if not isinstance(kept.dtype, pl.Datetime):
        return Reading(kept.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), bad)
    aware = kept.dt.replace_time_zone("UTC") if kept.dtype.time_zone is None else kept.dt.convert_time_zone("UTC")
    return Reading(aware.dt.cast_time_unit("us"), bad)
