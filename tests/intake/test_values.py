from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.intake.values import (
    EARLIEST,
    StatedTime,
    hashtags_in_caption,
    parse_count,
    parse_flag,
    parse_hashtags,
    parse_real,
    parse_text,
    parse_time,
)

PARSERS = (parse_count, parse_real, parse_flag, parse_text, parse_time, parse_hashtags)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=-11))))
    | st.dates()
    | st.from_regex(r"[+-]?[0-9][0-9,.eEkKmMbB:TZ -]{0,30}", fullmatch=True),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "title", "x"]), inner),
)


@given(ANYTHING)
def test_a_parser_gives_a_value_or_none_or_a_value_error_and_nothing_else(value):
    for parse in PARSERS:
        with suppress(ValueError):
            parse(value)


@pytest.mark.parametrize("word", [None, "", "  ", "null", "None", "NaN", float("nan")])
def test_what_stands_for_nothing_is_missing_and_never_zero(word):
    assert [parse(word) for parse in (parse_count, parse_real, parse_flag, parse_time, parse_hashtags)] == [None] * 5


@given(st.integers())
def test_a_count_reads_back_from_every_way_of_writing_it(count):
    assert parse_count(count) == count
    if abs(count) < 10**25:
        assert parse_count(str(count)) == parse_count(f"{count:,}") == parse_count(f" {count}.0 ") == count


@given(st.integers(0, 999), st.integers(0, 9), st.sampled_from(["K", "m", "M", "B"]))
def test_a_shortened_count_is_exact(whole, tenth, suffix):
    unit = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000}[suffix.upper()]
    assert parse_count(f"{whole}.{tenth}{suffix}") == whole * unit + tenth * unit // 10


@pytest.mark.parametrize(
    "value", ["1.5", 1.5, float("inf"), "inf", "many", "1,23", "1.2.3", "12 K M", True, [], {}, "9" * 5000, "1e5", "٣"]
)
def test_what_is_no_whole_count_is_refused(value):
    with pytest.raises(ValueError, match="not a whole count"):
        parse_count(value)


@given(st.datetimes(min_value=datetime(2005, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_reads_back_from_every_way_of_writing_it(at):
    second = at.replace(microsecond=0)
    epoch = int(second.timestamp())
    stated = StatedTime(second, date_only=False)
    ways = (epoch, str(epoch), float(epoch), epoch * 1_000, str(epoch * 1_000), epoch * 1_000_000)
    assert {parse_time(way) for way in ways} == {stated}
    assert parse_time(second.replace(tzinfo=None)) == parse_time(second.isoformat()) == stated
    assert parse_time(at.isoformat()) == parse_time(at.astimezone(timezone(timedelta(hours=7))).isoformat())
    assert parse_time(at) == StatedTime(at, date_only=False)


@given(st.dates(min_value=date(2005, 1, 1), max_value=date(2200, 1, 1)))
def test_a_day_has_no_hour_rather_than_hour_zero(day):
    assert {parse_time(day), parse_time(day.isoformat()), parse_time(f"{day:%Y%m%d}")} == {
        StatedTime(datetime(day.year, day.month, day.day, tzinfo=UTC), date_only=True)
    }


@pytest.mark.parametrize(
    "value",
    [0, -1, -67768040609740801, -(10**40), -1e308, 1e300, float("inf"), float("-inf"), True, "0", "soon"],
)
def test_a_zero_or_nonsense_is_no_time(value):
    assert_no_time(value)


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "2025-13-01", "-67768040609740801"])
def test_a_text_of_no_time_is_none(text):
    assert_no_time(text)


def assert_no_time(value):
    with pytest.raises(ValueError, match=f"no time after {EARLIEST.year}"):
        parse_time(value)


@pytest.mark.parametrize(
    "written",
    [
        ["fun", "#dance"],
        [{"name": "fun"}, {"title": "dance"}],
        [{"hashtagName": "fun"}, None, {"id": 3}, "dance", ""],
        "#fun #dance",
        "fun,dance",
        '["fun", "#dance"]',
        '[{"name": "fun"}, {"name": "dance"}]',
        '{fun,"dance"}',
    ],
)
def test_hashtags_are_read_however_they_are_written(written):
    assert parse_hashtags(written) == ["fun", "dance"]


def test_half_an_emoji_that_a_text_of_hashtags_escapes_is_replaced() -> None:
    assert parse_hashtags('["cut \\ud83d", {"name": "\\ud83d"}, "\\ud83d\\ude00"]') == ["cut ?", "?", "\U0001f600"]


@pytest.mark.parametrize("value", [3, {"name": "fun"}, "[broken", "{a", [["fun"]], True])
def test_what_is_no_list_of_hashtags_is_refused(value):
    with pytest.raises(ValueError, match="hashtag"):
        parse_hashtags(value)


def test_hashtags_are_found_in_captions_of_any_script():
    assert hashtags_in_caption("#สนุก #मज़ा #xuhướng, mail@a.b # # #1") == ["สนุก", "मज़ा", "xuhướng", "1"]
