"""Raw columns of any type as canonical ones: typed columns at once, text and mixed ones value by value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tiercast.core.errors import InvalidInput
from tiercast.core.video import Column, Kind
from tiercast.intake.schema import SCHEMA
from tiercast.intake.values import (
    CAPTION_HASHTAG,
    EARLIEST,
    EPOCH_SCALES,
    FLOAT_NOISE,
    MISSING_WORDS,
    ROUNDED_NUMBER,
    StatedTime,
    parse_count,
    parse_flag,
    parse_hashtags,
    parse_real,
    parse_text,
    parse_time,
)

PARSERS: Final[dict[Kind, Callable[[Any], object]]] = {
    "text": parse_text,
    "count": parse_count,
    "real": parse_real,
    "flag": parse_flag,
    "time": parse_time,
    "texts": parse_hashtags,
}

_IDS: Final = ("video_id", "sound_id")
_WORDS: Final = ("platform", "video_url", *_IDS)
"""Text columns in which "null" or "nan" stands for nothing; a caption may well say "none"."""
_AS_WRITTEN: Final = ("description",)
"""Text columns where blank is a value of its own: a caption known to be empty."""
_CODES: Final = ("region",)
"""Text columns of two letters; anything else is unknown, and no reason to refuse a row."""
_INT64_END: Final = 2**63 - 1
_WIDER: Final = tuple(getattr(pl, name) for name in ("UInt64", "Int128", "UInt128") if hasattr(pl, name))
"""Whole numbers of more than 63 bits; older Polars lack the last."""
_FLOAT_INT64_END: Final = 9.2e18
"""Counts beyond 64 bits are brought here; far above COUNT_LIMIT, so they stay recognisably absurd."""
_EARLIEST_US: Final = int(EARLIEST.timestamp()) * 1_000_000
_LATEST_US: Final = 253_402_300_800 * 1_000_000
"""The end of the year 9999, after which Python has no dates."""
_US_PER_UNIT: Final = {"ms": 1_000.0, "us": 1.0, "ns": 0.001}
_TIME: Final = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Reading:
    """One column in its canonical type; ``bad`` marks values that are there but cannot be read."""

    values: pl.Series
    bad: pl.Series
    date_only: pl.Series | None = None
    """For times: where only the day is stated."""


def read_column(column: Column, series: pl.Series | None, height: int) -> Reading:
    """The column as its canonical type; all null where the input has none. A float id raises InvalidInput."""
    if series is None or series.dtype == pl.Null:
        return _all_null(column.name, height)
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype.is_decimal():
        series = series.cast(pl.Float64)
    return _READERS[column.kind](series.alias(column.name))


def hashtags_in_captions(captions: pl.Series) -> pl.Series:
    """The hashtags of every caption, as ``values.hashtags_in_caption`` finds them; null for a null one."""
    found = captions.str.extract_all(CAPTION_HASHTAG)
    return found.list.eval(pl.element().str.slice(1), parallel=False)


def _all_null(name: str, height: int) -> Reading:
    return Reading(pl.repeat(None, height, dtype=SCHEMA[name], eager=True).alias(name), _none_bad(height))


def _none_bad(height: int) -> pl.Series:
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True)


def _by_value(series: pl.Series, kind: Kind) -> tuple[list[Any], pl.Series]:
    """What the scalar parser makes of each value (text that repeats is parsed once), and what it could not read."""
    parse, known = PARSERS[kind], dict[str, object]()
    parsed: list[object] = []
    for value in series.to_list():
        text = value if type(value) is str else None
        if text is None or text not in known:
            try:
                outcome = parse(value)
            except ValueError:
                outcome = _UNREADABLE
            if text is not None:
                known[text] = outcome
            parsed.append(outcome)
        else:
            parsed.append(known[text])
    bad = pl.Series([outcome is _UNREADABLE for outcome in parsed], dtype=pl.Boolean)
    return [None if outcome is _UNREADABLE else outcome for outcome in parsed], bad


_UNREADABLE: Final = object()


def _read_text(series: pl.Series) -> Reading:
    name = series.name
    if name in _IDS and series.dtype.is_float():
        _refuse_float_id(series)
        return _all_null(name, len(series))
    bad = _none_bad(len(series))
    if series.dtype.is_integer():
        series = series.cast(pl.String)
    elif series.dtype != pl.String:
        parsed, bad = _by_value(series, "text")
        series = pl.Series(name, parsed, dtype=pl.String)
    series = series.str.replace_all("\x00", "", literal=True)  # Postgres cannot hold it
    if name not in _AS_WRITTEN:
        series = series.str.strip_chars()
        words = list(MISSING_WORDS) if name in _WORDS else [""]
        missing = (series.str.to_lowercase() if name in _WORDS else series).is_in(words)
        series = series.set(missing.fill_null(value=False), None)
    if name in _CODES:
        two_letters = series.str.contains(r"^[A-Za-z]{2}$").fill_null(value=False)
        return Reading(series.set(~two_letters, None).str.to_uppercase(), _none_bad(len(series)))
    if name in _IDS:
        bad = bad | series.str.contains(f"^(?:{ROUNDED_NUMBER})$").fill_null(value=False)
    return Reading(series, bad)


def _refuse_float_id(series: pl.Series) -> None:
    known = series.fill_nan(None).drop_nulls()
    if len(known):
        raise InvalidInput(
            f"The column {series.name} holds floating-point numbers (such as {known[0]!r}), in which 19-digit ids "
            f"have lost their last digits. Write {series.name} as text or whole numbers and read the file again."
        )


def _read_counts(series: pl.Series) -> Reading:
    if series.dtype == pl.String:
        return _read_count_texts(series)
    if series.dtype.is_integer():
        lowest = 0 if series.dtype.is_unsigned_integer() else -_INT64_END
        clipped = series.clip(lowest, _INT64_END) if series.dtype in _WIDER else series
        return Reading(clipped.cast(pl.Int64), _none_bad(len(series)))
    if series.dtype.is_float():
        known = series.cast(pl.Float64).fill_nan(None)
        whole = known.round()
        bad = (known.is_infinite() | ((known - whole).abs() > known.abs() * FLOAT_NOISE)).fill_null(value=False)
        fitting = (whole.set(bad, None) if bad.any() else whole).clip(-_FLOAT_INT64_END, _FLOAT_INT64_END)
        return Reading(fitting.cast(pl.Int64), bad)
    parsed, bad = _by_value(series, "count")
    return Reading(_int64(series.name, parsed), bad)


def _read_count_texts(series: pl.Series) -> Reading:
    """Plain digits at once; what is written otherwise ("1.2M") value by value."""
    plain = series.str.strip_chars().str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    rest = (plain.is_null() & series.is_not_null()).arg_true()
    if not len(rest):
        return Reading(plain, _none_bad(len(series)))
    parsed, bad = _by_value(series.gather(rest), "count")
    return Reading(
        plain.scatter(rest, _int64(series.name, parsed)), _none_bad(len(series)).scatter(rest, bad).alias("bad")
    )


def _int64(name: str, counts: list[int | None]) -> pl.Series:
    fitting = [None if count is None else max(-_INT64_END, min(count, _INT64_END)) for count in counts]
    return pl.Series(name, fitting, dtype=pl.Int64)


def _read_reals(series: pl.Series) -> Reading:
    if series.dtype.is_numeric():
        known = series.cast(pl.Float64).fill_nan(None)
        bad = known.is_infinite().fill_null(value=False)
        return Reading(known.set(bad, None), bad)
    parsed, bad = _by_value(series, "real")
    return Reading(pl.Series(series.name, parsed, dtype=pl.Float64), bad)


def _read_flags(series: pl.Series) -> Reading:
    if series.dtype == pl.Boolean:
        return Reading(series, _none_bad(len(series)))
    parsed, bad = _by_value(series, "flag")
    return Reading(pl.Series(series.name, parsed, dtype=pl.Boolean), bad)


def _read_texts(series: pl.Series) -> Reading:
    if series.dtype == pl.List(pl.String):
        name = pl.element().str.strip_chars().str.strip_chars_start("#＃").str.strip_chars()
        names = series.list.eval(name, parallel=False)
        return Reading(names.list.eval(pl.element().filter(pl.element() != "")), _none_bad(len(series)))
    parsed, bad = _by_value(series, "texts")
    return Reading(pl.Series(series.name, parsed, dtype=pl.List(pl.String)), bad)


def _read_times(series: pl.Series) -> Reading:
    if isinstance(series.dtype, pl.Datetime):
        return _in_range(series, series.to_physical().cast(pl.Float64) * _US_PER_UNIT[series.dtype.time_unit])
    if series.dtype == pl.Date:
        days = pl.repeat(True, len(series), dtype=pl.Boolean, eager=True)
        read = _in_range(series, series.to_physical().cast(pl.Float64) * 86_400_000_000.0)
        return Reading(read.values, read.bad, date_only=days)
    if series.dtype.is_numeric():
        return _read_epochs(series)
    parsed, bad = _by_value(series, "time")
    return _of_stated(series.name, parsed, bad)


def _of_stated(name: str, stated: list[StatedTime | None], bad: pl.Series) -> Reading:
    times = pl.Series(name, [None if s is None else s.at for s in stated], dtype=_TIME)
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
    bad = ((microseconds < _EARLIEST_US) | (microseconds >= _LATEST_US)).fill_null(value=False)
    kept = series.set(bad, None) if bad.any() else series
    if not isinstance(kept.dtype, pl.Datetime):
        return Reading(kept.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), bad)
    aware = kept.dt.replace_time_zone("UTC") if kept.dtype.time_zone is None else kept.dt.convert_time_zone("UTC")
    return Reading(aware.dt.cast_time_unit("us"), bad)


_READERS: Final[dict[Kind, Callable[[pl.Series], Reading]]] = {
    "text": _read_text,
    "count": _read_counts,
    "real": _read_reals,
    "flag": _read_flags,
    "time": _read_times,
    "texts": _read_texts,
}
