"""A cron line: five fields, as sets of numbers."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tiercast.core.errors import InvalidInput

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month at most."""
ITEM: Final = re.compile(r"(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]+))?", re.ASCII)
EXAMPLE: Final = "'0 3 * * 1' is every Monday at 03:00, '30 4 * * *' every day at 04:30; nothing is never"


@dataclass(frozen=True, slots=True)
class CronLine:
    """When something is due, to the minute."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    """0 is Sunday, as cron counts."""
    either_day: bool
    """Where both day fields are restricted, either suffices; that is how cron reads them."""

    @classmethod
    def parse(cls, line: str) -> "CronLine":
        """The line's meaning; raises InvalidInput.

        >>> CronLine.parse("0 3 * * mon").weekdays, CronLine.parse("*/20 0 1 1 5-7").minutes
        ((1,), (0, 20, 40))
        >>> CronLine.parse("0 25 * * *")
        Traceback (most recent call last):
        tiercast.core.errors.InvalidInput: its hours '25' are not within 0 to 23, or run backwards. ...
        """
        fields = line.lower().split()
        if len(fields) != 5:
            raise InvalidInput(
                f"a cron line has five fields (minute hour day month weekday), not {len(fields)}. {EXAMPLE}"
            )
        minute, hour, day, month, weekday = fields
        found = cls(
            minutes=_numbers(minute, "minutes", 0, 59),
            hours=_numbers(hour, "hours", 0, 23),
            days=_numbers(day, "days", 1, 31),
            months=_numbers(month, "months", 1, 12, names=MONTHS),
            weekdays=tuple(sorted({n % 7 for n in _numbers(weekday, "weekdays", 0, 7, names=WEEKDAYS)})),
            either_day=not day.startswith("*") and not weekday.startswith("*"),
        )
        if not found.either_day and min(found.days) > max(LONGEST[month - 1] for month in found.months):
            raise InvalidInput(f"no such month has a day {min(found.days)}, so it would never be due. {EXAMPLE}")
        return found

    def matches(self, at: datetime) -> bool:
        """Whether that minute is due."""
        return at.minute in self.minutes and at.hour in self.hours and self._on(at)

    def last_within(self, within: timedelta, *, before: datetime) -> datetime | None:
        """The newest due minute that began at or before a time, not longer ago than that."""
        minute = before.replace(second=0, microsecond=0)
        while before - minute <= within:
            if self.matches(minute):
                return minute
            minute -= timedelta(minutes=1)
        return None

    def _on(self, at: datetime) -> bool:
        in_days, in_weekdays = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        chosen = in_days or in_weekdays if self.either_day else in_days and in_weekdays
        return chosen and at.month in self.months


def _numbers(field: str, what: str, low: int, high: int, *, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    found: set[int] = set()
    for item in field.split(","):
        parts = ITEM.fullmatch(item)
        if parts is None:
            raise InvalidInput(f"its {what} {field!r} cannot be read. {EXAMPLE}")
        first, last, step = parts.groups()
        begin = low if first is None else _number(first, names, low)
        end = high if first is None or (step and last is None) else _number(last or first, names, low)
        if not low <= begin <= end <= high or step == "0":
            raise InvalidInput(f"its {what} {field!r} are not within {low} to {high}, or run backwards. {EXAMPLE}")
        found.update(range(begin, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, names: tuple[str, ...], low: int) -> int:
    """A number, or a month or weekday by the first three letters of its name; -1 where it is neither."""
    if text in names:
        return names.index(text) + (low if len(names) == 12 else 0)
    return int(text) if text.isdecimal() and len(text) < 4 else -1
