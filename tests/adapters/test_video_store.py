"""One contract of the video store, kept by SQLite and Postgres alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from tiercast.intake.schema import SCHEMA
from tiercast.ports.videos import Added, Erased

T0 = datetime(2026, 1, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BIG = 2**31 + 7
BASE: dict[str, Any] = {
    "platform": "tiktok",
    "video_id": "7498897212299136274",
    "author": "ana",
    "description": "hello",
    "published_at": datetime(2026, 1, 1, 8, 30, 15, tzinfo=UTC),
    "published_date_only": False,
    "views": 100,
    "likes": 10,
    "scraped_at": T0,
    "scrape_time_guessed": False,
}
ODD_TEXTS = [
    "",
    " ",
    "\\N",
    "NULL",
    "null",
    'say "hi"',
    "it's",
    "back\\slash \\n \\t \\\\",
    "two\nlines",
    "windows\r\nlines\rold",
    "tab\tcomma,semi;",
    "a\n\\.\nb",
    "\\.",
    '"',
    '""',
    "naïve 日本語 🎉🇻🇳",
    "e\u0301 vs \u00e9",
    "%s %(x)s :y $1 {z}",
    "\u2028\u00a0\ufeff",
    "x" * 20_000,
]
CONTROL = dict.fromkeys(range(32))
"""A hashtag holds no line break or other control character."""


def rows(*changes: dict[str, Any]) -> pl.DataFrame:
    full = [{**dict.fromkeys(SCHEMA), **BASE, **change} for change in changes]
    return pl.DataFrame(full, schema=SCHEMA).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))


def video(number: int, **changes: Any) -> dict[str, Any]:
    return {"video_id": f"v{number:06}", **changes}


def everything(store: Any) -> pl.DataFrame:
    return store.latest(limit=None, likes_known=False)


def test_adding_the_same_rows_twice_adds_nothing(database: Any) -> None:
    given = rows(video(1), video(2), video(2, scraped_at=T0 + DAY, views=120))
    assert database.store.add(given, changes_only=False) == Added(2, 0, 3, ())
    before = everything(database.store)
    assert database.store.add(given, changes_only=False) == Added(0, 0, 0, ())
    assert database.store.count() == (2, 3)
    assert everything(database.store).equals(before)


def test_a_scrape_at_another_time_appends_an_observation_even_where_nothing_changed(database: Any) -> None:
    database.store.add(rows({}), changes_only=False)
    assert database.store.add(rows({"scraped_at": T0 + DAY}), changes_only=False) == Added(0, 1, 1, ())
    assert database.store.add(rows({"scraped_at": T0 + DAY, "views": None}), changes_only=False).observations == 0
    assert database.store.count() == (1, 2)


def test_every_column_comes_back_exactly(database: Any) -> None:
    full = {
        "video_url": "https://www.tiktok.com/@ana/video/7498897212299136274",
        "author_verified": True,
        "duration_seconds": 12.3456789,
        "hashtags": ["one", "zwei", "三"],
        "sound_id": "6" * 19,
        "sound_name": "la la",
        "sound_is_original": False,
        "is_ad": False,
        "is_pinned": True,
        "is_slideshow": False,
        "region": "VN",
        "published_at": datetime(2026, 1, 1, 8, 30, 15, 123_457, tzinfo=UTC),
        "views": BIG,
        "likes": BIG - 1,
        "shares": 10**12 - 1,
        "comments": 0,
        "saves": 2**33,
        "author_followers": 2**40,
        "scraped_at": datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC),
        "scrape_time_guessed": True,
    }
    given = rows(full, video(2, **dict.fromkeys(SCHEMA.keys() - BASE.keys()), author=None, description=None))
    database.store.add(given, changes_only=False)
    found = everything(database.store)
    assert dict(found.schema) == SCHEMA
    assert found.equals(given.drop("row").sort("video_id"))


def test_any_caption_handle_sound_or_hashtag_comes_back_exactly(database: Any) -> None:
    given = rows(
        *(
            video(n, description=odd, author=odd, sound_name=odd, video_url=odd, hashtags=[odd.translate(CONTROL), "b"])
            for n, odd in enumerate(ODD_TEXTS)
        )
    )
    database.store.add(given, changes_only=False)
    found = everything(database.store).sort("video_id")
    for name in ("description", "author", "sound_name", "video_url", "hashtags"):
        assert found[name].to_list() == given[name].to_list()


def test_odd_ids_stay_text(database: Any) -> None:
    ids = ["7498897212299136274", "007", "1e5", "dQw4w9WgXcQ", "-_x", "\\N", "1.0", "null"]
    database.store.add(rows(*({"video_id": each} for each in ids)), changes_only=False)
    assert sorted(everything(database.store)["video_id"].to_list()) == sorted(ids)


def test_no_hashtags_and_unknown_hashtags_are_not_the_same(database: Any) -> None:
    given = rows(video(1, hashtags=[]), video(2, hashtags=None), video(3, hashtags=[""]))
    database.store.add(given, changes_only=False)
    assert everything(database.store).sort("video_id")["hashtags"].to_list() == [[], None, [""]]


def test_a_newer_scrape_describes_anew_and_what_it_does_not_know_stays(database: Any) -> None:
    database.store.add(rows({"sound_name": "la la", "is_pinned": True}), changes_only=False)
    newer = rows({"scraped_at": T0 + DAY, "description": "edited", "is_pinned": False, "author": None})
    assert database.store.add(newer, changes_only=False).updated == 1
    found = everything(database.store).row(0, named=True)
    assert (found["description"], found["is_pinned"], found["author"]) == ("edited", False, "ana")
    assert found["sound_name"] == "la la"


def test_an_older_scrape_fills_what_is_unknown_and_overwrites_nothing(database: Any) -> None:
    database.store.add(rows({"author": None}), changes_only=False)
    older = rows({"scraped_at": T0 - DAY, "description": "old", "author": "ana", "views": 50})
    assert database.store.add(older, changes_only=False) == Added(0, 1, 1, ())
    found = everything(database.store).row(0, named=True)
    assert (found["description"], found["author"], found["views"]) == ("hello", "ana", 100)


def test_within_one_batch_the_newest_known_word_describes_a_video(database: Any) -> None:
    given = rows(
        {"scraped_at": T0 + 2 * DAY, "description": None, "views": 3_000},
        {"scraped_at": T0 + DAY, "description": "middle", "views": 2_000},
        {"scraped_at": T0, "description": "oldest", "sound_name": "la la"},
    )
    assert database.store.add(given, changes_only=False) == Added(1, 0, 3, ())
    found = everything(database.store).row(0, named=True)
    assert (found["description"], found["sound_name"], found["views"]) == ("middle", "la la", 3_000)
    later = rows({"scraped_at": T0 + DAY, "description": "late word", "views": 2_000})
    database.store.add(later, changes_only=False)
    assert everything(database.store)["description"].to_list() == ["middle"]


@pytest.mark.parametrize("count", ["views", "likes", "shares", "comments", "saves"])
def test_a_guessed_time_adds_an_observation_only_where_a_count_differs(database: Any, count: str) -> None:
    known = {"shares": 5, "comments": 6, "saves": 7}
    database.store.add(rows(known), changes_only=False)
    guessed = {**known, "scraped_at": T0 + DAY, "scrape_time_guessed": True}
    assert database.store.add(rows(guessed), changes_only=False).observations == 0
    assert database.store.add(rows({**guessed, count: 8}), changes_only=False).observations == 1
    again = {**guessed, count: 8, "scraped_at": T0 + 2 * DAY}
    assert database.store.add(rows(again), changes_only=False).observations == 0
    back = {**guessed, count: None, "scraped_at": T0 + 3 * DAY}
    assert database.store.add(rows(back), changes_only=False).observations == 1


def test_followers_alone_are_no_new_measurement_where_the_time_is_guessed(database: Any) -> None:
    database.store.add(rows({"author_followers": 10}), changes_only=False)
    moved = rows({"author_followers": 11, "scraped_at": T0 + DAY, "scrape_time_guessed": True})
    assert database.store.add(moved, changes_only=False).observations == 0


def test_changes_only_drops_what_equals_the_latest_whatever_its_time_is(database: Any) -> None:
    database.store.add(rows({}, {"scraped_at": T0 - DAY, "views": 50}), changes_only=False)
    assert database.store.add(rows({"scraped_at": T0 + DAY}), changes_only=True) == Added(0, 0, 0, ())
    grown = rows({"scraped_at": T0 + DAY, "views": 101})
    assert database.store.add(grown, changes_only=True) == Added(0, 1, 1, ())
    assert database.store.add(grown, changes_only=True) == Added(0, 0, 0, ())


def test_counts_that_a_taken_time_leaves_no_room_for_are_reported_by_row_and_not_stored(database: Any) -> None:
    database.store.add(rows(video(1), video(2), video(3), video(4, saves=1)), changes_only=False)
    given = rows(video(1, views=101), video(2), video(3, shares=4), video(4), video(5))
    added = database.store.add(given, changes_only=False)
    assert (added.stored, added.observations, sorted(added.conflicts)) == (1, 1, [0, 2])
    found = everything(database.store).sort("video_id")
    assert found["views"].to_list() == [100] * 5
    assert found["shares"].to_list() == [None] * 5
    assert found["saves"].to_list() == [None, None, None, 1, None]


def test_followers_that_a_taken_time_leaves_no_room_for_are_reported(database: Any) -> None:
    database.store.add(rows(video(1), video(2, author_followers=5)), changes_only=False)
    more = rows(video(1, author_followers=5), video(2, author_followers=6))
    assert sorted(database.store.add(more, changes_only=False).conflicts) == [0, 1]


def test_new_counts_at_a_standing_time_are_observed_when_they_were_read(database: Any) -> None:
    read_at = [T0 + n * DAY for n in range(1, 4)]
    database.store.add(rows(video(1), video(2)), changes_only=True, read_at=read_at[0])
    grown = rows(video(1, views=120), video(2, author_followers=7))
    assert database.store.add(grown, changes_only=True, read_at=read_at[1]) == Added(0, 1, 1, ())
    assert database.store.add(grown, changes_only=True, read_at=read_at[2]) == Added(0, 0, 0, ())
    found = everything(database.store).sort("video_id").row(0, named=True)
    assert (found["views"], found["scraped_at"], found["scrape_time_guessed"]) == (120, read_at[1], True)


def test_of_two_changed_rows_of_one_video_the_newest_is_observed_and_the_other_reported(database: Any) -> None:
    database.store.add(rows({}, {"scraped_at": T0 + DAY, "views": 110}), changes_only=True)
    changed = rows({"views": 101}, {"scraped_at": T0 + DAY, "views": 120})
    added = database.store.add(changed, changes_only=True, read_at=T0 + 2 * DAY)
    assert (added.observations, added.conflicts) == (1, (0,))


def test_views_that_fell_are_stored_and_counted(database: Any) -> None:
    first = rows(video(1), video(2), video(3, views=None), video(3, scraped_at=T0 - DAY))
    assert database.store.add(first, changes_only=False).views_fell == 0
    later = T0 + DAY
    given = rows(
        video(1, scraped_at=later, views=90),
        video(1, scraped_at=later + DAY, views=95),
        video(2, scraped_at=later, views=100),
        video(2, scraped_at=later + DAY, views=99),
        video(3, scraped_at=later, views=50),
        video(4, views=1),
    )
    added = database.store.add(given, changes_only=False)
    assert (added.observations, added.views_fell) == (6, 3)
    assert database.store.add(given, changes_only=False).views_fell == 0


def test_latest_is_newest_first_by_code_point_with_undated_videos_last(database: Any) -> None:
    posted = BASE["published_at"]
    given = [
        {"video_id": "b", "published_at": posted},
        {"video_id": "B", "published_at": posted},
        {"video_id": "_", "published_at": posted},
        {"video_id": "é", "published_at": posted},
        {"video_id": "a", "platform": "youtube", "published_at": posted},
        {"video_id": "a", "platform": "Z", "published_at": posted},
        {"video_id": "new", "published_at": posted + DAY},
        {"video_id": "z", "published_at": None},
        {"video_id": "Z", "published_at": None},
    ]
    database.store.add(rows(*given), changes_only=False)
    expected = ["new", "a", "B", "_", "b", "é", "a", "Z", "z"]
    assert everything(database.store)["video_id"].to_list() == expected
    for limit in range(1, 12):
        found = database.store.latest(limit=limit, likes_known=True)
        assert found["video_id"].to_list() == expected[:limit]


def test_latest_takes_only_videos_with_views_and_known_likes(database: Any) -> None:
    given = rows(
        video(1),
        video(2, views=0),
        video(3, views=None),
        video(4, likes=None),
        video(5, likes=0),
        video(6, views=1, likes=1),
    )
    database.store.add(given, changes_only=False)
    assert database.store.latest(limit=10, likes_known=True)["video_id"].to_list() == ["v000001", "v000005", "v000006"]
    assert database.store.latest(limit=10, likes_known=False).height == 4


def test_each_video_shows_its_latest_usable_observation(database: Any) -> None:
    given = rows(
        {"views": 10, "likes": 1},
        {"views": 20, "likes": 2, "saves": 3, "scraped_at": T0 + DAY},
        {"views": 30, "likes": None, "scraped_at": T0 + 2 * DAY},
        {"views": 0, "likes": 4, "scraped_at": T0 + 3 * DAY},
    )
    database.store.add(given, changes_only=False)
    usable = database.store.latest(limit=5, likes_known=True)
    assert usable.select("views", "likes", "saves", "scraped_at").rows() == [(20, 2, 3, T0 + DAY)]
    assert database.store.latest(limit=5, likes_known=False)["views"].to_list() == [30]


def test_a_limit_counts_usable_videos_only(database: Any) -> None:
    posted = BASE["published_at"]
    given = [video(n, published_at=posted - n * DAY, likes=None if n < 5 else 1) for n in range(10)]
    database.store.add(rows(*given), changes_only=False)
    found = database.store.latest(limit=3, likes_known=True)["video_id"].to_list()
    assert found == ["v000005", "v000006", "v000007"]


def test_an_empty_store_has_no_rows_and_every_column(database: Any) -> None:
    assert dict(database.store.latest(limit=5, likes_known=True).schema) == SCHEMA
    assert database.store.latest(limit=None, likes_known=True).height == 0
    assert database.store.count() == (0, 0)


@pytest.mark.parametrize("limit", [None, 1_001, 5_001, 7_000, 9_000])
def test_no_page_limit_cuts_what_was_asked_for(database: Any, limit: int | None) -> None:
    posted = BASE["published_at"]
    given = [video(n, published_at=posted - timedelta(seconds=n // 3), views=n + 1) for n in range(7_000)]
    assert database.store.add(rows(*given), changes_only=False) == Added(7_000, 0, 7_000, ())
    found = database.store.latest(limit=limit, likes_known=True)
    assert found["video_id"].to_list() == [f"v{n:06}" for n in range(min(limit or 7_000, 7_000))]


def test_a_platform_is_known_where_exactly_one_has_that_id(database: Any) -> None:
    database.store.add(
        rows({"video_id": "1"}, {"video_id": "2"}, {"video_id": "2", "platform": "youtube"}), changes_only=False
    )
    many = [str(n) for n in range(1_200)]
    assert database.store.platforms_of(many) == {"1": "tiktok"}
    assert database.store.platforms_of([]) == {}


def test_erasing_an_author_removes_every_video_and_observation_of_that_author_only(database: Any) -> None:
    given = rows(
        video(1),
        video(1, scraped_at=T0 + DAY),
        video(2),
        video(3, author="Ana"),
        video(4, author=None),
        video(5, author="%"),
    )
    database.store.add(given, changes_only=False)
    assert database.store.erase(author="ana", video_id=None) == Erased(2, 3)
    assert database.store.count() == (3, 3)
    assert database.store.erase(author="ana", video_id=None) == Erased(0, 0)
    assert database.store.erase(author="%", video_id=None) == Erased(1, 1)


def test_erasing_a_video_leaves_only_the_record_that_it_was_done(database: Any) -> None:
    given = rows({"video_id": "1"}, {"video_id": "1", "platform": "youtube"}, {"video_id": "11"})
    database.store.add(given, changes_only=False)
    assert database.store.erase(author=None, video_id="1") == Erased(2, 2)
    with database.engine.connect() as connection:
        found = connection.execute(text(f"SELECT what, videos, observations FROM {database.schema}erasures")).all()
    assert [tuple(row) for row in found] == [("video", 2, 2)]


def test_a_file_is_remembered_once_it_was_read_whole(database: Any) -> None:
    assert not database.store.was_read("abc")
    database.store.mark_read("abc", T0)
    database.store.mark_read("abc", T0 + DAY)
    assert database.store.was_read("abc")
    assert not database.store.was_read("ab")


def test_what_was_stored_is_there_for_another_process(database: Any) -> None:
    database.store.add(rows({}), changes_only=False)
    engine = database.reopen()
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {database.schema}videos")).scalar_one() == 1
    engine.dispose()


def test_both_databases_give_the_same_frames_for_the_same_input(sqlite: Any, postgres: Any) -> None:
    from tiercast.learn.generated import generate

    made = generate(600, seed=9, now=T0).rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    parts = [made.filter(pl.col("row") % 3 == n) for n in (1, 0, 2)]
    told = [[database.store.add(part, changes_only=False) for part in parts] for database in (sqlite, postgres)]
    assert told[0] == told[1]
    for limit, likes_known in ((None, False), (None, True), (57, True), (400, False)):
        frames = [d.store.latest(limit=limit, likes_known=likes_known) for d in (sqlite, postgres)]
        assert frames[0].equals(frames[1])
        assert frames[0].height > 0
