"""Labels that mature: each rule at its bound, against a slow and obvious reference, and what never changes a label."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import add
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tiercast.learn.labels import LabelRule, label_views

POSTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
SCHEMA: dict[str, Any] = {
    "row": pl.Int64,
    "published_at": pl.Datetime("us", "UTC"),
    "scraped_at": pl.Datetime("us", "UTC"),
    "views": pl.Int64,
    "used": pl.Boolean,
}
OUT = {
    "row": pl.Int64,
    "views": pl.Int64,
    "label_at": pl.Datetime("us", "UTC"),
    "label_age_days": pl.Float64,
    "how": pl.String,
    "matures_at": pl.Datetime("us", "UTC"),
}
Seen = tuple[timedelta, int | None, bool]
"""An observation of a row: its age, its views, and whether a feature used it."""
ANY_AGE = LabelRule(max_age_days=None)
LAST = LabelRule(at="last")


def frame(*rows: list[Seen]) -> pl.DataFrame:
    """Observations of rows 0, 1, ..., each posted an hour after the one before."""
    posted = [POSTED + number * timedelta(hours=1) for number in range(len(rows))]
    return pl.DataFrame(
        [
            (number, posted[number], posted[number] + age, views, used)
            for number, row in enumerate(rows)
            for age, views, used in row
        ],
        schema=SCHEMA,
        orient="row",
    )


def free(*seen: tuple[float | timedelta, int | None]) -> list[Seen]:
    """Observations that no feature used; a bare number is an age in days."""
    return [(age if isinstance(age, timedelta) else age * DAY, views, False) for age, views in seen]


def label(row: list[Seen], rule: LabelRule = LabelRule()) -> tuple[int | None, str | None]:  # noqa: B008
    """Views and how they were found."""
    return label_views(frame(row), rule).select("views", "how").row(0)


NONE = (None, None)


@pytest.mark.parametrize("age", [6 * DAY, 8 * DAY])
def test_a_measurement_within_a_day_of_the_horizon_is_taken_as_it_is(age: timedelta) -> None:
    assert label(free((1, 5), (age, 100), (12, 500))) == (100, "nearest")


@pytest.mark.parametrize("age", [6 * DAY - TICK, 8 * DAY + TICK])
def test_one_more_than_a_day_off_the_horizon_is_not(age: timedelta) -> None:
    assert label(free((4, 50), (age, 100), (12, 500)))[1] == "interpolated"


def test_of_two_equally_near_measurements_the_earlier_is_taken_else_the_nearer() -> None:
    assert label(free((6.5, 100), (7.5, 200))) == (100, "nearest")
    assert label(free((6.5, 100), (7.5 * DAY - TICK, 200))) == (200, "nearest")


def test_neighbours_within_a_factor_of_four_are_interpolated_beyond_it_not() -> None:
    assert label(free((2.5, 10), (10, 40)))[1] == "interpolated"
    assert label(free((2.5, 10), (10 * DAY + TICK, 40))) == (40, "later")


def test_the_closest_neighbours_are_interpolated_and_the_later_one_dates_the_label() -> None:
    row = free((1, 1), (4, 99), (12.25, 399), (20, 1_000_000))
    (result,) = label_views(frame(row), LabelRule()).rows(named=True)
    # log 7 lies exactly half way between log 4 and log 12.25: the root of (99 + 1) x (399 + 1) is 200.
    assert (result["views"], result["how"]) == (199, "interpolated")
    assert result["label_at"] == POSTED + 12.25 * DAY
    assert result["label_age_days"] == 7


def test_neighbours_too_old_for_a_later_label_still_interpolate() -> None:
    assert label(free((5, 10), (12, 40)), LabelRule(max_age_days=10))[1] == "interpolated"


def test_the_first_measurement_after_the_horizon_labels_up_to_the_highest_age() -> None:
    (result,) = label_views(frame(free((30, 100), (60, 200))), LabelRule()).rows(named=True)
    assert (result["views"], result["how"], result["label_age_days"]) == (100, "later", 30)
    assert result["label_at"] == POSTED + 30 * DAY
    too_old = free((30 * DAY + TICK, 100), (60, 200))
    assert label(too_old) == NONE
    assert label(too_old, ANY_AGE) == (100, "later")


@pytest.mark.parametrize("rule", [LabelRule(), LAST])
def test_a_row_matures_exactly_at_its_age(rule: LabelRule) -> None:
    young = free((6.5, 100), (7 * DAY - TICK, 110))
    assert label(young, rule) == NONE
    assert label([*young, *free((7, 120))], rule) == (120, "nearest" if rule.at == "horizon" else "last")


def test_a_later_measurement_matures_a_label_near_the_horizon() -> None:
    rule = LabelRule(maturity_days=14)
    assert label(free((7, 100), (14 * DAY - TICK, 150)), rule) == NONE
    assert label(free((7, 100), (14, 150)), rule) == (100, "nearest")


def test_the_last_measurement_labels_up_to_the_highest_age() -> None:
    assert label(free((10, 100), (30, 200)), LAST) == (200, "last")
    too_old = free((10, 100), (30 * DAY + TICK, 200))
    assert label(too_old, LAST) == NONE
    assert label(too_old, LabelRule(at="last", max_age_days=None)) == (200, "last")


def test_the_last_measurement_lies_long_enough_after_what_was_used() -> None:
    rule = LabelRule(at="last", min_days_after=2.5)
    used = [(6 * DAY, 100, True)]
    assert label([*used, *free((8.5 * DAY - TICK, 200))], rule) == NONE
    assert label([*used, *free((8.5, 200))], rule) == (200, "last")
    assert label(free((8, 200)), rule) == (200, "last")
    assert label([*used, *free((6 * DAY + TICK, 200), (8, 300))], LAST) == (300, "last")


def test_nothing_used_and_nothing_at_or_before_it_enters_a_label() -> None:
    used: list[Seen] = [(5 * DAY, 100, True)]
    assert label([*free((4, 90)), *used, *free((10, 400))]) == (400, "later")
    assert label([*used, *free((5 * DAY + TICK, 110), (10, 400))])[1] == "interpolated"
    at_horizon: list[Seen] = [(7 * DAY, 100, True)]
    assert label([*free((6.5, 90), (7, 95)), *at_horizon]) == NONE
    assert label([*free((6.5, 90), (7, 95)), *at_horizon, *free((20, 400))]) == (400, "later")


def test_what_was_used_bars_also_where_its_views_are_unknown() -> None:
    assert label([*free((7, 100)), (8 * DAY, None, True)]) == NONE


def test_unknown_and_zero_views_and_times_up_to_posting_measure_nothing() -> None:
    empty = free((7, None), (7.1, 0), (0, 70), (-3, 80))
    assert label(empty) == NONE
    assert label([*empty, *free((9, 100))]) == (100, "later")
    assert label([*free((6, 100)), *free((9, 0))]) == NONE


def test_of_two_counts_at_the_same_time_the_higher_holds() -> None:
    assert label(free((7, 100), (7, 120), (7, 110))) == (120, "nearest")


def test_one_observation_may_be_used_by_one_row_and_label_another() -> None:
    rows = frame([(7 * DAY, 100, True)], free((7, 100)))
    assert label_views(rows, LabelRule())["views"].to_list() == [None, 100]


def test_a_video_without_a_posting_time_has_no_label_and_never_matures() -> None:
    undated = frame(free((7, 100))).with_columns(published_at=pl.lit(None, dtype=SCHEMA["published_at"]))
    assert label_views(undated, LabelRule()).row(0) == (0, None, None, None, None, None)


@pytest.mark.parametrize("rule", [LabelRule(), LAST, ANY_AGE, LabelRule(horizon_days=0.01)])
def test_no_observations_give_no_rows(rule: LabelRule) -> None:
    assert label_views(frame(), rule).schema == OUT
    assert label_views(frame(), rule).height == 0
    assert label_views(frame(free((3, None))), rule).schema == OUT


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (LabelRule(), 7),
        (LabelRule(horizon_days=7, maturity_days=3), 6),
        (LabelRule(horizon_days=3, maturity_days=10), 10),
        (LAST, 7),
        (LabelRule(at="last", maturity_days=3), 3),
        (LabelRule(at="last", maturity_days=3, min_days_after=2), 4),
    ],
)
def test_a_new_measurement_labels_from_maturity_on_and_not_before(rule: LabelRule, days: float) -> None:
    row: list[Seen] = [(2 * DAY, 100, True)]
    assert label_views(frame(row), rule)["matures_at"].to_list() == [POSTED + days * DAY]
    assert label([*row, *free((days * DAY - TICK, 200))], rule) == NONE
    assert label([*row, *free((days, 200))], rule)[0] == 200


def test_maturity_waits_for_what_was_used() -> None:
    row: list[Seen] = [(9 * DAY, 100, True)]
    assert label_views(frame(row), LabelRule())["matures_at"].to_list() == [POSTED + 9 * DAY + TICK]


# What holds for any observations ---------------------------------------------------------------------------------

BOUNDS = [0 * DAY, 2 * DAY, 2.5 * DAY, 6 * DAY, 7 * DAY, 8 * DAY, 10 * DAY, 30 * DAY]
ages = st.one_of(
    st.builds(add, st.sampled_from(BOUNDS), st.sampled_from([-TICK, 0 * DAY, TICK])),
    st.integers(-8, 280).map(lambda quarters: quarters * DAY / 4),
    st.timedeltas(-DAY, 40 * DAY),
)
views = st.one_of(st.none(), st.integers(0, 9), st.integers(1, 10**8))
row_lists = st.lists(st.tuples(ages, views, st.booleans()), max_size=7)
free_lists = st.lists(st.tuples(ages, views, st.just(value=False)), max_size=7)
many_rows = st.lists(st.one_of(row_lists, free_lists), min_size=1, max_size=8)
rules = st.builds(
    LabelRule,
    at=st.sampled_from(["horizon", "last"]),
    horizon_days=st.sampled_from([0.5, 3, 7]),
    maturity_days=st.sampled_from([0, 2.5, 7, 10]),
    max_age_days=st.sampled_from([None, 8, 30]),
    min_days_after=st.sampled_from([0, 0.5, 2]),
)


def measured(row: list[Seen]) -> Iterator[Seen]:
    """Observations that measure something, oldest first, one a time."""
    highest: dict[timedelta, int] = {}
    for age, count, _ in row:
        if count and age > 0 * DAY:
            highest[age] = max(count, highest.get(age, 0))
    for age in sorted(highest):
        yield age, highest[age], any(used for other, _, used in row if other == age)


def expected(row: list[Seen], rule: LabelRule) -> tuple[int, timedelta, timedelta, str] | None:
    """Views, age when known, the age they stand for, and how: the rules of a label, one after the other."""
    last_used = max((age for age, _, used in row if used), default=None)
    seen = list(measured(row))
    able = [(age, count) for age, count, _ in seen if last_used is None or age > last_used]
    if not able or seen[-1][0] < rule.maturity_days * DAY:
        return None
    if rule.at == "last":
        age, count = able[-1]
        long_after = last_used is None or age - last_used >= rule.min_days_after * DAY
        return (count, age, age, "last") if long_after and young_enough(age, rule) else None
    return expected_at_horizon(able, rule)


def young_enough(age: timedelta, rule: LabelRule) -> bool:
    return rule.max_age_days is None or age <= rule.max_age_days * DAY


def expected_at_horizon(
    able: list[tuple[timedelta, int]], rule: LabelRule
) -> tuple[int, timedelta, timedelta, str] | None:
    horizon = rule.horizon_days * DAY
    near = [(abs(age - horizon), age, count) for age, count in able if abs(age - horizon) <= DAY]
    if near:
        _, age, count = min(near)
        return count, age, age, "nearest"
    before, after = [one for one in able if one[0] < horizon], [one for one in able if one[0] > horizon]
    if before and after and after[0][0] <= 4 * before[-1][0]:
        return between(before[-1], after[0], horizon), after[0][0], horizon, "interpolated"
    if after and young_enough(after[0][0], rule):
        age, count = after[0]
        return count, age, age, "later"
    return None


def between(before: tuple[timedelta, int], after: tuple[timedelta, int], horizon: timedelta) -> int:
    way = math.log(horizon / before[0]) / math.log(after[0] / before[0])
    return round(math.expm1((1 - way) * math.log1p(before[1]) + way * math.log1p(after[1])))


@given(many_rows, rules)
@settings(deadline=None, max_examples=200)
def test_labels_are_those_of_the_slow_and_obvious_rule(rows: list[list[Seen]], rule: LabelRule) -> None:
    found = {result["row"]: result for result in label_views(frame(*rows), rule).rows(named=True)}
    assert list(found) == [number for number, row in enumerate(rows) if row]
    for number, result in found.items():
        wanted, posted = expected(rows[number], rule), POSTED + number * timedelta(hours=1)
        if wanted is None:
            assert [result[name] for name in ("views", "label_at", "label_age_days", "how")] == [None] * 4
        else:
            views, known_age, age, how = wanted
            assert (result["views"], result["label_at"], result["how"]) == (views, posted + known_age, how)
            assert result["label_age_days"] == age / DAY


@given(many_rows, rules, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_labels_do_not_depend_on_the_order_of_observations(
    rows: list[list[Seen]], rule: LabelRule, random: Random
) -> None:
    observations = frame(*rows)
    order = list(range(observations.height))
    random.shuffle(order)
    assert label_views(observations[order], rule).equals(label_views(observations, rule))


@given(many_rows, rules)
@settings(deadline=None, max_examples=50)
def test_one_row_alone_has_the_label_it_has_among_many(rows: list[list[Seen]], rule: LabelRule) -> None:
    observations = frame(*rows)
    among_many = label_views(observations, rule)
    for number in among_many["row"]:
        alone = label_views(observations.filter(pl.col("row") == number), rule)
        assert alone.equals(among_many.filter(pl.col("row") == number))


@given(many_rows, rules, st.data())
@settings(deadline=None)
def test_views_that_were_used_never_change_a_label(
    rows: list[list[Seen]], rule: LabelRule, data: st.DataObject
) -> None:
    changed = [[(age, data.draw(views) if used else count, used) for age, count, used in row] for row in rows]
    assert label_views(frame(*changed), rule).equals(label_views(frame(*rows), rule))


@given(many_rows, rules)
@settings(deadline=None)
def test_a_label_is_known_after_everything_its_features_used(rows: list[list[Seen]], rule: LabelRule) -> None:
    last_used = frame(*rows).filter("used").group_by("row").agg(pl.col("scraped_at").max())
    both = label_views(frame(*rows), rule).drop_nulls("label_at").join(last_used, on="row")
    assert (both["label_at"] > both["scraped_at"]).all()


@given(many_rows, st.sampled_from([LabelRule(maturity_days=0), LabelRule(maturity_days=0, max_age_days=None)]))
@settings(deadline=None)
def test_no_later_observation_was_needed_to_know_a_label(rows: list[list[Seen]], rule: LabelRule) -> None:
    labels = label_views(frame(*rows), rule).drop_nulls("label_at")
    by_then = (
        frame(*rows).join(labels.select("row", "label_at"), on="row").filter(pl.col("scraped_at") <= pl.col("label_at"))
    )
    assert label_views(by_then, rule).equals(labels)


@given(many_rows, rules)
@settings(deadline=None)
def test_no_new_measurement_before_maturity_gives_a_label(rows: list[list[Seen]], rule: LabelRule) -> None:
    observations = frame(*rows)
    waiting = label_views(observations, rule).filter(pl.col("views").is_null())
    facts = observations.group_by("row").agg(pl.col("published_at").first(), newest_at=pl.col("scraped_at").max())
    too_early = (
        facts.join(waiting.select("row", scraped_at=pl.col("matures_at") - TICK), on="row")
        .filter(pl.col("scraped_at") > pl.col("newest_at"))
        .select("row", "published_at", "scraped_at", views=pl.lit(100, pl.Int64), used=pl.lit(value=False))
    )
    again = label_views(pl.concat([observations, too_early]), rule).join(too_early, on="row", how="semi")
    assert again["views"].null_count() == again.height == too_early.height


@given(st.integers(1, 10**15), st.integers(1, 10**15), st.floats(2.0025, 5.99), st.floats(0, 1))
@settings(deadline=None)
def test_interpolated_views_lie_between_their_neighbours(first: int, second: int, before: float, share: float) -> None:
    after = 8.01 + share * (4 * before - 8.01)
    assume(after * DAY <= 4 * (before * DAY))  # to the microsecond
    count, how = label(free((before, first), (after, second)))
    assert how == "interpolated"
    assert count is not None
    assert min(first, second) <= count <= max(first, second)
