"""Our own columns with views or without: posts to come beside posted ones, for ``predict`` only."""

from typing import Final

from tiercast.adapters.formats import table
from tiercast.adapters.formats.item import Item
from tiercast.adapters.formats.table import row
from tiercast.core.video import IDENTITY
from tiercast.intake.schema import slips

name: Final = "drafts"

__all__ = ["name", "recognises", "row"]

_IDENTITY: Final = frozenset(column.name for column in IDENTITY)
_TOLD: Final = frozenset(table.COLUMN_NAMES) - _IDENTITY


def recognises(item: Item) -> bool:
    """Whether it is a table's item, or has a video_id, no slip for views, and more than unread fields beside it."""
    if table.recognises(item):
        return True
    told = item.keys() <= _IDENTITY or not item.keys().isdisjoint(_TOLD)
    return "video_id" in item and told and "views" not in slips(table.ignored(map(str, item))).values()
