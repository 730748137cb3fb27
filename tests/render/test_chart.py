"""The geometry of a line chart: within the frame, broken where nothing is known, the band around its line."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tiercast.render.chart import Line, chart

SHARES = st.one_of(st.none(), st.floats(0, 1))


def days(count: int) -> list[datetime]:
    return [datetime(2026, 1, 5, tzinfo=UTC) + number * timedelta(days=7) for number in range(count)]


def numbers(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in points.split())]


@given(st.lists(SHARES, min_size=1, max_size=60))
def test_every_known_value_is_one_point_within_the_frame(values: list[float | None]) -> None:
    made = chart(days(len(values)), [Line("a", "a", values)], [("held", "")] * len(values))
    points = [point for _, pieces in made.lines for piece in pieces for point in numbers(piece)]
    assert len(points) == sum(value is not None for value in values)
    for x, y in points:
        assert made.left <= x <= made.right
        assert 0 <= y <= made.floor + 0.1
    assert len(made.marks) == len(values)
    assert len(made.dates) <= 7
    assert 2 <= len(made.grid) <= 12


def test_a_line_is_broken_where_nothing_is_known() -> None:
    made = chart(days(5), [Line("a", "a", [0.1, 0.2, None, 0.3, 0.4])], [("held", "")] * 5)
    assert [len(numbers(piece)) for piece in made.lines[0][1]] == [2, 2]


def test_the_band_lies_around_its_line() -> None:
    band = [(0.4, 0.6), None, (0.5, 0.7)]
    made = chart(days(3), [Line("a", "a", [0.5, 0.55, 0.6], band)], [("held", "")] * 3)
    (kind, points), line = made.bands[0], numbers(made.lines[0][1][0])
    corners = numbers(points)
    assert (kind, len(corners)) == ("a", 4)
    assert corners[0][1] < line[0][1] < corners[3][1]
    assert corners[1][1] < line[2][1] < corners[2][1]


def test_higher_shares_stand_higher() -> None:
    made = chart(days(2), [Line("a", "a", [0.2, 0.3])], [("held", "")] * 2)
    (first, last) = numbers(made.lines[0][1][0])
    assert last[0] > first[0]
    assert last[1] < first[1]
