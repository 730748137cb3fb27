"""Hashtags, sounds and platforms against a walk through every measurement that was known before the instant."""

import math
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.intake.schema import SCHEMA
from tiercast.learn.circumstances import MOST_TAGS, PRIOR_USES, StorePast, own_sound, sound_keys
from tiercast.learn.history import AGE_BANDS_HOURS
from tiercast.learn.timeline import History, Timeline

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MODES: tuple[History, ...] = ("observed", "as_scraped")
NAN = math.nan
Row = dict[str, Any]
repeatable = settings(deadline=None, derandomize=True, max_examples=100)


def scrape(video_id: str, posted: datetime = T0, age: timedelta = HOUR, **changes: Any) -> Row:
    base = {"platform": "tiktok", "author": "ana", "published_at": posted, "views": 100, "scraped_at": posted + age}
    return {**dict.fromkeys(SCHEMA), **base, "video_id": video_id, **changes}


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


@dataclass(frozen=True)
class How:
    """How history is taken."""

    history: History = "observed"
    embargo_days: float = 0.0


def past(rows: list[Row], how: How) -> StorePast:
    return StorePast.of(Timeline.of(frame(*rows), history=how.history, embargo_days=how.embargo_days))


def columns(rows: list[Row], asking: list[Row], seconds: list[int], how: How) -> list[dict[str, float]]:
    """The columns of some rows that ask, and ``level``, one dictionary a row."""
    store, when = past(rows, how), np.array(seconds, dtype=np.int64)
    level = store.level(frame(*asking), when)
    found = {"level": level, **store.columns(frame(*asking), when, level)}
    return [{name: float(values[place]) for name, values in found.items()} for place in range(len(asking))]


def at(asked: datetime, rows: list[Row], how: How | None = None, **asking: Any) -> dict[str, float]:
    return columns(rows, [scrape("asks", **asking)], [floor(asked)], how or How())[0]


# -- the reference


def floor(when: datetime) -> int:
    return (when - EPOCH) // SECOND


def ceiling(when: datetime) -> int:
    return -((EPOCH - when) // SECOND)


def log(count: float) -> int:
    return round(math.log1p(count) * 10_000)


def known_from(row: Row, how: How) -> int:
    posted, scraped = ceiling(row["published_at"]), ceiling(row["scraped_at"])
    return max(posted + round(how.embargo_days * 86_400), scraped if how.history == "observed" else posted)


def known(rows: list[Row], platform: str, second: int, how: How) -> list[Row]:
    """The platform's measurements that were known before the second, oldest scrape first."""
    found = [
        row
        for row in rows
        if row["platform"] == platform
        and row["published_at"] is not None
        and (row["views"] or 0) > 0
        and known_from(row, how) < second
    ]
    return sorted(found, key=lambda row: row["scraped_at"])


def tags_of(row: Row) -> list[str]:
    return list(dict.fromkeys(tag.lower() for tag in row["hashtags"] or []))[:MOST_TAGS]


def sound_of(row: Row) -> str | None:
    return None if row["sound_is_original"] else row["sound_id"] or row["sound_name"]


def mean(values: list[float]) -> float:
    return statistics.fmean(values) if values else NAN


def lift(latest: list[int], level: float) -> float:
    """Mean log views of these posts, drawn to the level as if five more had exactly that, over the level."""
    return (sum(latest) + PRIOR_USES * level) / (len(latest) + PRIOR_USES) - level


def reference(rows: list[Row], asking: Row, second: int, how: How) -> dict[str, float]:
    seen = known(rows, asking["platform"], second, how)
    posts = list({row["video_id"]: row for row in seen}.values())
    level = mean([log(row["views"]) for row in posts])
    by_tag = {tag: [log(row["views"]) for row in posts if tag in tags_of(row)] for tag in tags_of(asking)}
    lifts = [round(lift(latest, level)) for latest in by_tag.values() if latest]
    sound = sound_of(asking)
    played = [log(row["views"]) for row in posts if sound is not None and sound_of(row) == sound]
    window = {
        days: [log(row["views"]) for row in seen if second - days * 86_400 <= known_from(row, how)] for days in (7, 30)
    }
    return {
        "level": level,
        "hashtag_uses": max((len(latest) for latest in by_tag.values()), default=NAN),
        "hashtag_fewest_uses": min((len(latest) for latest in by_tag.values()), default=NAN),
        "hashtag_lift": mean(lifts),
        "hashtag_best_lift": max(lifts, default=NAN),
        "sound_uses": NAN if sound is None else len(played),
        "sound_lift": lift(played, level) if played else NAN,
        "platform_week": mean(window[7]),
        "platform_month": mean(window[30]),
        "platform_measured": len(window[7]),
    }


# -- invented stores


steps = st.sampled_from([0, 1, 1_000_000, 1_500_000, 86_400_000_000, 604_800_000_000, 30 * 86_400_000_000])
contents = st.fixed_dictionaries(
    {
        "platform": st.sampled_from(["tiktok", "tiktok", "youtube"]),
        "author": st.sampled_from(["ana", None]),
        "hashtags": st.none() | st.lists(st.sampled_from(["fyp", "FYP", "été", "ÉTÉ", "x"]), max_size=4),
        "sound_id": st.sampled_from([None, "1", "2"]),
        "sound_name": st.sampled_from([None, "1", "la la"]),
        "sound_is_original": st.sampled_from([None, False, True]),
    }
)


@st.composite
def stores(draw: st.DrawFn) -> list[Row]:
    """Observations of a few posts whose views rise and fall, with ties in every time, in any order."""
    rows = []
    for number in range(draw(st.integers(0, 8))):
        posted, described = T0 + timedelta(microseconds=draw(steps)), draw(contents)
        for age in draw(st.lists(steps, max_size=3, unique=True)):
            views = draw(st.none() | st.integers(0, 10**9))
            rows.append(scrape(str(number), posted, timedelta(microseconds=age), **described, views=views))
    return draw(st.permutations(rows))


@st.composite
def questions(draw: st.DrawFn, rows: list[Row], how: How) -> list[tuple[Row, int]]:
    """Who asks and at which second: mostly around those at which something became known or leaves a window."""
    seconds = [known_from(row, how) for row in rows] + [ceiling(T0)]
    shifts = st.sampled_from([-1, 0, 1, 7 * 86_400, 7 * 86_400 + 1, 30 * 86_400, 30 * 86_400 + 1])
    moments = st.builds(int.__add__, st.sampled_from(seconds), shifts)
    return draw(
        st.lists(st.tuples(contents.map(lambda content: scrape("asks", **content)), moments), min_size=1, max_size=5)
    )


hows = st.builds(How, st.sampled_from(MODES), st.sampled_from([0.0, 1.0, 2.5]))


@repeatable
@given(st.data(), stores(), hows)
def test_every_column_is_what_a_walk_through_the_known_measurements_gives(data: Any, rows: list[Row], how: How) -> None:
    asked = data.draw(questions(rows, how))
    asking, seconds = (list(part) for part in zip(*asked, strict=True))
    for row, second, found in zip(asking, seconds, columns(rows, asking, seconds, how), strict=True):
        assert found == pytest.approx(reference(rows, row, second, how), rel=1e-9, abs=1e-6, nan_ok=True)


@repeatable
@given(st.data(), stores(), hows)
def test_what_is_usual_at_an_age_is_the_mean_of_the_platforms_measurements_in_its_band(
    data: Any, rows: list[Row], how: How
) -> None:
    asked = data.draw(questions(rows, how))
    ages = [data.draw(st.sampled_from([1 / 60, 0.99, 1.0, 24.0, 168.0, 5_000.0])) for _ in asked]
    seconds = np.array([second for _, second in asked])
    found = past(rows, how).usual_at_age(frame(*(row for row, _ in asked)), seconds, np.array(ages)).tolist()
    for (row, second), age, usual in zip(asked, ages, found, strict=True):
        seen = known(rows, row["platform"], second, how)
        alike = [log(each["views"]) for each in seen if band(age_of(each)) == band(age)]
        assert usual == pytest.approx(mean(alike), rel=1e-12, nan_ok=True)


def age_of(row: Row) -> float:
    return (ceiling(row["scraped_at"]) - ceiling(row["published_at"])) / 3600


def band(age_hours: float) -> int:
    return sum(age_hours >= bound for bound in AGE_BANDS_HOURS)


# -- one case each


def test_a_hashtag_and_a_sound_by_hand() -> None:
    rows = [
        scrape("1", views=999, hashtags=["Fyp", "fyp", "cats"], sound_id="7"),
        scrape("2", views=99, hashtags=["fyp"], sound_id="8"),
        scrape("3", views=9_999, platform="youtube", hashtags=["fyp"], sound_id="7"),
        scrape("4", T0 + DAY, views=9, hashtags=["fyp"], sound_id="7"),
    ]
    found = at(T0 + DAY, rows, hashtags=["FYP", "cats", "new"], sound_id="7")
    level, both, cats = 57_565.0, 0.0, round((69_078 + 5 * 57_565) / 6 - 57_565)
    assert found == pytest.approx(
        {
            "level": level, "hashtag_uses": 2, "hashtag_fewest_uses": 0, "hashtag_lift": (both + cats) / 2,
            "hashtag_best_lift": cats, "sound_uses": 1, "sound_lift": (69_078 + 5 * level) / 6 - level,
            "platform_week": level, "platform_month": level, "platform_measured": 2,
        }
    )  # fmt: skip


def test_a_post_counts_once_with_what_was_measured_last_also_where_views_fell() -> None:
    tagged = {"hashtags": ["fyp"], "sound_id": "7"}
    rows = [scrape("1", age=age, views=views, **tagged) for age, views in ((HOUR, 100), (DAY, 1_000), (2 * DAY, 50))]
    rows.append(scrape("2", views=100))
    for asked, views in ((HOUR, 100), (DAY, 1_000), (2 * DAY, 50)):
        found = at(T0 + asked + SECOND, rows, **tagged)
        level = (log(views) + log(100)) / 2
        assert (found["level"], found["hashtag_uses"], found["sound_uses"]) == (level, 1, 1)
        assert found["sound_lift"] == pytest.approx((log(views) + 5 * level) / 6 - level)
    assert found["platform_measured"] == 4


@pytest.mark.parametrize("history", MODES)
def test_a_post_of_the_same_second_is_not_yet_counted(history: History) -> None:
    row = scrape("1", age=timedelta(0), hashtags=["fyp"], sound_id="7")
    for asked, uses in ((T0, 0), (T0 + 0.9 * SECOND, 0), (T0 + SECOND, 1)):
        found = at(asked, [row], How(history), hashtags=["fyp"], sound_id="7")
        assert (found["hashtag_uses"], found["sound_uses"], found["platform_measured"]) == (uses, uses, uses)
        assert math.isnan(found["level"]) == (uses == 0)


def test_a_caption_that_was_edited_later_counts_under_its_first_hashtags_and_sound() -> None:
    first = scrape("1", hashtags=["old"], sound_id="1")
    edited = scrape("1", age=DAY, hashtags=["new"], sound_id="2")
    for tag, sound, uses in (("old", "1", 1), ("new", "2", 0)):
        found = at(T0 + 9 * DAY, [first, edited], hashtags=[tag], sound_id=sound)
        assert (found["hashtag_uses"], found["sound_uses"]) == (uses, uses)


def test_what_is_not_known_of_a_post_stays_unknown_and_a_new_hashtag_or_sound_has_no_uses() -> None:
    rows = [scrape("1", hashtags=["fyp"], sound_id="7")]
    for tags in (None, [], [None]):
        found = at(T0 + DAY, rows, hashtags=tags, sound_id=None)
        assert all(math.isnan(value) for name, value in found.items() if name.startswith(("hashtag", "sound")))
    found = at(T0 + DAY, rows, hashtags=["new"], sound_id="new")
    assert (found["hashtag_uses"], found["hashtag_fewest_uses"], found["sound_uses"]) == (0, 0, 0)
    assert all(math.isnan(found[name]) for name in ("hashtag_lift", "hashtag_best_lift", "sound_lift"))


def test_only_so_many_hashtags_of_a_post_count() -> None:
    tags = [f"t{i}" for i in range(MOST_TAGS + 1)]
    last_two = [at(T0 + DAY, [scrape("1", hashtags=tags)], hashtags=[tag])["hashtag_uses"] for tag in tags[-2:]]
    assert last_two == [1, 0]
    asked = at(T0 + DAY, [scrape("1", hashtags=tags[-1:])], hashtags=tags)
    assert (asked["hashtag_uses"], asked["hashtag_fewest_uses"]) == (0, 0)


@pytest.mark.parametrize(
    ("sound", "key", "own"),
    [
        ({}, None, None),
        ({"sound_id": "7"}, "tiktok:7", False),
        ({"sound_name": "la la"}, "tiktok:la la", False),
        ({"sound_id": "7", "sound_name": "la la"}, "tiktok:7", False),
        ({"sound_id": "7", "sound_is_original": False}, "tiktok:7", False),
        ({"sound_id": "7", "sound_is_original": True}, None, True),
        ({"sound_is_original": True}, None, True),
        ({"sound_is_original": False}, None, False),
    ],
)
def test_a_sound_is_known_by_its_id_else_its_name_and_a_creators_own_travels_nowhere(
    sound: Row, key: str | None, own: bool | None
) -> None:
    row = frame(scrape("1", **sound))
    assert sound_keys(row) == [key]
    assert row.select(own_sound()).item() is own


def test_nobody_asking_and_nothing_known_give_columns_all_the_same() -> None:
    assert columns([scrape("1")], [], [], How()) == []
    found = at(T0, [], hashtags=["fyp"], sound_id="7")
    zero = {name for name, value in found.items() if value == 0}
    assert zero == {"hashtag_uses", "hashtag_fewest_uses", "sound_uses", "platform_measured"}
    assert all(math.isnan(value) for name, value in found.items() if name not in zero)
    nothing = past([], How()).usual_at_age(frame(scrape("asks")), np.array([floor(T0)]), np.array([1.0]))
    assert np.isnan(nothing).all()
