"""What can be read off an id or an address."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.core.video import COLUMNS, platform_name, platform_of_url, published_at_from_tiktok_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = datetime(2014, 1, 1, tzinfo=UTC)


@given(st.integers(int(FIRST.timestamp()), int(NOW.timestamp())), st.integers(0, 2**32 - 1))
def test_a_tiktok_id_holds_its_posting_second_in_its_upper_half(second: int, lower: int) -> None:
    video_id = str((second << 32) + lower)
    assert published_at_from_tiktok_id(video_id, NOW) == datetime.fromtimestamp(second, tz=UTC)


@pytest.mark.parametrize(
    "video_id",
    [
        "",
        "12",
        "dQw4w9WgXcQ",
        "7498897212299136274.0",
        "-498897212299136274",
        "٧٤٩٨٨٩٧٢١٢٢٩٩١٣٦٢٧٤",  # digits, but not ASCII ones
        str(int(FIRST.timestamp() - 1) << 32),
        str(int(NOW.timestamp() + 1) << 32),
        "9" * 20,
    ],
)
def test_what_is_no_tiktok_id_holds_no_time(video_id: str) -> None:
    assert published_at_from_tiktok_id(video_id, NOW) is None


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("TikTok", "tiktok"),
        (" tik-tok ", "tiktok"),
        ("YouTube Shorts", "youtube"),
        ("shorts", "youtube"),
        ("Reels", "instagram"),
        ("instagram", "instagram"),
        ("bilibili", "bilibili"),
        ("", None),
        ("???", None),
        ("ты", None),
        ("a" * 33, None),
    ],
)
def test_a_platform_has_one_name(text: str, platform: str | None) -> None:
    assert platform_name(text) == platform


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://www.tiktok.com/@a/video/1", "tiktok"),
        ("HTTP://VM.TIKTOK.COM/x", "tiktok"),
        ("youtu.be/abc", "youtube"),
        ("https://www.youtube.com:443/shorts/x", "youtube"),
        ("https://instagram.com/reel/x", "instagram"),
        ("https://nottiktok.com/@a", None),
        ("https://tiktok.com.example.org/", None),
        ("https://example.org/?u=tiktok.com", None),
        ("", None),
    ],
)
def test_a_platform_is_named_by_the_host_alone(url: str, platform: str | None) -> None:
    assert platform_of_url(url) == platform


def test_every_column_has_its_own_name_and_a_meaning() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in COLUMNS)
