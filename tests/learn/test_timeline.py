"""The timeline against a list of observations that is searched from its start for every question."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tiercast.intake.schema import SCHEMA
from tiercast.learn.timeline import (
    COUNTS,
    NOBODY,
    UNKNOWN,
    History,
    Stamps,
    Timeline,
    creator_numbers,
    log_units,
    numbers_of,
    rate_units,
    seconds_of,
    whole,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MODES: tuple[History, ...] = ("observed", "as_scraped")
repeatable = settings(deadline=None, derandomize=True, max_examples=120)


def scrape(video_id: str = "v", **changes: Any) -> dict[str, Any]:
    base = {"platform": "tiktok", "author": "ana", "published_at": T0, "views": 100, "scraped_at": T0 + DAY}
    return {**dict.fromkeys(SCHEMA), **base, "video_id": video_id, **changes}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def ceiling(at: datetime) -> int:
    return -((EPOCH - at) // SECOND)


def known_from(row: dict[str, Any], history: History, embargo_days: float) -> int:
    """The second from which an observation counts as known, as the docstring says it."""
    up = ceiling(row["published_at"]) + (86_400 if row["published_date_only"] else 0)
    first = ceiling(row["scraped_at"]) if history == "observed" else up
    return max(first, up + math.ceil(embargo_days * 86_400)) if embargo_days else first


def usable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The observations that are history, in the order of (posting, platform, id, scrape)."""
    kept = [row for row in rows if row["published_at"] and row["scraped_at"] and (row["views"] or 0) > 0]
    return sorted(kept, key=lambda row: (row["published_at"], row["platform"], row["video_id"], row["scraped_at"]))


def key_of(row: dict[str, Any]) -> tuple[str, str]:
    return row["platform"], row["video_id"]


steps = st.sampled_from([0, 1, 400_000, 999_999, 1_000_000, 1_000_001, 2_000_000, 3_600_000_000, 86_400_000_000])
count = st.none() | st.integers(0, 500)


@st.composite
def observations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few posts of few creators, with ties in every time, and observations in any order."""
    rows = []
    for number in range(draw(st.integers(0, 5))):
        described = {
            "platform": draw(st.sampled_from(["tiktok", "youtube"])),
            "author": draw(st.sampled_from(["ana", "bob", None])),
            "published_date_only": draw(st.sampled_from([None, False, True])),
        }
        posted = draw(st.none() | steps.map(lambda us: T0 + timedelta(microseconds=us)))
        for delay in draw(st.lists(steps, max_size=4, unique=True)):
            counts = {name: draw(count) for name in ("views", *COUNTS, "author_followers")}
            scraped = None if draw(st.integers(0, 9)) == 0 else (posted or T0) + timedelta(microseconds=delay)
            rows.append(scrape(str(number), **described, **counts, published_at=posted, scraped_at=scraped))
    return draw(st.permutations(rows))


# -- stamps


keys_and_seconds = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 5)), max_size=12)
questions = st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 6)), max_size=12)


def ints(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@repeatable
@given(keys_and_seconds, questions)
def test_the_entries_before_a_second_are_those_of_its_key_that_came_strictly_earlier(
    entries: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    stamps = Stamps.of(ints([key for key, _ in entries]), ints([second for _, second in entries]))
    start, end = stamps.before(ints([key for key, _ in asked]), ints([second for _, second in asked]))
    for (key, second), low, high in zip(asked, start.tolist(), end.tolist(), strict=True):
        earlier = [(s, place) for place, (k, s) in enumerate(entries) if k == key and s < second]
        assert stamps.order[low:high].tolist() == [place for _, place in sorted(earlier)]


def test_a_second_that_lies_beyond_every_clock_is_never_before_anything() -> None:
    beyond = 2**32 + 5  # would be second 5 of the next key
    stamps = Stamps.of(ints([1, 2]), ints([beyond, 4]))
    for key in (1, 2, 3):
        start, end = stamps.before(ints([key] * 2), ints([10, 2**31]))
        assert (end - start).tolist() == ([1, 1] if key == 2 else [0, 0])
    start, end = stamps.before(ints([1]), ints([beyond + 1]))
    assert start.tolist() == end.tolist()


# -- the timeline


def last_known(rows: list[dict[str, Any]], key: tuple[str, str], second: int, how: tuple[History, float]) -> Any:
    """The last measurement of a post that is known before the second; None where there is none."""
    known = [row for row in usable(rows) if key_of(row) == key and known_from(row, *how) < second]
    return known[-1] if known else None


@repeatable
@given(observations(), st.sampled_from(MODES), st.sampled_from([0.0, 0.00001, 1.0, 2.5]))
@example([scrape(views=1), scrape(views=2, scraped_at=T0 + 2 * DAY)], "as_scraped", 0.0)
def test_before_a_second_a_post_shows_its_last_measurement_that_was_known_by_then(
    rows: list[dict[str, Any]], history: History, embargo_days: float
) -> None:
    timeline = Timeline.of(frame(*rows), history=history, embargo_days=embargo_days)
    kept = usable(rows)
    keys = list(dict.fromkeys(key_of(row) for row in kept))
    assert timeline.posts.select("platform", "video_id").rows() == keys
    seconds = sorted({known_from(row, history, embargo_days) + step for row in kept for step in (-1, 0, 1)})
    for post, key in enumerate(keys):
        found = timeline.measured_before(np.full(len(seconds), post), ints(seconds)).tolist()
        for second, place in zip(seconds, found, strict=True):
            expected = last_known(rows, key, second, (history, embargo_days))
            assert (None if place < 0 else kept[place]) == expected


@repeatable
@given(observations())
def test_every_measurement_has_its_counts_as_whole_units_and_unknown_ones_are_marked(
    rows: list[dict[str, Any]],
) -> None:
    timeline, kept = Timeline.of(frame(*rows), history="observed"), usable(rows)
    assert timeline.post.shape == (len(kept),)
    for place, row in enumerate(kept):
        log_views = round(math.log1p(row["views"]) * 10_000)
        assert timeline.log_views[place] == log_views
        for name in COUNTS:
            known = row[name] is not None
            expected = round(math.log1p(row[name]) * 10_000) - log_views if known else UNKNOWN
            assert timeline.rates[name][place] == expected
        followers = row["author_followers"]
        assert timeline.followers[place] == (UNKNOWN if followers is None else followers)
        hours = (ceiling(row["scraped_at"]) - ceiling(row["published_at"])) / 3600
        assert timeline.age_hours[place] == hours


@repeatable
@given(observations())
def test_creators_are_numbered_by_platform_and_handle_and_an_unknown_one_is_nobody(
    rows: list[dict[str, Any]],
) -> None:
    timeline = Timeline.of(frame(*rows), history="observed")
    names = {number: pair for pair, number in timeline.creators.items()}
    assert len(names) == len(timeline.creators)
    for number, platform, author in zip(
        timeline.creator.tolist(), timeline.posts["platform"], timeline.posts["author"], strict=True
    ):
        assert names.get(number) == (None if author is None else (platform, author))
        assert (number == -1) == (author is None)


@repeatable
@given(observations(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, Any]], rng: Any) -> None:
    shuffled = rng.sample(rows, len(rows))
    first, second = (Timeline.of(frame(*each), history="observed") for each in (rows, shuffled))
    assert first.posts.equals(second.posts)
    for name in ("creator", "posted", "post", "known", "age_hours", "log_views", "followers"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_a_post_is_described_as_it_was_when_it_was_first_measured() -> None:
    first = scrape(hashtags=["a"], sound_id="1", duration_seconds=10.0)
    edited = scrape(hashtags=["b"], sound_id="2", duration_seconds=20.0, scraped_at=T0 + 2 * DAY)
    timeline = Timeline.of(frame(edited, first), history="observed")
    described = timeline.posts.select("hashtags", "sound_id", "duration_seconds")
    assert described.rows() == [(["a"], "1", 10.0)]


def test_rounding_never_lets_a_measurement_in_before_its_time() -> None:
    """A measurement counts from the next whole second, a question is asked at the last one."""
    timeline = Timeline.of(frame(scrape(scraped_at=T0 + DAY + 0.2 * SECOND)), history="observed")
    just_after = pl.Series([T0 + DAY + 0.9 * SECOND, T0 + DAY + 1.9 * SECOND, T0 + DAY + 2 * SECOND])
    assert timeline.measured_before(ints([0, 0, 0]), seconds_of(just_after)).tolist() == [-1, -1, 0]


def test_a_post_of_a_known_day_only_is_not_history_as_scraped_before_that_day_is_over() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    row = scrape(published_at=day, published_date_only=True, scraped_at=day + 9 * DAY)
    asked = seconds_of(pl.Series([day + 0.9 * DAY, day + DAY, day + DAY + SECOND]))
    timeline = Timeline.of(frame(row), history="as_scraped")
    assert timeline.measured_before(ints([0, 0, 0]), asked).tolist() == [-1, -1, 0]
    embargoed = Timeline.of(frame(row), history="as_scraped", embargo_days=1)
    assert embargoed.measured_before(ints([0]), seconds_of(pl.Series([day + 2 * DAY]))).tolist() == [-1]
    scraped = Timeline.of(frame({**row, "scraped_at": day + 0.5 * DAY}), history="observed")
    assert scraped.measured_before(ints([0]), asked[:1]).tolist() == [0]


def test_an_embargo_of_a_part_of_a_second_lasts_to_the_next_whole_one() -> None:
    row = frame(scrape(scraped_at=T0))
    second = ceiling(T0)
    for embargo_days, known in ((0.0, second), (0.4 / 86_400, second + 1), (1.0, second + 86_400)):
        for history in MODES:
            assert Timeline.of(row, history=history, embargo_days=embargo_days).known.tolist() == [known]


def test_an_embargo_beyond_every_clock_leaves_every_creator_without_history() -> None:
    rows = frame(scrape("1", author="ana"), scrape("2", author="bob"))
    timeline = Timeline.of(rows, history="observed", embargo_days=60_000)
    assert timeline.measured_before(ints([0, 1]), ints([ceiling(T0) + 10**9] * 2)).tolist() == [-1, -1]


@pytest.mark.parametrize("history", MODES)
@pytest.mark.parametrize("missing", ["published_at", "scraped_at", "views"])
def test_what_has_no_time_or_no_views_is_no_history(history: History, missing: str) -> None:
    rows = [scrape("1", **{missing: None}), scrape("2")] + ([scrape("3", views=0)] if missing == "views" else [])
    timeline = Timeline.of(frame(*rows), history=history)
    assert timeline.posts["video_id"].to_list() == ["2"]
    nothing = Timeline.of(frame(*rows[:1]), history=history)
    assert nothing.posts.is_empty()
    assert nothing.measured_before(ints([0]), ints([2**31])).tolist() == [-1]


# -- the parts


def test_seconds_are_rounded_down_for_a_question_and_up_for_an_answer() -> None:
    times = pl.Series([T0, T0 + timedelta(microseconds=1), T0 + 0.999999 * SECOND, None])
    t0 = ceiling(T0)
    assert seconds_of(times).tolist() == [t0, t0, t0, 0]
    assert seconds_of(times, up=True).tolist() == [t0, t0 + 1, t0 + 1, 0]


def test_an_unknown_count_has_no_rate_and_a_count_of_zero_has_one() -> None:
    views = np.array([99.0, 99.0, 99.0])
    counts = pl.Series([None, 0, 99], dtype=pl.Int64)
    assert rate_units(counts, views).tolist() == [UNKNOWN, -log_units(views)[0], 0]
    assert whole(counts).tolist() == [UNKNOWN, 0, 99]


def test_numbers_are_asked_by_platform_and_handle() -> None:
    numbers = {("tiktok", "ana"): 0, ("youtube", "ana"): 1}
    asked = [("youtube", "ana"), ("tiktok", "ana"), ("tiktok", "Ana"), ("tiktok", None)]
    assert numbers_of(asked, numbers).tolist() == [1, 0, NOBODY, NOBODY]


@repeatable
@given(
    st.lists(st.tuples(st.sampled_from(["tiktok", "youtube"]), st.sampled_from(["ana", "bob", "0", None])), max_size=12)
)
def test_rows_share_a_number_exactly_where_they_share_a_known_creator(pairs: list[tuple[str, str | None]]) -> None:
    numbers = creator_numbers(
        pl.DataFrame(pairs, schema={"platform": pl.String, "author": pl.String}, orient="row")
    ).tolist()
    for i, first in enumerate(pairs):
        for j, second in enumerate(pairs):
            same = i == j or (first == second and first[1] is not None)
            assert (numbers[i] == numbers[j]) == same
