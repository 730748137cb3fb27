"""The candidate beside the champion, over all and by group of videos, as a table."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tiercast.render.output import percent, shown

COLUMNS = ("test videos", "rows", "candidate", "beside it", "difference", "95 % interval")


def show_compared(console: Console, compared: Mapping[str, Any]) -> None:
    """Accuracy of both by group, and the difference in points with its interval."""
    rows = list(compared_rows(compared))
    if not rows:
        return
    whom = _whom(compared)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        told = whom if name == "beside it" else name
        table.add_column(told, justify="left" if name == COLUMNS[0] else "right", no_wrap=name != COLUMNS[0])
    for cells in rows:
        table.add_row(shown(cells[0]), *cells[1:])
    console.print(table)
    console.print()


def compared_rows(compared: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The cells of each group: name, rows, both accuracies, the difference in points and its interval."""
    for group in compared["groups"]:
        gained = group["gained"]
        yield (
            group["name"],
            f"{group['rows']:,}",
            percent(group["accuracy"]["value"]),
            percent(group["other"]["value"]),
            _points(gained["value"]),
            "" if gained["interval"] is None else " to ".join(map(_points, gained["interval"])),
        )


def compared_title(compared: Mapping[str, Any]) -> str:
    """Whose accuracy stands beside the candidate's."""
    return f"Accuracy by group of test videos, beside the {_whom(compared)}"


def _whom(compared: Mapping[str, Any]) -> str:
    champion = compared["champion"]
    return "champion" if champion and champion["paired"] else "commonest tier"


def _points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:+.1f}"
