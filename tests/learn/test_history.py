"""Every creator column against a plain list of the earlier posts whose measurement was known before the instant."""

import math
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.intake.schema import SCHEMA
from tiercast.learn.history import AGE_BANDS_HOURS, LATEST, SUMMARY, CreatorPast, age_bands
from tiercast.learn.timeline import COUNTS, History, Timeline

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MODES: tuple[History, ...] = ("observed", "as_scraped")
NAN = math.nan
HIT = 10_986
"""ln 3 in ten-thousandths."""
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


def columns(
    rows: list[Row], asking: list[Row], seconds: list[int], level: list[float], how: How
) -> list[dict[str, float]]:
    """The columns of some rows that ask, one dictionary a row."""
    timeline = Timeline.of(frame(*rows), history=how.history, embargo_days=how.embargo_days)
    found = CreatorPast.of(timeline).columns(frame(*asking), np.array(seconds, dtype=np.int64), np.array(level))
    assert set(found) == {*SUMMARY, "followers"}
    return [{name: float(values[place]) for name, values in found.items()} for place in range(len(asking))]


def of_ana(rows: list[Row], asked: datetime, how: How | None = None, *, level: float = 50_000.0) -> dict[str, float]:
    return columns(rows, [scrape("asks")], [floor(asked)], [level], how or How())[0]


# -- the reference


def floor(at: datetime) -> int:
    return (at - EPOCH) // SECOND


def ceiling(at: datetime) -> int:
    return -((EPOCH - at) // SECOND)


def log(count: float) -> int:
    return round(math.log1p(count) * 10_000)


def known_from(row: Row, how: How) -> int:
    posted, scraped = ceiling(row["published_at"]), ceiling(row["scraped_at"])
    return max(posted + round(how.embargo_days * 86_400), scraped if how.history == "observed" else posted)


def measured(rows: list[Row], asking: Row, second: int, how: How) -> list[Row]:
    """The measurements of the creator's posts that were known before the second, by post, oldest first."""
    mine = [
        row
        for row in rows
        if row["author"] is not None
        and (row["platform"], row["author"]) == (asking["platform"], asking["author"])
        and row["published_at"] is not None
        and (row["views"] or 0) > 0
        and known_from(row, how) < second
    ]
    return sorted(mine, key=lambda row: (row["published_at"], row["video_id"], row["scraped_at"]))


def weighted(values: list[int], weights: list[int]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def summary(rows: list[Row], asking: Row, second: int, level: float, how: How) -> dict[str, float]:
    last_of = {row["video_id"]: row for row in measured(rows, asking, second, how)}
    posts = list(last_of.values())[-LATEST:]
    nothing = dict.fromkeys(SUMMARY, NAN)
    followers = followers_of(rows, asking, second, how)
    if not posts:
        return {**nothing, "posts": NAN if asking["author"] is None else 0.0, "followers": followers}
    n, views = len(posts), [log(row["views"]) for row in posts]
    ordered, days = sorted(views), [(second - ceiling(row["published_at"])) // 86_400 for row in posts]
    times = [ceiling(row["published_at"]) for row in posts]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    lengths = [log(row["duration_seconds"]) for row in posts if row["duration_seconds"] is not None]
    return {
        "posts": n,
        "mean": statistics.fmean(views),
        "median": statistics.median_low(views),
        "spread": statistics.stdev(views) if n > 1 else NAN,
        "best": max(views),
        "worst": min(views),
        "lower_quartile": ordered[(n - 1) // 4],
        "upper_quartile": ordered[3 * (n - 1) // 4],
        "last": views[-1],
        "before_last": views[-2] if n > 1 else NAN,
        "last3": statistics.fmean(views[-3:]),
        "last5": statistics.fmean(views[-5:]),
        "recent": weighted(views, [round(2**20 * 0.5 ** (rank / 3)) for rank in reversed(range(n))]),
        "recent_month": weighted(views, [max(1, round(2**20 * math.exp(-min(day, 399) / 30))) for day in days]),
        "hits": NAN if math.isnan(level) else sum(view > level + HIT for view in views) / n,
        "posts_week": sum(day < 7 for day in days),
        "posts_month": sum(day < 30 for day in days),
        "seconds_since": second - times[-1],
        "seconds_between": gaps[(len(gaps) - 1) // 2] if gaps else NAN,
        "log_seconds": statistics.fmean(lengths) if lengths else NAN,
        **{f"{name}_rate": mean_rate(posts, name) for name in COUNTS},
        "followers": followers,
    }


def mean_rate(posts: list[Row], name: str) -> float:
    rates = [log(row[name]) - log(row["views"]) for row in posts if row[name] is not None]
    return statistics.fmean(rates) if rates else NAN


def followers_of(rows: list[Row], asking: Row, second: int, how: How) -> float:
    told = [row for row in measured(rows, asking, second, how) if row["author_followers"] is not None]
    told.sort(key=lambda row: known_from(row, how))  # stable: of those known since the same second the newest post's
    return told[-1]["author_followers"] if told else NAN


# -- invented stores


steps = st.sampled_from([0, 1, 1_000_000, 1_500_000, 90_000_000, 86_400_000_000, 604_800_000_000, 40 * 86_400_000_000])
count = st.none() | st.integers(0, 900)
people = st.sampled_from(
    [("tiktok", "ana"), ("tiktok", "ana"), ("tiktok", "bob"), ("youtube", "ana"), ("tiktok", None)]
)


@st.composite
def stores(draw: st.DrawFn) -> list[Row]:
    """Observations of a few creators' posts, with ties in every time, in any order."""
    rows = []
    for number in range(draw(st.integers(0, 9))):
        platform, author = draw(people)
        posted = T0 + timedelta(microseconds=draw(steps) + draw(steps))
        length = draw(st.none() | st.sampled_from([0.0, 12.5, 60.0]))
        described = {"platform": platform, "author": author, "duration_seconds": length}
        for age in draw(st.lists(steps, max_size=3, unique=True)):
            counts = {name: draw(count) for name in (*COUNTS, "author_followers")}
            counts["views"] = draw(st.none() | st.integers(0, 10**9))
            rows.append(scrape(str(number), posted, timedelta(microseconds=age), **described, **counts))
    return draw(st.permutations(rows))


shifts = st.sampled_from([-1, 0, 1, 2, 86_400, 7 * 86_400, 30 * 86_400, 90 * 86_400, 900 * 86_400])


@st.composite
def questions(draw: st.DrawFn, rows: list[Row], how: How) -> list[tuple[Row, int, float]]:
    """Who asks, at which second, beside what level: mostly just around the seconds at which something became known."""
    known = [known_from(row, how) for row in rows] + [ceiling(T0)]
    asked = []
    for _ in range(draw(st.integers(1, 5))):
        platform, author = draw(people)
        second = draw(st.sampled_from(known)) + draw(shifts)
        asked.append((scrape("asks", platform=platform, author=author), second, draw(st.sampled_from([NAN, 30_000.5]))))
    return asked


hows = st.builds(How, st.sampled_from(MODES), st.sampled_from([0.0, 1.0, 2.5]))


@repeatable
@given(st.data(), stores(), hows)
def test_every_column_is_what_a_list_of_the_known_earlier_posts_gives(data: Any, rows: list[Row], how: How) -> None:
    asked = data.draw(questions(rows, how))
    asking, seconds, level = (list(part) for part in zip(*asked, strict=True))
    for row, second, usual, found in zip(
        asking, seconds, level, columns(rows, asking, seconds, level, how), strict=True
    ):
        assert found == pytest.approx(summary(rows, row, second, usual, how), rel=1e-9, abs=1e-6, nan_ok=True)


@repeatable
@given(st.data(), stores(), hows)
def test_what_is_usual_at_an_age_is_the_mean_of_every_measurement_in_its_band(
    data: Any, rows: list[Row], how: How
) -> None:
    asked = data.draw(questions(rows, how))
    ages = [data.draw(st.sampled_from([1 / 60, 0.99, 1.0, 24.0, 168.0, 5_000.0])) for _ in asked]
    timeline = Timeline.of(frame(*rows), history=how.history, embargo_days=how.embargo_days)
    seconds = np.array([second for _, second, _ in asked])
    asking = frame(*(row for row, _, _ in asked))
    found = CreatorPast.of(timeline).usual_at_age(asking, seconds, np.array(ages)).tolist()
    for (row, second, _), age, usual in zip(asked, ages, found, strict=True):
        alike = [
            log(each["views"]) for each in measured(rows, row, second, how) if band(age_of(each)) == band(age)
        ]  # fmt: skip
        expected = statistics.fmean(alike) if alike else NAN
        assert usual == pytest.approx(expected, rel=1e-12, nan_ok=True)


def age_of(row: Row) -> float:
    return (ceiling(row["scraped_at"]) - ceiling(row["published_at"])) / 3600


def band(age_hours: float) -> int:
    return sum(age_hours >= bound for bound in AGE_BANDS_HOURS)


def test_an_age_belongs_to_the_band_that_starts_with_it() -> None:
    ages = [-1.0, 0.0, 0.99, 1.0, 1.99, 2.0, 719.9, 720.0, 1e9]
    assert age_bands(np.array(ages)).tolist() == [band(age) for age in ages] == [0, 0, 0, 1, 1, 2, 9, 10, 10]


# -- more posts than are kept


def posts(n: int, **changes: Any) -> list[Row]:
    """One post an hour, of rising views, each measured half an hour later."""
    return [scrape(f"{i:04}", T0 + i * HOUR, HOUR / 2, views=1_000 + i, **changes) for i in range(n)]


@pytest.mark.parametrize("history", MODES)
def test_of_more_posts_than_are_kept_the_last_ones_count(history: History) -> None:
    rows, how = posts(LATEST + 30, duration_seconds=9.0), How(history)
    asked = T0 + (LATEST + 30) * HOUR
    found = of_ana(rows, asked, how)
    assert found == pytest.approx(summary(rows, scrape("asks"), floor(asked), 50_000.0, how), rel=1e-9, nan_ok=True)
    assert (found["posts"], found["worst"]) == (LATEST, log(1_030))
    one_less = of_ana(rows[: LATEST - 1], asked, how)
    assert (one_less["posts"], one_less["worst"]) == (LATEST - 1, log(1_000))


def test_posts_that_were_first_measured_later_take_no_place_among_the_last_ones() -> None:
    """Or the mere existence of a measurement to come would push older posts out of what was known."""
    known, asked = posts(LATEST + 5), T0 + (LATEST + 100) * HOUR
    to_come = [scrape(f"x{i}", T0 + (LATEST + 6 + i) * HOUR, 90 * DAY, views=10**9) for i in range(60)]
    before = of_ana(known, asked)
    assert before["posts"] == LATEST
    assert of_ana([*known, *to_come], asked) == pytest.approx(before, abs=0, nan_ok=True)


def test_older_posts_that_became_known_late_take_no_place_among_the_last_ones() -> None:
    rows, asked = posts(LATEST), T0 + (LATEST + 100) * HOUR
    found_late = [scrape(f"old{i}", T0 - (i + 1) * HOUR, (LATEST + 50) * HOUR + i * HOUR, views=5) for i in range(40)]
    assert of_ana([*rows, *found_late], asked) == pytest.approx(of_ana(rows, asked), abs=0, nan_ok=True)


# -- one case each, by hand


def test_three_posts_by_hand() -> None:
    rows = [
        scrape("1", T0, views=999, likes=99, duration_seconds=10.0, author_followers=500),
        scrape("2", T0 + 2 * DAY, views=9_999, likes=None, author_followers=600),
        scrape("3", T0 + 9 * DAY, views=99, likes=9, duration_seconds=20.0),
        scrape("4", T0 + 10 * DAY, views=7),
    ]
    found = of_ana(rows, T0 + 10 * DAY, level=69_078.0 - HIT)
    assert found == pytest.approx(
        {
            "posts": 3, "mean": (69_078 + 92_103 + 46_052) / 3, "median": 69_078, "best": 92_103, "worst": 46_052,
            "spread": statistics.stdev([69_078, 92_103, 46_052]), "lower_quartile": 46_052, "upper_quartile": 69_078,
            "last": 46_052, "before_last": 92_103, "last3": 69_077.66667, "last5": 69_077.66667,
            "recent": (69_078 * 4 ** (-1 / 3) + 92_103 * 2 ** (-1 / 3) + 46_052) / (4 ** (-1 / 3) + 2 ** (-1 / 3) + 1),
            "recent_month": (69_078 * math.exp(-10 / 30) + 92_103 * math.exp(-8 / 30) + 46_052 * math.exp(-1 / 30))
            / (math.exp(-10 / 30) + math.exp(-8 / 30) + math.exp(-1 / 30)),
            "hits": 1 / 3, "posts_week": 1, "posts_month": 3, "seconds_since": 86_400, "seconds_between": 172_800,
            "log_seconds": (23_979 + 30_445) / 2, "likes_rate": (46_052 - 69_078 + 23_026 - 46_052) / 2,
            "comments_rate": NAN, "shares_rate": NAN, "saves_rate": NAN, "followers": 600,
        },
        nan_ok=True,
    )  # fmt: skip


def test_of_two_posts_of_the_same_second_the_one_of_the_later_id_is_the_last() -> None:
    rows = [scrape("b", views=200), scrape("a", views=100), scrape("c", T0 + 0.3 * SECOND, views=300)]
    found = of_ana(rows, T0 + DAY)
    assert (found["last"], found["before_last"], found["seconds_between"]) == (log(300), log(200), 0)


@pytest.mark.parametrize("history", MODES)
def test_a_post_of_the_same_second_as_the_question_is_no_earlier_one(history: History) -> None:
    row = scrape("same", T0, timedelta(0), author_followers=10)
    for asked, known in ((T0, False), (T0 + 0.9 * SECOND, False), (T0 + SECOND, True)):
        found = of_ana([row], asked, How(history))
        assert (found["posts"], math.isnan(found["followers"])) == ((1, False) if known else (0, True))


def test_followers_are_the_last_known_ones_whichever_post_told_them() -> None:
    rows = [
        scrape("old", T0, 5 * DAY, author_followers=50),
        scrape("new", T0 + DAY, HOUR, author_followers=20),
        scrape("new", T0 + DAY, 9 * DAY, author_followers=None),
    ]
    told = [of_ana(rows, T0 + n * DAY)["followers"] for n in (1, 2, 6, 20)]
    assert told == pytest.approx([NAN, 20, 50, 50], nan_ok=True)


def test_an_unknown_creator_has_an_unknown_number_of_posts_and_a_new_one_has_none() -> None:
    rows = [scrape("1", author=None, author_followers=5), scrape("2", author="bob")]
    asking = [scrape("asks", author=None), scrape("asks", author="new"), scrape("asks", author="bob")]
    unknown, new, known = columns(rows, asking, [floor(T0 + DAY)] * 3, [1.0] * 3, How())
    assert all(math.isnan(value) for value in unknown.values())
    assert new == pytest.approx({**dict.fromkeys(unknown, NAN), "posts": 0}, nan_ok=True)
    assert known["posts"] == 1


def test_hits_are_unknown_where_it_is_unknown_what_is_usual() -> None:
    assert math.isnan(of_ana([scrape("1")], T0 + DAY, level=NAN)["hits"])
    assert of_ana([scrape("1")], T0 + DAY, level=log(100) - HIT)["hits"] == 0
    assert of_ana([scrape("1")], T0 + DAY, level=log(100) - HIT - 1.0)["hits"] == 1


def test_nobody_asking_and_nothing_known_give_columns_all_the_same() -> None:
    assert columns([scrape("1")], [], [], [], How()) == []
    nothing = CreatorPast.of(Timeline.of(frame(), history="observed"))
    none = np.empty(0, dtype=np.int64)
    assert {len(values) for values in nothing.columns(frame(), none, none.astype(float)).values()} == {0}
    asked = nothing.columns(frame(scrape("asks")), np.array([floor(T0)]), np.array([NAN]))
    assert asked["posts"].tolist() == [0]
    assert {name for name, values in asked.items() if np.isnan(values).all()} == {*asked} - {"posts"}
    assert np.isnan(nothing.usual_at_age(frame(scrape("asks")), np.array([floor(T0)]), np.array([1.0]))).all()
