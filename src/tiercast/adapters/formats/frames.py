"""Scraped items as a frame of raw canonical columns, whatever types their values have."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Final

import polars as pl

from tiercast.adapters.formats import drafts, table
from tiercast.adapters.formats.item import Format, Item
from tiercast.core.video import COLUMNS
from tiercast.ports.videos import RawBatch, Unreadable

KEYS_SHOWN: Final = 12
"""How many field names an error lists: enough to recognise a scraper by."""

_INT64: Final = range(-(2**63), 2**63)


def batch_of(items: Sequence[object], form: Format, unreadable: Iterable[Unreadable] = ()) -> RawBatch:
    """The items of that format as rows; whatever is not of it is unreadable, with the fields it has instead."""
    rows: list[dict[str, object]] = []
    raw: list[object] = []
    odd = list(unreadable)
    for item in items:
        if isinstance(item, Mapping) and form.recognises(item):
            rows.append(form.row(item))
            raw.append(item)
        else:
            detail = f"It is no {form.name} item: {what_it_is(item)}."
            odd.append(Unreadable(item, "unknown_shape", detail))
    return RawBatch(frame_of(rows), raw, tuple(odd), _ignored(raw) if form in (table, drafts) else ())


def _ignored(items: Sequence[object]) -> tuple[str, ...]:
    keys: dict[object, None] = {}
    for item in items:
        if isinstance(item, Mapping) and not keys.keys() >= item.keys():
            keys |= dict.fromkeys(item)
    return table.ignored(str(_mended(str(key))) for key in keys)


def what_it_is(item: object) -> str:
    """The fields of an item, or its type where it is no object.

    >>> what_it_is({"url": "x", "error": "y"}), what_it_is(3)
    ('its fields are url, error', 'it is of type int')
    """
    if not isinstance(item, Mapping):
        return f"it is of type {type(item).__name__}"
    return f"its fields are {shown_keys(item)}" if item else "it has no fields"


def shown_keys(item: Item) -> str:
    """Up to 12 field names, each cut to 40 characters.

    >>> shown_keys({str(n): n for n in range(14)})
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more'
    """
    names = [str(key)[:40].encode(errors="replace").decode() for key in list(item)[:KEYS_SHOWN]]
    more = f" and {len(item) - KEYS_SHOWN} more" if len(item) > KEYS_SHOWN else ""
    return ", ".join(names) + more


def frame_of(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The rows column by column: typed where all values agree, else as Python objects for cleaning to sort out."""
    present = set[str]().union(*rows)
    columns = [
        _series(column.name, [row.get(column.name) for row in rows]) for column in COLUMNS if column.name in present
    ]
    return pl.DataFrame(columns)


def _series(name: str, values: list[object]) -> pl.Series:
    types = set(map(type, values)) - {NoneType}
    if not types:
        return pl.Series(name, values, dtype=pl.Null)
    if types == {str}:
        return pl.Series(name, _encodable(values), dtype=pl.String)
    if types == {bool} or types == {float}:
        return pl.Series(name, values, dtype=pl.Boolean if bool in types else pl.Float64)
    if types == {int} and _fits(values):
        return pl.Series(name, values, dtype=pl.Int64)
    if types == {datetime}:
        return pl.Series(name, [v.isoformat() if isinstance(v, datetime) else None for v in values])
    return pl.Series(name, _encodable(values), dtype=pl.Object)


def _fits(values: list[object]) -> bool:
    numbers = [value for value in values if isinstance(value, int)]
    return min(numbers) in _INT64 and max(numbers) in _INT64


def _encodable(values: list[object]) -> list[object]:
    return [value if isinstance(value, str) and value.isascii() else _mended(value) for value in values]


def _mended(value: object) -> object:
    """The value without halves of surrogate pairs, which scrapers leave where they cut a caption inside an emoji."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    return value
