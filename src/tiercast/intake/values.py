"""Single raw values, however a scraper wrote them: None where missing, ValueError where unreadable."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

MISSING_WORDS: Final = frozenset({"", "null", "none", "nan", "n/a", "undefined"})
"""What pandas, JavaScript and spreadsheets write where there is no value."""

EARLIEST: Final = datetime(2005, 1, 1, tzinfo=UTC)
"""No video platform is older: a time before it is a zero or a sentinel in disguise."""

EPOCH_SCALES: Final = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
"""Epoch numbers below each limit, and the microseconds that one of their units has (s, ms, us).

The limits lie between 1973 (as the finer unit) and 5138 (as the coarser), so no real posting time is ambiguous.
"""

CAPTION_HASHTAG: Final = r"""[#＃]([^\s#＃@.,;:!?"'`()\[\]{}<>|/\\…、。，！？]+)"""
"""A hashtag in running text; written so that Python and Polars read it alike (their \\w differ on Thai and Hindi)."""

ROUNDED_NUMBER: Final = r"[0-9]+[.,][0-9]+[eE]\+?[0-9]+|[0-9]+[eE]\+[0-9]+"
"""How a spreadsheet writes a 19-digit id after rounding it (7.55556E+18); no platform's ids hold a point or a plus."""

FLOAT_NOISE: Final = 1e-13
"""How far from whole a count may be, of itself: 4.1 * 10**6 comes out of a float as 4099999.9999999995."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COUNT: Final = re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?\s*([KMB]?)", re.IGNORECASE)
_SUFFIXES: Final = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_LONGEST_COUNT: Final = 40
"""More digits than this are no count; it also bounds the work on hostile input."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_YES: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_NO: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})


class StatedTime(NamedTuple):
    """A time in UTC; with ``date_only`` its hour is unknown and stands at 0."""

    at: datetime
    date_only: bool


def shown(value: object) -> str:
    """The value as an error message shows it, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_missing(value: object) -> bool:
    """Whether there is no value: None, NaN or a word that stands for nothing.

    >>> is_missing(float("nan")), is_missing(" NULL "), is_missing(0)
    (True, True, False)
    """
    if isinstance(value, str):
        return value.strip().lower() in MISSING_WORDS
    return value is None or (isinstance(value, float) and math.isnan(value))


def parse_count(value: object) -> int | None:
    """A count of any size.

    >>> parse_count("1.2M"), parse_count("12.3K"), parse_count("1,234"), parse_count(7.0), parse_count("NaN")
    (1200000, 12300, 1234, 7, None)
    >>> parse_count(4099999.9999999995)
    4100000
    >>> parse_count("1.5")
    Traceback (most recent call last):
    ValueError: '1.5' is not a whole count such as 1234, '1,234' or '1.2M'
    """
    if is_missing(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isclose(value, _nearest(value), rel_tol=FLOAT_NOISE):
        return _nearest(value)
    found = _COUNT.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST_COUNT else None
    if found is not None:
        sign, whole, fraction, suffix = found.groups(default="")
        number = Decimal(f"{sign}{whole.replace(',', '')}{fraction}") * _SUFFIXES[suffix.upper()]
        if suffix or math.isclose(number, round(number), rel_tol=FLOAT_NOISE):
            return round(number)
    raise ValueError(f"{shown(value)} is not a whole count such as 1234, '1,234' or '1.2M'")


def _nearest(value: float) -> int:
    return round(value) if math.isfinite(value) else 0


def parse_real(value: object) -> float | None:
    """A finite number.

    >>> parse_real("12.5"), parse_real(58), parse_real("")
    (12.5, 58.0, None)
    >>> parse_real(float("inf"))
    Traceback (most recent call last):
    ValueError: inf is not a finite number such as 12.5
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        number = float(value) if _NUMBER.fullmatch(value.strip()) else math.inf
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 10**300 else math.inf
    else:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown(value)} is not a finite number such as 12.5")
    return number


def parse_flag(value: object) -> bool | None:
    """Yes or no.

    >>> parse_flag("true"), parse_flag(0), parse_flag(None)
    (True, False, None)
    >>> parse_flag("maybe")
    Traceback (most recent call last):
    ValueError: 'maybe' is neither true nor false
    """
    if is_missing(value):
        return None
    if isinstance(value, str | int | float):
        word = str(value).strip().lower()
        if word in _YES or word in _NO:
            return word in _YES
    raise ValueError(f"{shown(value)} is neither true nor false")


def parse_text(value: object) -> str | None:
    """Text as it is; a whole number becomes its exact digits, a float has lost some and is refused.

    >>> parse_text(7498897212299136274), parse_text("a"), parse_text(None)
    ('7498897212299136274', 'a', None)
    >>> parse_text(7.498897212299136e18)
    Traceback (most recent call last):
    ValueError: 7.498897212299136e+18 is not text
    """
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_LONGEST_COUNT:
        return str(value)
    raise ValueError(f"{shown(value)} is not text")


def parse_time(value: object) -> StatedTime | None:
    """A time: aware, naive (read as UTC), ISO text, a plain day, or an epoch in s, ms or us by its magnitude.

    >>> parse_time(1745973064) == parse_time("1745973064000") == parse_time("2025-04-30T00:31:04Z")
    True
    >>> parse_time("20250430")
    StatedTime(at=datetime.datetime(2025, 4, 30, 0, 0, tzinfo=datetime.timezone.utc), date_only=True)
    >>> parse_time(0)
    Traceback (most recent call last):
    ValueError: 0 is no time after 2005, such as '2025-04-30T00:31:04Z' or epoch seconds
    """
    if is_missing(value):
        return None
    try:
        stated = _time_of_text(value.strip()) if isinstance(value, str) else _time_of(value)
        if stated.at >= EARLIEST:
            return stated
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{shown(value)} is no time after 2005, such as '2025-04-30T00:31:04Z' or epoch seconds")


def _time_of_text(text: str) -> StatedTime:
    if _NUMBER.fullmatch(text) and len(text) != len("20250430"):
        return _time_of(float(text) if "." in text else int(text))
    if len(text) <= len("2025-04-30"):
        try:
            return _time_of(date.fromisoformat(text))
        except ValueError:
            pass
    return _time_of(datetime.fromisoformat(text.removesuffix(" UTC")))


def _time_of(value: object) -> StatedTime:
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return StatedTime(aware.astimezone(UTC), date_only=False)
    if isinstance(value, date):
        return StatedTime(datetime(value.year, value.month, value.day, tzinfo=UTC), date_only=True)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for limit, microseconds in EPOCH_SCALES:
            if value < limit:
                return StatedTime(_EPOCH + timedelta(microseconds=round(value * microseconds)), date_only=False)
    raise ValueError("no time")


def parse_hashtags(value: object) -> list[str] | None:
    """Hashtags without #, in order; blank ones are left out.

    >>> parse_hashtags("#fun, #dance"), parse_hashtags([{"name": "fun"}, "#b"]), parse_hashtags('["a"]')
    (['fun', 'dance'], ['fun', 'b'], ['a'])
    >>> parse_hashtags(""), parse_hashtags([])
    (None, [])
    >>> parse_hashtags(3)
    Traceback (most recent call last):
    ValueError: 3 is no list of hashtags
    """
    if isinstance(value, str):
        if is_missing(value):
            return None
        text = value.strip()
        return parse_hashtags(_list_in(text) if text[0] in "[{" else re.split(r"[\s,]+", text))
    if isinstance(value, list | tuple):
        names = [_hashtag_name(item).strip().lstrip("#＃").strip() for item in value if not is_missing(item)]
        return [name for name in names if name]
    if is_missing(value):
        return None
    raise ValueError(f"{shown(value)} is no list of hashtags")


def hashtags_in_caption(text: str) -> list[str]:
    """The hashtags that a caption holds, in order, without #.

    >>> hashtags_in_caption("so good #fun#dance, #xuhướng!")
    ['fun', 'dance', 'xuhướng']
    """
    return re.findall(CAPTION_HASHTAG, text)


def _list_in(text: str) -> list[object]:
    """A list written as JSON, or as Postgres writes an array: {a,b}."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = text[1:-1].replace('"', "").split(",") if text[0] == "{" and text[-1] == "}" else None
    if not isinstance(found, list):
        raise ValueError(f"{shown(text)} is no list of hashtags")
    return found


def _hashtag_name(item: object) -> str:
    if isinstance(item, str):
        return _whole(item)
    if isinstance(item, Mapping):
        named = (item.get(key) for key in ("name", "title", "hashtagName"))
        return _whole(next((name for name in named if isinstance(name, str) and name), ""))
    raise ValueError(f"{shown(item)} is no hashtag")


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON inside a text may hold as escapes."""
    return text if text.isascii() else text.encode(errors="replace").decode()
