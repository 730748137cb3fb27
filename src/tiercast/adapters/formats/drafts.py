"""Our own columns with views or without: posts to come beside posted ones, for ``predict`` only."""

from typing import Final

from tiercast.adapters.formats import table
from tiercast.adapters.formats.item import Item
from tiercast.adapters.formats.table import row
from tiercast.intake.schema import slips

name: Final = "drafts"

__all__ = ["name", "recognises", "row"]


def recognises(item: Item) -> bool:
    """Whether it is a table's item, or has a video_id, something to tell of the post and no slip for views."""
    if table.recognises(item):
        return True
    told = any(column in item for column in table.COLUMN_NAMES if column not in ("video_id", "platform"))
    return "video_id" in item and told and "views" not in slips(table.ignored(map(str, item))).values()
