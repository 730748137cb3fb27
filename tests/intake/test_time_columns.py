"""Many times read as a column say what each says alone."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from tiercast.intake.reading import Reading
from tiercast.intake.times import MANY, read_times

AS_WRITTEN = [
    "2025-06-01T10:00:00Z", "2025-06-01 10:00:00+00:00", "2025-06-01T10:00:00.123456",
    "2025-06-01T10:00:00.5Z", "2025-06-01T10:00:00+0000", "2025-06-01T10:00:00+02:00",
    "2025-06-01T10:00:00.1234567Z", "2025-06-01t10:00:00z", " 2025-06-01T10:00:00Z",
    "2025-06-01T10:00:00 UTC", "2025-06-01", "20250601", "2025-06-01T10:00", "1748772000",
    "2025-02-29T10:00:00Z", "2024-02-29T10:00:00Z", "2025-06-01T24:00:00Z", "2025-06-01T23:59:60Z",
    "2025-06-31 00:00:00", "2025-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2004-12-31T23:59:59.999999Z", "2005-01-01T00:00:00Z",
    "2025-06-01T10:00:00.Z", "２025-06-01T10:00:00Z", "2025-06-01T10:00:00Z\n", "", "null", "soon",
]  # fmt: skip
ANY_TIME = st.datetimes(datetime(1990, 1, 1), datetime(9999, 12, 31)).map(datetime.isoformat)
CHANGED = st.tuples(st.sampled_from(AS_WRITTEN) | ANY_TIME, st.integers(0, 30), st.sampled_from("0159-:.TZ+ x")).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)
TEXTS = st.none() | st.sampled_from(AS_WRITTEN) | ANY_TIME | CHANGED


def said(read: Reading, row: int) -> tuple[datetime | None, bool, bool]:
    """The time, whether it is unreadable, whether only its day is stated."""
    bad = read.bad is not None and bool(read.bad[row])
    day = read.date_only is not None and bool(read.date_only[row])
    return read.values[row], bad, day


@given(st.lists(TEXTS, min_size=1, max_size=12))
@example([*AS_WRITTEN, None])
def test_many_times_say_what_each_says_alone(texts: list[str | None]) -> None:
    column = pl.Series("published_at", texts * MANY, dtype=pl.String)
    read = read_times(column)
    assert (read.values.name, read.values.dtype) == ("published_at", pl.Datetime("us", "UTC"))
    for row, text in enumerate(texts):
        alone = said(read_times(pl.Series("published_at", [text], dtype=pl.String)), 0)
        assert said(read, row) == said(read, row + len(texts)) == alone, text


def test_times_as_programs_write_them_are_read_as_a_column() -> None:
    read = read_times(pl.Series("published_at", ["2025-06-01T10:00:00.5Z"] * MANY))
    assert read.bad is read.date_only is None
    assert read.values.unique().to_list() == [datetime(2025, 6, 1, 10, 0, 0, 500_000, tzinfo=UTC)]
