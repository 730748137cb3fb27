"""What changed between two releases, as tables."""

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tiercast.flows.difference import Change, Difference
from tiercast.render.output import shown, stdout


def show_difference(difference: Difference) -> None:
    """One table a section, with what looks alike left out; --json has every digit."""
    console = stdout()
    a, b = difference.a[:12], difference.b[:12]
    if not any(difference.sections.values()):
        console.print(f"{a} and {b} do not differ in anything that a release records.")
        return
    for section, changes in difference.sections.items():
        rows = [row for change in changes if (row := _row(change, factors=section == "data"))]
        _table(console, (section, a, b, "factor" if section == "data" else ""), rows)
    if difference.incomparable:
        console.print(f"[yellow]note[/] {shown(difference.incomparable)}")


def _table(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        console.print(f"[bold]{names[0]}[/]: as before\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(shown, row))
    console.print(table)
    console.print()


def _row(change: Change, *, factors: bool) -> tuple[str, str, str, str] | None:
    if isinstance(change.a, list) and isinstance(change.b, list):
        lost, new = (_without(change.a, change.b), _without(change.b, change.a))
        return change.name, ", ".join(lost) or "-", ", ".join(new) or "-", ""
    a, b = _text(change.a), _text(change.b)
    factor = f"x {change.factor:.2f}" if factors and change.factor is not None else ""
    return None if a == b else (change.name, a, b, factor)


def _without(values: Sequence[object], others: Sequence[object]) -> list[str]:
    return [_text(value) for value in values if value not in others]


def _text(value: object) -> str:
    """A value as people read it: four digits of a number, the start of a hash, a measure with its interval."""
    if value is None:
        return "-"
    if isinstance(value, Mapping) and "value" in value:
        interval = value.get("interval")
        return _text(value["value"]) + (f" [{', '.join(map(_text, interval))}]" if interval else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text[:12] if re.fullmatch(r"[0-9a-f]{64}", text) else text
