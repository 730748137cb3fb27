"""Items of the Apify actor clockworks/tiktok-scraper, and the older ``collector`` dumps of the same shape."""

from typing import Final

from tiercast.adapters.formats.item import Item, first, part

name: Final = "clockworks"


def recognises(item: Item) -> bool:
    """Whether it has ``authorMeta`` and ``playCount``."""
    return "authorMeta" in item and "playCount" in item


def row(item: Item) -> dict[str, object]:
    """The raw values under canonical names."""
    author, music = part(item, "authorMeta"), part(item, "musicMeta")
    return {
        "platform": "tiktok",
        "video_id": item.get("id"),
        "video_url": item.get("webVideoUrl"),
        "author": author.get("name"),
        "author_verified": author.get("verified"),
        "author_followers": author.get("fans"),
        "description": item.get("text"),
        "views": item.get("playCount"),
        "likes": item.get("diggCount"),
        "shares": item.get("shareCount"),
        "comments": item.get("commentCount"),
        "saves": item.get("collectCount"),
        "duration_seconds": part(item, "videoMeta").get("duration"),
        "hashtags": item.get("hashtags"),
        "sound_id": music.get("musicId"),
        "sound_name": music.get("musicName"),
        "sound_is_original": music.get("musicOriginal"),
        "is_ad": _either(item.get("isAd"), item.get("isSponsored")),
        "is_pinned": item.get("isPinned"),
        "is_slideshow": item.get("isSlideshow"),
        "published_at": first(item, "createTime", "createTimeISO"),
        "scraped_at": first(item, "scrapedAt", "collectTime", "scraped_at"),
    }


def _either(paid: object, sponsored: object) -> object:
    """True where one says so; else what is said."""
    if paid is True or sponsored is True:
        return True
    return paid if paid is not None else sponsored
