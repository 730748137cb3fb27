"""Raw items of TikTok's web pages, as the TikTokApi package returns them."""

from typing import Final

from tiercast.adapters.formats.item import Item, first, part

name: Final = "tiktok-web"


def recognises(item: Item) -> bool:
    """Whether it has ``desc`` and ``stats`` or ``statsV2``."""
    return "desc" in item and ("stats" in item or "statsV2" in item)


def row(item: Item) -> dict[str, object]:
    """The raw values under canonical names; exact counts (statsV2) where they are, else rounded ones (stats)."""
    author, music = part(item, "author"), part(item, "music")
    counts = {**part(item, "stats"), **_known(part(item, "statsV2"))}
    followers = {**part(item, "authorStats"), **_known(part(item, "authorStatsV2"))}
    return {
        "platform": "tiktok",
        "video_id": item.get("id"),
        "author": author.get("uniqueId"),
        "author_verified": author.get("verified"),
        "author_followers": followers.get("followerCount"),
        "description": item.get("desc"),
        "views": counts.get("playCount"),
        "likes": counts.get("diggCount"),
        "shares": counts.get("shareCount"),
        "comments": counts.get("commentCount"),
        "saves": counts.get("collectCount"),
        "duration_seconds": part(item, "video").get("duration"),
        "hashtags": _hashtags(item),
        "sound_id": music.get("id"),
        "sound_name": music.get("title"),
        "sound_is_original": music.get("original"),
        "is_ad": item.get("isAd"),
        "is_slideshow": True if part(item, "imagePost") else None,
        "published_at": item.get("createTime"),
        "scraped_at": first(item, "collectTime", "scraped_at"),
    }


def _known(counts: Item) -> dict[str, object]:
    return {key: count for key, count in counts.items() if count not in (None, "")}


def _hashtags(item: Item) -> object:
    """Challenges, or the hashtags among the marked pieces of the caption (mentions are there too, without a name)."""
    challenges = item.get("challenges")
    if challenges is not None or not isinstance(pieces := item.get("textExtra"), list):
        return challenges
    return [piece for piece in pieces if isinstance(piece, dict) and piece.get("hashtagName")]
