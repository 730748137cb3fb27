"""Posts to come, for ``predict`` only: our own columns with video_id, and no views yet."""

from typing import Final

from tiercast.adapters.formats.item import Item
from tiercast.adapters.formats.table import COLUMN_NAMES, row
from tiercast.intake.schema import nearest_column

name: Final = "drafts"

__all__ = ["name", "recognises", "row"]


def recognises(item: Item) -> bool:
    """Whether it has a video_id, something to tell of the post, and no column that was meant to be views."""
    told = any(column in item for column in COLUMN_NAMES if column not in ("video_id", "platform"))
    return "video_id" in item and told and not any(nearest_column(str(key)) == "views" for key in item)
