"""A line chart as plain SVG: shares over time, no script and no library."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor
from typing import Final

WIDTH, HEIGHT = 900, 340
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 12, 52
STEP: Final = 0.05
"""Between two lines of the grid; doubled where there would be more than ten."""
MOST_LINES: Final = 10
DATES: Final = 7
"""Dates below the axis; more would touch."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, its class in the style sheet, and a share at each time, or None where there is none."""

    name: str
    kind: str
    values: Sequence[float | None]
    band: Sequence[tuple[float, float] | None] | None = None
    """An interval around each value."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Geometry in the units of the view box; the template only writes it down."""

    lines: Sequence[tuple[Line, list[str]]]
    """Each with its unbroken pieces, as the points of a polyline."""
    bands: Sequence[tuple[str, str]]
    """Class and points of each filled interval."""
    grid: Sequence[tuple[float, str]]
    dates: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str, str]]
    """Place, class and title of what happened at each time."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def chart(times: Sequence[datetime], lines: Sequence[Line], marks: Sequence[tuple[str, str]]) -> Chart:
    """Lines over these times, and for each time a mark (class, title) below the axis.

    >>> from datetime import UTC
    >>> days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    >>> made = chart(days, [Line("a", "a", [0.5, None, 0.6])], [("held", "")] * 3)
    >>> [label for _, label in made.grid]
    ['50 %', '55 %', '60 %']
    """
    low, high, step = _range(lines)

    def x(number: int) -> float:
        whole = (times[-1] - times[0]).total_seconds() or 1.0
        share = (times[number] - times[0]).total_seconds() / whole if len(times) > 1 else 0.5
        return round(LEFT + 14 + share * (WIDTH - LEFT - RIGHT - 28), 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - (share - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    def points(line: Line) -> list[str]:
        pieces: list[list[str]] = [[]]
        for number, value in enumerate(line.values):
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append(f"{x(number)},{y(value)}")
        return [" ".join(piece) for piece in pieces if piece]

    def band(line: Line) -> str:
        known = [(x(number), each) for number, each in enumerate(line.band or ()) if each is not None]
        above = [f"{at},{y(high)}" for at, (_, high) in known]
        return " ".join(above + [f"{at},{y(low)}" for at, (low, _) in reversed(known)])

    count = round((high - low) / step)
    grid = [(y(low + number * step), f"{100 * (low + number * step):.0f} %") for number in range(count + 1)]
    every = max(1, ceil(len(times) / DATES))
    return Chart(
        lines=[(line, points(line)) for line in lines],
        bands=[(line.kind, band(line)) for line in lines if line.band],
        grid=grid,
        dates=[(x(number), f"{times[number]:%Y-%m-%d}") for number in range(0, len(times), every)],
        marks=[(x(number), kind, title) for number, (kind, title) in enumerate(marks)],
    )


def _range(lines: Sequence[Line]) -> tuple[float, float, float]:
    """Lowest and highest share shown, and the distance of the grid."""
    shown = [value for line in lines for value in line.values if value is not None]
    shown += [end for line in lines for ends in line.band or () if ends is not None for end in ends]
    if not shown:
        return 0.0, 1.0, 0.2
    step = STEP if max(shown) - min(shown) <= MOST_LINES * STEP else 2 * STEP
    low, high = floor(min(shown) / step + 1e-9) * step, ceil(max(shown) / step - 1e-9) * step
    return low, high if high > low else low + step, step
