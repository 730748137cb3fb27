"""Rows of an existing ``scraped_videos`` table (Supabase), some of whose columns may be missing."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from tiercast.adapters.formats.frames import batch_of
from tiercast.adapters.formats.item import Item, first
from tiercast.ports.videos import RawBatch

name: Final = "scraped_videos"
COLUMNS: Final = (
    "platform",
    "platform_video_id",
    "video_url",
    "author",
    "description",
    "views",
    "likes",
    "shares",
    "comments",
    "sound_name",
    "hashtags",
    "duration_seconds",
    "region",
    "metadata",
    "created_at",
    "updated_at",
)
"""The columns that are read, where the table has them."""


def recognises(item: Item) -> bool:
    """Whether it has ``platform_video_id``."""
    return "platform_video_id" in item


def row(item: Item) -> dict[str, object]:
    """The raw values under canonical names; ``created_at`` is when the row was inserted, never the posting time."""
    metadata = _metadata(item.get("metadata"))
    measured = first(metadata, "scraped_at") or item.get("updated_at")
    inserted = item.get("created_at")
    return {
        "platform": item.get("platform"),
        "video_id": item.get("platform_video_id"),
        "video_url": item.get("video_url"),
        "author": item.get("author"),
        "author_followers": metadata.get("followers"),
        "description": item.get("description"),
        "views": item.get("views"),
        "likes": item.get("likes"),
        "shares": item.get("shares"),
        "comments": item.get("comments"),
        "saves": metadata.get("bookmarks"),
        "duration_seconds": item.get("duration_seconds"),
        "hashtags": item.get("hashtags"),
        "sound_name": item.get("sound_name"),
        "region": item.get("region"),
        "published_at": metadata.get("uploaded_at"),
        "scraped_at": measured or inserted,
        "scrape_time_guessed": True if inserted and not measured else None,
    }


def batch(items: Sequence[Item]) -> RawBatch:
    """Rows of the table itself as a batch."""
    return batch_of(items, sys.modules[__name__])


def _metadata(value: object) -> Item:
    """The metadata object, also where the database or an export gives it as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}
