"""What a caller states beside its videos, in a flag, a query or an argument: a platform, a time."""

from datetime import datetime, timedelta

from tiercast.core.errors import InvalidInput
from tiercast.core.video import platform_name
from tiercast.intake.values import parse_time


def stated_platform(text: str | None, name: str = "platform") -> str | None:
    """A platform's own name; raises InvalidInput where the text cannot be one.

    >>> stated_platform(" TikTok ")
    'tiktok'
    """
    found = None if text is None else platform_name(text)
    if text is not None and found is None:
        raise InvalidInput(f"{name} {text!r} is no platform name; write tiktok, youtube or instagram.")
    return found


def stated_time(text: str | None, name: str) -> datetime | None:
    """An aware time, a bare day being its end; raises InvalidInput showing how one is written.

    >>> stated_time("2026-11-01", "--at")
    datetime.datetime(2026, 11, 1, 23, 59, 59, tzinfo=datetime.timezone.utc)
    """
    if text is None:
        return None
    try:
        parsed = parse_time(text)
    except ValueError:
        parsed = None
    if parsed is None:
        raise InvalidInput(f"{name} {text!r} is no time; write 2026-11-01T06:00:00Z or 2026-11-01.")
    return parsed.at + timedelta(hours=23, minutes=59, seconds=59) if parsed.date_only else parsed.at
