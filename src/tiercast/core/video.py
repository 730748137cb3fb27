"""A video and its observations: the canonical columns, and what can be read off an id or a URL."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

Kind = Literal["text", "count", "real", "flag", "time", "texts"]


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column: its name, the kind of value it holds and what that value means."""

    name: str
    kind: Kind
    meaning: str


IDENTITY: Final = (
    Column("platform", "text", "where it was posted, lower case: tiktok, youtube, instagram"),
    Column("video_id", "text", "the platform's own id, always text (19 digits do not fit a float)"),
)
DESCRIPTION: Final = (
    Column("video_url", "text", "address of the post"),
    Column("author", "text", "handle of the creator"),
    Column("author_verified", "flag", "whether the platform verified the creator"),
    Column("description", "text", "caption"),
    Column("duration_seconds", "real", "length in seconds; 0 for a slideshow"),
    Column("hashtags", "texts", "hashtags without #, in order"),
    Column("sound_id", "text", "the platform's id of the sound"),
    Column("sound_name", "text", "name of the sound"),
    Column("sound_is_original", "flag", "whether the sound is the author's own"),
    Column("is_ad", "flag", "whether it is paid or sponsored"),
    Column("is_pinned", "flag", "whether the creator pinned it"),
    Column("is_slideshow", "flag", "whether it is a slideshow of pictures"),
    Column("published_at", "time", "when it was posted"),
    Column("published_date_only", "flag", "whether only the day of posting is known, so the hour is not"),
    Column("region", "text", "ISO 3166 country code of the creator, where known"),
)
COUNTS: Final = (
    Column("views", "count", "times it was played"),
    Column("likes", "count", "likes; null where hidden"),
    Column("shares", "count", "shares"),
    Column("comments", "count", "comments"),
    Column("saves", "count", "bookmarks"),
    Column("author_followers", "count", "followers of the creator at that time"),
)
SCRAPE: Final = (
    Column("scraped_at", "time", "when these counts were measured"),
    Column("scrape_time_guessed", "flag", "whether that time is the file's, not the item's"),
)
COLUMNS: Final = (*IDENTITY, *DESCRIPTION, *COUNTS, *SCRAPE)

COUNT_LIMIT: Final = 10**12
"""A count at or above this is a fault: the most viewed video ever has some 2 * 10**10 views."""

_TIKTOK_FIRST_DAY: Final = datetime(2014, 1, 1, tzinfo=UTC)
"""Ids older than TikTok's predecessor are no TikTok ids."""

_PLATFORM_ALIASES: Final = {
    "tik_tok": "tiktok",
    "youtube_shorts": "youtube",
    "shorts": "youtube",
    "instagram_reels": "instagram",
    "reels": "instagram",
}
_PLATFORM_HOSTS: Final = {
    "tiktok.com": "tiktok",
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "instagram.com": "instagram",
}


def published_at_from_tiktok_id(video_id: str, now: datetime) -> datetime | None:
    """The posting time that a TikTok id holds (its upper 32 bits are UTC epoch seconds), if it is one.

    >>> from datetime import UTC, datetime
    >>> published_at_from_tiktok_id("7498897212299136274", datetime(2026, 1, 1, tzinfo=UTC))
    datetime.datetime(2025, 4, 30, 0, 31, 4, tzinfo=datetime.timezone.utc)
    >>> published_at_from_tiktok_id("12", datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    if not (video_id.isascii() and video_id.isdigit() and 17 <= len(video_id) <= 20):
        return None
    posted_at = datetime.fromtimestamp(int(video_id) >> 32, tz=UTC)
    return posted_at if _TIKTOK_FIRST_DAY <= posted_at <= now else None


def platform_name(text: str) -> str | None:
    """The platform's canonical name, or None where the text cannot be one.

    >>> platform_name(" TikTok "), platform_name("YouTube Shorts"), platform_name("???")
    ('tiktok', 'youtube', None)
    """
    name = text.strip().lower().replace(" ", "_").replace("-", "_")
    if not (name and len(name) <= 32 and name.isascii() and name.replace("_", "").isalnum()):
        return None
    return _PLATFORM_ALIASES.get(name, name)


def platform_of_url(url: str) -> str | None:
    """The platform that an address belongs to, or None.

    >>> platform_of_url("https://www.tiktok.com/@a/video/1"), platform_of_url("https://example.org/tiktok.com")
    ('tiktok', None)
    """
    host = url.strip().lower().removeprefix("https://").removeprefix("http://").split("/")[0].split(":")[0]
    for domain, platform in _PLATFORM_HOSTS.items():
        if host == domain or host.endswith("." + domain):
            return platform
    return None
