"""Our own columns, any subset with at least video_id and views; measured-again tables have the same columns."""

from collections.abc import Iterable
from typing import Final

from tiercast.adapters.formats.item import Item
from tiercast.core.video import COLUMNS

name: Final = "table"
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)
NEEDED: Final = ("video_id", "views")
_NAMES: Final = frozenset(COLUMN_NAMES)
_NEEDED: Final = frozenset(NEEDED)


def recognises(item: Item) -> bool:
    """Whether it has the two columns without which no table row means anything."""
    return item.keys() >= _NEEDED


def row(item: Item) -> dict[str, object]:
    """The canonical columns that are there; other columns are left out."""
    return {name: value for name, value in item.items() if name in _NAMES}


def ignored(columns: Iterable[str]) -> tuple[str, ...]:
    """Those of these columns that are no canonical ones, each once."""
    return tuple(column for column in dict.fromkeys(columns) if column not in _NAMES)
