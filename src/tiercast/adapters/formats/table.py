"""Our own columns, any subset with at least video_id and views; measured-again tables have the same columns."""

from collections.abc import Iterable
from typing import Final

from tiercast.adapters.formats.item import Item
from tiercast.core.video import COLUMNS

name: Final = "table"
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)
NEEDED: Final = ("video_id", "views")


def recognises(item: Item) -> bool:
    """Whether it has the two columns without which no table row means anything."""
    return all(column in item for column in NEEDED)


def row(item: Item) -> dict[str, object]:
    """The canonical columns that are there; other columns are left out."""
    return {column: item[column] for column in COLUMN_NAMES if column in item}


def ignored(columns: Iterable[str]) -> tuple[str, ...]:
    """Those of these columns that are no canonical ones, each once."""
    return tuple(column for column in dict.fromkeys(columns) if column not in COLUMN_NAMES)
