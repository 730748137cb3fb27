import json
from datetime import UTC, datetime

import pytest

from tiercast.adapters.formats import FORMATS, by_name, choose, drafts, recognise
from tiercast.adapters.formats.frames import batch_of, frame_of
from tiercast.core.errors import InvalidInput
from tiercast.core.video import COLUMNS
from tiercast.intake.clean import Context, clean

POSTED = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECONDS = int(POSTED.timestamp())
VIDEO_ID = str(SECONDS << 32 | 5)

CLOCKWORKS = {
    "id": VIDEO_ID,
    "text": "a dance #fun",
    "createTime": SECONDS,
    "createTimeISO": "2026-05-01T08:30:00.000Z",
    "isAd": False,
    "isSponsored": True,
    "isPinned": False,
    "isSlideshow": False,
    "webVideoUrl": f"https://www.tiktok.com/@ana/video/{VIDEO_ID}",
    "authorMeta": {"name": "ana", "nickName": "Ana", "fans": 1200, "verified": True},
    "musicMeta": {"musicName": "original sound - ana", "musicOriginal": True, "musicId": "7001"},
    "videoMeta": {"duration": 12, "height": 1024, "width": 576},
    "diggCount": 50,
    "shareCount": 4,
    "playCount": 1000,
    "collectCount": 6,
    "commentCount": 7,
    "hashtags": [{"id": "1", "name": "fun", "title": ""}],
}
APIDOJO = {
    "id": VIDEO_ID,
    "postPage": f"https://www.tiktok.com/@ana/video/{VIDEO_ID}",
    "title": "a dance #fun",
    "views": 1000,
    "likes": 50,
    "comments": 7,
    "shares": 4,
    "bookmarks": 6,
    "hashtags": ["fun"],
    "uploadedAt": SECONDS,
    "uploadedAtFormatted": "2026-05-01T08:30:00.000Z",
    "channel": {"username": "ana", "name": "Ana", "verified": True, "followers": 1200},
    "song": {"title": "original sound - ana", "id": 7001},
    "video": {"duration": 12.0},
}
TIKTOK_WEB = {
    "id": VIDEO_ID,
    "desc": "a dance #fun",
    "createTime": str(SECONDS),
    "author": {"uniqueId": "ana", "verified": True},
    "authorStats": {"followerCount": 1200},
    "music": {"id": "7001", "title": "original sound - ana", "original": True},
    "video": {"duration": 12},
    "stats": {"playCount": 900, "diggCount": 50, "commentCount": 7, "shareCount": 4, "collectCount": 6},
    "statsV2": {"playCount": "1000", "diggCount": "50", "commentCount": ""},
    "textExtra": [{"userId": "9"}, {"hashtagName": "fun"}],
    "isAd": True,
    "collectTime": SECONDS + 86_400,
}
SCRAPED_VIDEOS = {
    "platform": "tiktok",
    "platform_video_id": VIDEO_ID,
    "video_url": f"https://www.tiktok.com/@ana/video/{VIDEO_ID}",
    "author": "ana",
    "description": "a dance #fun",
    "views": 1000,
    "likes": 50,
    "shares": 4,
    "comments": 7,
    "sound_name": "original sound - ana",
    "hashtags": ["fun"],
    "duration_seconds": 12,
    "metadata": {"bookmarks": 6, "followers": 1200, "uploaded_at": "2026-05-01T08:30:00Z"},
    "created_at": "2026-05-03T00:00:00+00:00",
    "updated_at": "2026-05-04T00:00:00+00:00",
}
TABLE = {
    "platform": "tiktok",
    "video_id": VIDEO_ID,
    "author": "ana",
    "author_followers": 1200,
    "description": "a dance #fun",
    "views": 1000,
    "likes": 50,
    "shares": 4,
    "comments": 7,
    "saves": 6,
    "duration_seconds": 12,
    "sound_name": "original sound - ana",
    "published_at": "2026-05-01T08:30:00Z",
    "surplus": "ignored",
}
SAMPLES = {
    "clockworks": CLOCKWORKS,
    "apidojo": APIDOJO,
    "tiktok-web": TIKTOK_WEB,
    "scraped_videos": SCRAPED_VIDEOS,
    "table": TABLE,
}
EXPECTED = {
    "platform": "tiktok",
    "video_id": VIDEO_ID,
    "author": "ana",
    "author_followers": 1200,
    "description": "a dance #fun",
    "views": 1000,
    "likes": 50,
    "shares": 4,
    "comments": 7,
    "saves": 6,
    "duration_seconds": 12.0,
    "hashtags": ["fun"],
    "sound_name": "original sound - ana",
    "sound_is_original": True,
    "published_at": POSTED,
}


def row_of(name: str, **changes) -> dict:
    batch = batch_of([{**SAMPLES[name], **changes}], by_name(name))
    outcome = clean(batch.rows, Context(NOW, None, NOW, None, {}))
    assert (batch.unreadable, outcome.rejects) == ((), ())
    return outcome.rows.row(0, named=True)


def test_every_format_has_a_sample_here():
    assert [form.name for form in FORMATS] == list(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_format_is_recognised_by_its_tell_tale_among_error_rows(name):
    found = recognise([{"url": "x", "error": "not found"}, SAMPLES[name], 3])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", SAMPLES)
def test_every_format_gives_the_same_video(name):
    row = row_of(name)
    assert {column: row[column] for column in EXPECTED} == EXPECTED


@pytest.mark.parametrize("name", SAMPLES)
def test_a_row_has_canonical_columns_only(name):
    assert set(by_name(name).row(SAMPLES[name])) <= {column.name for column in COLUMNS}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_item_with_its_inner_objects_missing_is_still_a_row(name):
    bare = {key: value for key, value in SAMPLES[name].items() if not isinstance(value, dict | list)}
    by_name(name).row({**bare, "author": None, "channel": "text"})


def test_what_is_of_no_known_format_is_recognised_as_none():
    assert recognise([{"id": "1", "channel": "a yt-dlp channel", "views": 3}, "text"]) is None


def test_an_unknown_format_name_lists_those_that_exist():
    with pytest.raises(InvalidInput, match="no format 'vine'; formats: clockworks, apidojo, tiktok-web"):
        by_name("vine")


def test_items_of_another_shape_are_unreadable_with_their_fields():
    batch = batch_of([TABLE, {"url": "x", "error": "gone"}, 7], by_name("table"))
    assert (batch.rows.height, list(batch.raw)) == (1, [TABLE])
    assert [odd.reason for odd in batch.unreadable] == ["unknown_shape"] * 2
    assert "its fields are url, error" in batch.unreadable[0].detail


def test_exact_counts_win_over_rounded_ones_count_by_count():
    row = row_of("tiktok-web")
    assert (row["views"], row["comments"]) == (1000, 7)


def test_a_sponsored_video_is_an_ad():
    assert row_of("clockworks")["is_ad"] is True


def test_a_scraped_videos_row_takes_its_scrape_time_in_order_and_never_its_insert_time_as_posting_time():
    said = {"scraped_at": "2026-05-05T00:00:00Z", "followers": 1}
    days = [
        row_of("scraped_videos", metadata=said)["scraped_at"].day,
        row_of("scraped_videos", metadata=json.dumps(said))["scraped_at"].day,
        row_of("scraped_videos")["scraped_at"].day,
        row_of("scraped_videos", updated_at=None)["scraped_at"].day,
    ]
    assert days == [5, 5, 4, 3]
    youtube = row_of("scraped_videos", platform="youtube", metadata=None)
    assert youtube["published_at"] is None


@pytest.mark.parametrize("name", ["scraped_videos", "table"])
def test_a_region_is_read_where_a_table_states_it(name):
    assert row_of(name, region="vn")["region"] == "VN"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_region_that_is_not_stated_is_unknown(name):
    assert row_of(name)["region"] is None


def test_half_an_emoji_does_not_break_a_batch():
    frame = frame_of([{"description": "cut \ud83d", "hashtags": ["a\ud83d"], "video_id": "1"}, {"hashtags": 3}])
    assert frame["description"].to_list() == ["cut ?", None]
    assert frame["hashtags"].to_list() == [["a?"], 3]


def test_counts_beyond_64_bits_and_mixed_values_keep_what_they_are():
    frame = frame_of([{"views": 10**30}, {"views": "1.2M"}, {"views": None}])
    assert frame["views"].to_list() == [10**30, "1.2M", None]


def test_a_scraped_videos_row_known_only_by_its_insert_time_has_a_guessed_scrape_time():
    said = row_of("scraped_videos", updated_at=None)
    assert (said["scraped_at"].day, said["scrape_time_guessed"]) == (3, True)
    assert row_of("scraped_videos")["scrape_time_guessed"] is False


@pytest.mark.parametrize(
    ("item", "meant"),
    [
        ({"video_id": "1", "veiws": 2}, ("views", "'veiws'")),
        ({"Video ID": "1", "views": 2}, ("video_id", "'Video ID'")),
    ],
)
def test_fields_that_nearly_are_a_tables_are_asked_after(item, meant):
    with pytest.raises(InvalidInput, match="Did you mean") as caught:
        choose([item], None, "given.csv")
    assert all(word in str(caught.value) for word in meant)


def test_fields_that_are_nothing_like_a_tables_are_not_guessed_at():
    with pytest.raises(InvalidInput) as caught:
        choose([{"city": "Bern", "degrees": 12}], None, "given.csv")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "is_draft"),
    [
        ({"video_id": "1"}, True),
        ({"video_id": "1", "platform": "tiktok"}, True),
        ({"video_id": "1", "author": "ana", "mood": 3}, True),
        ({"video_id": "1", "views": 3, "mood": 3}, True),
        ({"video_id": "1", "mood": 3}, False),
        ({"video_id": "1", "author": "ana", "veiws": 3}, False),
        ({"platform": "tiktok"}, False),
        ({"author": "ana"}, False),
    ],
)
def test_a_draft_is_what_has_an_id_and_more_than_unread_fields_beside_it(item, is_draft):
    assert drafts.recognises(item) is is_draft
