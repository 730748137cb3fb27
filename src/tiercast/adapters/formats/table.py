"""Our own columns, any subset with at least video_id and views; measured-again tables have the same columns."""

from typing import Final

from tiercast.adapters.formats.item import Item
from tiercast.core.video import COLUMNS

name: Final = "table"
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)


def recognises(item: Item) -> bool:
    """Whether it has the two columns without which no table row means anything."""
    return "video_id" in item and "views" in item


def row(item: Item) -> dict[str, object]:
    """The canonical columns that are there; other columns are left out."""
    return {column: item[column] for column in COLUMN_NAMES if column in item}
