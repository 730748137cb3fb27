"""The doctor's answers as a list."""

from collections.abc import Sequence

from rich.markup import escape

from tiercast.flows.doctor import Answer
from tiercast.render.output import stdout


def show_answers(answers: Sequence[Answer]) -> None:
    """One part a line: ok or not ok, and what it said."""
    console = stdout()
    for answer in answers:
        mark = "[green]ok    [/]" if answer.ok else "[red]not ok[/]"
        console.print(f"{mark} {answer.name:<12} {escape(answer.detail)}")
