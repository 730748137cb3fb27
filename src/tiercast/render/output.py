"""Where output goes: answers to standard output, everything about the way there to standard error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from tiercast.core.plain import plain
from tiercast.ports.runs import Progress as ProgressPort

LONGEST_WORK_SECONDS: Final = 3600.0
"""The time to go is told from the steps of the last hour: half a minute, as by default, sees none of the long ones."""


def stdout() -> Console:
    """For answers that people read; as wide as the terminal, 100 columns where there is none."""
    return Console(width=None if sys.stdout.isatty() else 100, highlight=False)


def shown(text: object) -> str:
    """The same for a table, where square brackets would be markup."""
    return escape(plain(text))


def percent(share: float | None) -> str:
    """A share as a percentage, or a dash."""
    return "-" if share is None else f"{share:.1%}"


def print_json(document: object) -> None:
    """Exactly one JSON document on standard output; NaN is refused, not printed."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


def warn(sentence: str) -> None:
    """A sentence about the way, on standard error."""
    sys.stderr.write(plain(sentence) + "\n")


class Silence:
    """A Progress that nobody watches."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""


class Bars:
    """A Progress as bars, one a stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def stage(self, name: str, total: int | None = None) -> None:
        """Finish the bar before and begin one."""
        self.finish()
        self._task = self._progress.add_task(name, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the bar on."""
        if self._task is not None:
            self._progress.advance(self._task, steps)

    def finish(self) -> None:
        """Fill the current bar."""
        if self._task is not None:
            task = next(task for task in self._progress.tasks if task.id == self._task)
            done = max(task.completed, 1)
            self._progress.update(self._task, total=task.total or done, completed=task.total or done)
            self._task = None


@contextmanager
def progress_bars(*, quiet: bool, to_go: bool = False) -> Iterator[ProgressPort]:
    """Bars on standard error while the work inside goes on; silence where only a document is wanted.

    Work of many steps alike also shows the time ``to_go``.
    """
    if quiet:
        yield Silence()
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(width=36, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *((TextColumn("to go"), TimeRemainingColumn()) if to_go else ()),
    )
    console, period = Console(stderr=True), LONGEST_WORK_SECONDS
    with Progress(*columns, console=console, speed_estimate_period=period) as progress:
        bars = Bars(progress)
        yield bars
        bars.finish()
