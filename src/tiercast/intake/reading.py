"""What reading a raw column gives, and the reading of values one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tiercast.core.video import Kind
from tiercast.intake.values import parse_count, parse_flag, parse_hashtags, parse_real, parse_text, parse_time

PARSERS: Final[dict[Kind, Callable[[Any], object]]] = {
    "text": parse_text,
    "count": parse_count,
    "real": parse_real,
    "flag": parse_flag,
    "time": parse_time,
    "texts": parse_hashtags,
}

_UNREADABLE: Final = object()


@dataclass(frozen=True, slots=True)
class Reading:
    """One column in its canonical type."""

    values: pl.Series
    bad: pl.Series | None = None
    """Marks values that are there but cannot be read; None where there are none."""
    date_only: pl.Series | None = None
    """For times: marks those of which only the day is stated; None where there are none."""

    def slice(self, start: int, height: int, name: str) -> "Reading":
        """The column of that name among columns that were read as one."""
        bad, days = self.bad, self.date_only
        return Reading(
            self.values.slice(start, height).alias(name),
            None if bad is None else marks(bad.slice(start, height)),
            None if days is None else marks(days.slice(start, height)),
        )


def marks(flags: pl.Series) -> pl.Series | None:
    """The flags with null as false; None where none is set."""
    if not flags.any():
        return None
    return flags.fill_null(value=False) if flags.null_count() else flags


def either(one: pl.Series | None, other: pl.Series | None) -> pl.Series | None:
    """Where one of both is set."""
    if one is None or other is None:
        return other if one is None else one
    return one | other


def completed(plain: pl.Series, rest: pl.Series, read: Reading) -> Reading:
    """A column of which the plain values were read at once, with what was read of the rest, whose rows are given."""

    def spread(flags: pl.Series | None) -> pl.Series | None:
        return None if flags is None else pl.Series([False]).new_from_index(0, len(plain)).scatter(rest, flags)

    return Reading(plain.scatter(rest, read.values), spread(read.bad), spread(read.date_only))


def by_value(series: pl.Series, kind: Kind) -> tuple[list[Any], pl.Series | None]:
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
    if not any(outcome is _UNREADABLE for outcome in parsed):
        return parsed, None
    bad = pl.Series([outcome is _UNREADABLE for outcome in parsed], dtype=pl.Boolean)
    return [None if outcome is _UNREADABLE else outcome for outcome in parsed], bad
