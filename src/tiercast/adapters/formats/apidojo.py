"""Items of the Apify actor apidojo/tiktok-scraper."""

from collections.abc import Mapping
from typing import Final

from tiercast.adapters.formats.item import Item, first, part

name: Final = "apidojo"


def recognises(item: Item) -> bool:
    """Whether it has ``postPage``, or ``channel`` as an object (yt-dlp has it as text), beside ``views``."""
    return "views" in item and ("postPage" in item or isinstance(item.get("channel"), Mapping))


def row(item: Item) -> dict[str, object]:
    """The raw values under canonical names."""
    channel, song = part(item, "channel"), part(item, "song")
    return {
        "platform": "tiktok",
        "video_id": item.get("id"),
        "video_url": item.get("postPage"),
        "author": channel.get("username"),
        "author_verified": channel.get("verified"),
        "author_followers": channel.get("followers"),
        "description": item.get("title"),
        "views": item.get("views"),
        "likes": item.get("likes"),
        "shares": item.get("shares"),
        "comments": item.get("comments"),
        "saves": item.get("bookmarks"),
        "duration_seconds": part(item, "video").get("duration"),
        "hashtags": item.get("hashtags"),
        "sound_id": song.get("id"),
        "sound_name": song.get("title"),
        "published_at": first(item, "uploadedAt", "uploadedAtFormatted"),
        "scraped_at": first(item, "scrapedAt", "scraped_at"),
    }
