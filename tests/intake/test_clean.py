from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.core.errors import InvalidInput
from tiercast.core.video import COLUMNS, published_at_from_tiktok_id
from tiercast.intake.clean import Cleaned, Context, clean
from tiercast.intake.schema import SCHEMA
from tiercast.intake.values import hashtags_in_caption, parse_count

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POSTED = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
SCRAPED = datetime(2026, 5, 20, tzinfo=UTC)
TIKTOK_ID = str(int(POSTED.timestamp()) << 32 | 77)


def context(**changes) -> Context:
    known = {
        "scraped_at": None,
        "file_modified_at": NOW - timedelta(hours=1),
        "platform": None,
        "platform_of_id": {}.get,
    }
    return Context(now=NOW, **{**known, **changes})


def cleaned(*rows: dict, **changes) -> Cleaned:
    base = {"platform": "tiktok", "video_id": "1", "views": 100, "published_at": POSTED, "scraped_at": SCRAPED}
    whole = [{**base, **row} for row in rows]
    names = {name for row in whole for name in row}
    columns = [
        pl.Series(column.name, [row.get(column.name) for row in whole], dtype=pl.Object)
        for column in COLUMNS
        if column.name in names
    ]
    return clean(pl.DataFrame(columns), context(**changes))


def one(row: dict, **changes) -> dict:
    outcome = cleaned(row, **changes)
    assert outcome.rejects == ()
    return outcome.rows.row(0, named=True)


def reason(row: dict, **changes) -> str:
    outcome = cleaned(row, **changes)
    assert outcome.rows.is_empty()
    assert outcome.rejects[0].detail.endswith(".")
    return outcome.rejects[0].reason


def test_the_answer_has_exactly_the_canonical_columns_and_the_row():
    assert dict(cleaned({}).rows.schema) == {**SCHEMA, "row": pl.Int64}
    assert dict(clean(pl.DataFrame(), context()).rows.schema) == {**SCHEMA, "row": pl.Int64}


def test_columns_that_the_input_lacks_are_null_and_never_zero():
    row = one({})
    assert [row[name] for name in ("likes", "shares", "duration_seconds", "hashtags", "is_ad")] == [None] * 5


def test_whole_number_ids_become_exact_text():
    ids = pl.Series("video_id", [7498897212299136274])
    outcome = clean(pl.DataFrame([ids]), context(platform="tiktok"))
    assert outcome.rows["video_id"].to_list() == ["7498897212299136274"]


@pytest.mark.parametrize("name", ["video_id", "sound_id"])
def test_a_float_id_column_is_refused_because_its_digits_are_gone(name):
    with pytest.raises(InvalidInput, match=f"column {name} holds floating-point numbers"):
        clean(pl.DataFrame({name: [7.498897212299136e18, None]}), context())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"video_id": None}, "no_video_id"),
        ({"video_id": "  "}, "no_video_id"),
        ({"video_id": 1.5}, "video_id_unreadable"),
        ({"views": "many"}, "views_unreadable"),
        ({"views": float("inf")}, "views_unreadable"),
        ({"published_at": "soon"}, "published_at_unreadable"),
        ({"duration_seconds": "long"}, "duration_seconds_unreadable"),
        ({"shares": -1}, "negative_shares"),
        ({"likes": -2}, "negative_likes"),
        ({"views": 10**12}, "absurd_views"),
        ({"views": 10**40}, "absurd_views"),
        ({"likes": 101}, "likes_exceed_views"),
        ({"views": 0, "likes": 146_622}, "likes_exceed_views"),
        ({"published_at": "2099-01-01"}, "published_in_the_future"),
        ({"scraped_at": NOW + timedelta(days=1, seconds=1)}, "scraped_in_the_future"),
        ({"scraped_at": POSTED - timedelta(seconds=1)}, "scraped_before_published"),
        ({"duration_seconds": -1}, "negative_duration_seconds"),
        ({"duration_seconds": 86_401}, "absurd_duration_seconds"),
        ({"platform": None}, "platform_unknown"),
        ({"platform": "???"}, "platform_unreadable"),
    ],
)
def test_an_impossible_row_is_refused_with_its_reason(row, expected):
    assert reason(row) == expected


def test_a_reject_names_the_row_and_the_value_seen():
    outcome = cleaned({}, {"video_id": "2", "views": "many"})
    assert outcome.rejects[0].row == 1
    assert "'many'" in outcome.rejects[0].detail


def test_minus_one_like_means_hidden():
    assert one({"likes": -1})["likes"] is None


@pytest.mark.parametrize(
    ("stated", "region"),
    [
        ("VN", "VN"),
        (" vn ", "VN"),
        ("NA", "NA"),  # Namibia
        ("", None),
        ("USA", None),
        ("V", None),
        ("V1", None),
        ("ß", None),  # upper case makes two letters of it
        ("éé", None),
        ("ВН", None),
        ("V\nN", None),
        ("VN\n", "VN"),
        (84, None),
        (12, None),
        (1.5, None),
        (True, None),
        (["VN"], None),
        (None, None),
    ],
)
def test_a_region_is_two_letters_or_unknown_and_never_refuses_a_row(stated, region):
    assert one({"region": stated})["region"] == region


@pytest.mark.parametrize("stated", [[84, 12], [1.5, None], [True, False], [["VN"], None], [None, None], ["ok", "1"]])
def test_a_column_of_regions_may_be_of_any_type(stated):
    frame = pl.DataFrame({"video_id": ["1", "2"], "platform": "tiktok", "region": stated})
    outcome = clean(frame, context(scraped_at=SCRAPED))
    assert outcome.rejects == ()
    assert outcome.rows["region"].to_list() == ["OK" if stated[0] == "ok" else None, None]


def test_nan_is_missing():
    assert one({"likes": float("nan"), "duration_seconds": float("nan")})["likes"] is None


def test_float_noise_in_a_rounded_count_is_no_fraction():
    frame = pl.DataFrame({"video_id": ["1", "2"], "views": [4099999.9999999995, 16100.000000000002]})
    assert clean(frame, context(platform="tiktok")).rows["views"].to_list() == [4_100_000, 16_100]


def test_the_scrape_time_is_the_rows_then_the_callers_then_the_files_as_a_guess():
    told = {"scraped_at": None}
    stated, file = SCRAPED + timedelta(days=1), SCRAPED + timedelta(days=2)
    chosen = [
        one({}, scraped_at=stated, file_modified_at=file),
        one(told, scraped_at=stated, file_modified_at=file),
        one(told, file_modified_at=file),
    ]
    assert [row["scraped_at"] for row in chosen] == [SCRAPED, stated, file]
    assert [row["scrape_time_guessed"] for row in chosen] == [False, False, True]


def test_the_platform_is_the_rows_then_the_addresss_then_the_stores_then_the_callers():
    url = {"video_url": "https://youtu.be/x"}
    known = {"platform_of_id": {"1": "instagram"}.get, "platform": "tiktok"}
    chosen = [
        one({"platform": "TikTok", **url}, **known),
        one({"platform": " ", **url}, **known),
        one({"platform": None}, **known),
        one({"platform": None, "video_id": "2"}, **known),
    ]
    assert [row["platform"] for row in chosen] == ["tiktok", "youtube", "instagram", "tiktok"]


def test_a_missing_posting_time_comes_from_the_tiktok_id_and_only_from_a_tiktok_id():
    assert one({"video_id": TIKTOK_ID, "published_at": None})["published_at"] == POSTED
    assert one({"video_id": TIKTOK_ID, "published_at": None, "platform": "youtube"})["published_at"] is None
    stated = POSTED + timedelta(hours=1)
    assert one({"video_id": TIKTOK_ID, "published_at": stated})["published_at"] == stated


def test_a_stated_day_takes_its_hour_from_the_id_or_else_has_none():
    exact = one({"video_id": TIKTOK_ID, "published_at": "2026-05-01"})
    other_day = one({"video_id": TIKTOK_ID, "published_at": date(2026, 5, 2)})
    assert (exact["published_at"], exact["published_date_only"]) == (POSTED, False)
    assert (other_day["published_at"].day, other_day["published_date_only"]) == (2, True)


def test_days_are_compared_where_only_the_day_of_posting_is_known():
    same_day = datetime(2026, 5, 2, 0, 0, tzinfo=UTC)
    assert one({"published_at": "20260502", "scraped_at": same_day})["published_date_only"]
    assert reason({"published_at": "20260503", "scraped_at": same_day}) == "scraped_before_published"


def test_a_scrape_known_by_its_day_covers_the_whole_day():
    assert one({"scraped_at": "2026-05-01"})["scraped_at"] == datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC)


def test_hashtags_are_as_given_or_from_a_known_caption_or_unknown():
    caption = {"description": "look #fun"}
    assert one({"hashtags": ["#given"], **caption})["hashtags"] == ["given"]
    assert one({"hashtags": [], **caption})["hashtags"] == []
    assert one(caption)["hashtags"] == ["fun"]
    assert one({"description": ""})["hashtags"] == []
    assert one({"description": None})["hashtags"] is None


def test_an_empty_caption_is_known_to_be_empty():
    assert (one({"description": ""})["description"], one({"author": ""})["author"]) == ("", None)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"sound_name": "Nhạc nền - ana"}, True),
        ({"sound_name": "original sound - bo"}, True),
        ({"sound_name": "A Song"}, None),
        ({"sound_name": "original sound", "sound_is_original": False}, False),
    ],
)
def test_a_sound_is_original_as_given_or_by_its_name(row, expected):
    assert one(row)["sound_is_original"] is expected


def test_typed_text_and_mixed_columns_give_the_same_rows():
    typed = pl.DataFrame(
        {
            "video_id": ["1", "2", "3"],
            "views": [10, None, 2**40],
            "duration_seconds": [1.5, None, 3.0],
            "is_ad": [True, False, None],
            "hashtags": [["#a", "b"], [], None],
            "published_at": [POSTED, None, POSTED],
        }
    )
    text = typed.with_columns(
        pl.col("views", "duration_seconds", "is_ad").cast(pl.String),
        pl.Series("hashtags", ["#a b", "[]", None]),
        pl.Series("published_at", [POSTED.isoformat(), "nan", str(int(POSTED.timestamp()))]),
    )
    mixed = pl.DataFrame([pl.Series(c.name, c.to_list(), dtype=pl.Object) for c in text])
    outcomes = [clean(frame, context(platform="tiktok")).rows for frame in (typed, text, mixed)]
    assert all(left.equals(right) for left, right in pairwise(outcomes))


def test_numbers_are_times_by_their_magnitude_in_a_whole_column():
    second = int(POSTED.timestamp())
    numbers = pl.Series("published_at", [second, second * 1_000, second * 1_000_000, None, 0])
    frame = pl.DataFrame([pl.Series("video_id", list("abcde")), numbers])
    outcome = clean(frame, context(platform="x"))
    assert outcome.rows["published_at"].to_list() == [POSTED] * 3 + [None]
    assert outcome.rejects[0].reason == "published_at_unreadable"


def test_times_outside_of_pythons_calendar_are_rejects_and_not_crashes():
    times = pl.Series("published_at", [2**62, -(2**62)]).cast(pl.Datetime("us"))
    outcome = clean(pl.DataFrame([pl.Series("video_id", ["a", "b"]), times]), context(platform="x"))
    assert [reject.reason for reject in outcome.rejects] == ["published_at_unreadable"] * 2


def test_the_same_scrape_twice_keeps_the_row_that_knows_more_and_rejects_nothing():
    outcome = cleaned({"likes": 5}, {"likes": 5, "author": "ana"}, {})
    assert (outcome.rows["author"].to_list(), outcome.merged, outcome.rejects) == (["ana"], 2, ())


def test_other_counts_at_the_same_time_keep_the_most_views():
    outcome = cleaned({"views": 90}, {"views": 100}, {"views": 100, "likes": 3}, {"views": 95})
    assert outcome.rows.select("views", "likes").rows() == [(100, 3)]
    assert [reject.row for reject in outcome.rejects] == [0, 3]
    assert {reject.reason for reject in outcome.rejects} == {"same_time_other_counts"}


def test_a_count_that_only_the_weaker_row_knows_is_not_merged_away():
    outcome = cleaned({"views": 100}, {"views": None, "likes": 7})
    assert [reject.reason for reject in outcome.rejects] == ["same_time_other_counts"]


@pytest.mark.parametrize("dtype", [pl.UInt8, pl.UInt64, pl.Int128])
def test_whole_numbers_of_any_width_are_counts(dtype):
    frame = pl.DataFrame({"video_id": ["1", "2"], "views": pl.Series([200, 0], dtype=dtype)})
    assert clean(frame, context(platform="tiktok")).rows["views"].to_list() == [200, 0]


def test_a_count_of_64_bits_without_sign_is_absurd_and_no_crash():
    frame = pl.DataFrame({"video_id": ["1"], "views": pl.Series([2**64 - 1], dtype=pl.UInt64)})
    assert [reject.reason for reject in clean(frame, context(platform="tiktok")).rejects] == ["absurd_views"]


@pytest.mark.parametrize("damaged", ["7.55556E+18", "7,55556E+18", "7.5e18", " 7E+18 "])
def test_an_id_that_a_spreadsheet_rounded_is_refused_and_said_so(damaged):
    for name in ("video_id", "sound_id"):
        (reject,) = cleaned({name: damaged}).rejects
        assert reject.reason == f"{name}_unreadable"
        assert damaged in reject.detail
        assert "a spreadsheet rounded it" in reject.detail


@pytest.mark.parametrize("sound", ["1e5", "dQw4w9WgXcQ", "12E34567890", "e+5"])
def test_an_id_that_only_looks_a_little_like_a_number_stays(sound):
    assert one({"video_id": sound})["video_id"] == sound


def test_a_file_older_than_its_posts_is_told_that_its_own_time_stood_in():
    (reject,) = cleaned({"scraped_at": None}, file_modified_at=POSTED - timedelta(days=9)).rejects
    assert reject.reason == "file_older_than_post"
    assert "modification time" in reject.detail
    assert "--scraped-at" in reject.detail


def test_a_time_the_caller_states_wrongly_is_no_fault_of_the_file():
    early = POSTED - timedelta(days=9)
    assert reason({"scraped_at": None}, scraped_at=early, file_modified_at=early) == "scraped_before_published"


def test_what_the_caller_states_beats_a_time_that_the_row_only_guesses():
    guess = {"scrape_time_guessed": True}
    stated = SCRAPED + timedelta(days=1)
    chosen = [one(guess), one(guess, scraped_at=stated)]
    assert [(row["scraped_at"], row["scrape_time_guessed"]) for row in chosen] == [(SCRAPED, True), (stated, False)]


def test_an_unknown_platform_is_told_truly_where_two_platforms_share_the_id():
    assert "two platforms" in cleaned({"platform": None}).rejects[0].detail


RAW = st.fixed_dictionaries(
    {},
    optional={
        "platform": st.none() | st.sampled_from(["tiktok", "YouTube", "", "???"]),
        "video_id": st.none() | st.sampled_from(["1", "2", TIKTOK_ID, ""]) | st.integers() | st.text(),
        "video_url": st.none() | st.text() | st.just("https://www.tiktok.com/@a/video/1"),
        "description": st.none() | st.text(),
        "views": st.none() | st.integers() | st.floats() | st.sampled_from(["1.2M", "x", "", "100"]),
        "likes": st.none() | st.integers(-2, 50) | st.floats(),
        "published_at": st.none() | st.datetimes() | st.dates() | st.integers() | st.text(),
        "scraped_at": st.none() | st.sampled_from([SCRAPED, "2026-05-20", 0]),
        "hashtags": st.none() | st.lists(st.text()) | st.text() | st.integers(),
        "is_ad": st.none() | st.booleans() | st.text(),
        "duration_seconds": st.none() | st.floats() | st.text(),
    },
)


@settings(deadline=None)
@given(st.lists(RAW, max_size=6))
def test_no_row_is_lost(rows):
    columns = [
        pl.Series(column.name, [row.get(column.name) for row in rows], dtype=pl.Object)
        for column in COLUMNS
        if any(column.name in row for row in rows)
    ]
    frame = pl.DataFrame(columns)
    outcome = clean(frame, context(platform="tiktok"))
    kept, refused = set(outcome.rows["row"]), {reject.row for reject in outcome.rejects}
    assert not kept & refused
    assert len(kept) + len(refused) + outcome.merged == frame.height
    assert outcome.rows["row"].is_sorted()


@settings(deadline=None)
@given(st.lists(st.text(alphabet="0123456789.,-+kM ", max_size=12) | st.integers().map(str), min_size=1))
def test_a_column_of_count_texts_is_read_as_the_parser_reads_each(texts):
    def read(text):
        try:
            return parse_count(text)
        except ValueError:
            return "unreadable"

    ids = [str(number) for number in range(len(texts))]
    outcome = clean(pl.DataFrame({"video_id": ids, "shares": texts}), context(platform="tiktok"))
    by_row = dict(outcome.rows.select("row", "shares").iter_rows())
    refused = {reject.row: reject.reason for reject in outcome.rejects}
    for row, text in enumerate(texts):
        expected = read(text)
        if expected == "unreadable":
            assert refused[row] == "shares_unreadable"
        elif expected is not None and not 0 <= expected < 10**12:
            assert refused[row] in ("negative_shares", "absurd_shares")
        else:
            assert by_row[row] == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**66).map(str) | st.text(), min_size=1))
def test_a_column_of_ids_holds_the_times_that_the_core_reads_from_each(ids):
    frame = pl.DataFrame({"video_id": ids}).unique(maintain_order=True)
    rows = clean(frame, context(platform="tiktok")).rows
    assert rows["published_at"].to_list() == [
        published_at_from_tiktok_id(video_id, NOW) for video_id in rows["video_id"]
    ]


@settings(deadline=None)
@given(st.lists(st.text(alphabet="#＃ab ấสุ,.!\n@é🔥", max_size=20), min_size=1))
def test_a_column_of_captions_holds_the_hashtags_that_the_parser_finds_in_each(captions):
    ids = [str(number) for number in range(len(captions))]
    frame = pl.DataFrame({"video_id": ids, "description": captions})
    rows = clean(frame, context(platform="tiktok")).rows
    assert rows["hashtags"].to_list() == [hashtags_in_caption(caption) for caption in captions]
