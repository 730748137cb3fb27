"""What cron lines mean."""

from datetime import UTC, datetime, timedelta

import pytest

from tiercast.core.cron import CronLine
from tiercast.core.errors import InvalidInput

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = [MONDAY + timedelta(days=day) for day in range(7)]


def days(line: str) -> list[int]:
    """The days of one week, Monday first, on which a line is due at midnight."""
    parsed = CronLine.parse(line)
    return [number for number, day in enumerate(WEEK) if parsed.matches(day)]


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("0 0 * * 1", [0]),
        ("0 0 * * mon", [0]),
        ("0 0 * * 0", [6]),
        ("0 0 * * 7", [6]),
        ("0 0 * * SUN", [6]),
        ("0 0 * * 5-7", [4, 5, 6]),
        ("0 0 * * 1-5/2", [0, 2, 4]),
        ("0 0 * * 6,0", [5, 6]),
        ("0 0 24 * *", [1]),
        ("0 0 24 * 5", [1, 4]),
        ("0 0 */2 * 2", []),
        ("0 0 */2 * 3", [2]),
        ("0 0 24 12 *", []),
        ("0 0 24 nov *", [1]),
        ("0 0 24/3 * *", [1, 4]),
        ("5 0 * * *", []),
        ("*/7 */5 * * *", [0, 1, 2, 3, 4, 5, 6]),
        ("  0  0 * *  1 ", [0]),
    ],
)
def test_a_line_is_due_on_the_days_that_cron_would_take(line: str, due: list[int]) -> None:
    assert days(line) == due


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 3 * *", "five fields (minute hour day month weekday), not 4"),
        ("@weekly", "not 1"),
        ("60 3 * * 1", "minutes '60' are not within 0 to 59"),
        ("0 24 * * 1", "hours '24'"),
        ("0 3 0 * 1", "days '0' are not within 1 to 31"),
        ("0 3 * 13 *", "months '13'"),
        ("0 3 * * 8", "weekdays '8'"),
        ("0 3 * * monday", "weekdays 'monday'"),
        ("0 3 * * sat-mon", "or run backwards"),
        ("*/0 3 * * *", "minutes '*/0'"),
        ("0 3,,4 * * *", "hours '3,,4' cannot be read"),
        ("0 -3 * * *", "cannot be read"),
        ("٣ 3 * * *", "cannot be read"),
        ("0 3 31 2 *", "no such month has a day 31"),
        ("0 3 30,31 2 *", "no such month has a day 30"),
        ("0 99999999999999999999 * * *", "hours"),
    ],
)
def test_a_line_that_is_none_says_what_is_wrong_and_shows_one(line: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CronLine.parse(line)
    assert told in str(caught.value)
    assert "'0 3 * * 1' is every Monday at 03:00" in str(caught.value)


def test_the_newest_due_minute_is_found_if_it_is_not_too_long_ago() -> None:
    line, at = CronLine.parse("0 3 * * 1"), MONDAY.replace(hour=3)
    late = timedelta(seconds=90)
    assert line.last_within(late, before=at) == at
    assert line.last_within(late, before=at + late) == at
    assert line.last_within(late, before=at + late + timedelta(microseconds=1)) is None
    assert line.last_within(late, before=at - timedelta(microseconds=1)) is None
    assert line.last_within(timedelta(days=8), before=at - timedelta(seconds=1)) == at - timedelta(days=7)
