"""The doctor's answers as a list."""

from collections.abc import Sequence

from tiercast.flows.doctor import Answer
from tiercast.render.output import shown, stdout


def show_answers(answers: Sequence[Answer]) -> None:
    """One part a line: ok or not ok, and what it said."""
    console = stdout()
    for answer in answers:
        mark = "[green]ok    [/]" if answer.ok else "[red]not ok[/]"
        console.print(f"{mark} {answer.name:<12} {shown(answer.detail)}")
