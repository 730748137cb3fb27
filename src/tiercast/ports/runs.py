"""Retrains: who may run, what is recorded and told of them, and who watches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One retraining as it is kept: the whole answer of ``retrain --json`` with its time."""

    run: str
    moment: Moment
    status: str
    started_at: datetime
    document: Mapping[str, object]


class RunKeeper(Protocol):
    """Where runs are written down, whatever their end."""

    def save(self, record: RunRecord) -> None:
        """Keep a run."""
        ...


class RunLog(RunKeeper, Protocol):
    """Past runs, kept and found again."""

    def recent(self, limit: int) -> list[RunRecord]:
        """The newest runs, newest first."""
        ...

    def get(self, run: str) -> RunRecord:
        """One run by its id or a unique prefix; raises Missing."""
        ...

    def of(self, retrain: str) -> list[RunRecord]:
        """The run of this very id, and those of its single moments (``ID-draft``), oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class InProgress:
    """The retrain that is under way, as its lease tells."""

    run: str
    holder: str
    """The process and its machine."""
    since: datetime
    """By the database's clock."""


class Lease(Protocol):
    """The right to retrain, which one run holds at a time."""

    def __enter__(self) -> "Lease":
        """Take the lease; raises Busy naming the run that holds it."""
        ...

    def ensure_held(self) -> None:
        """Raises Unavailable where the lease was lost: to another run, or to a person."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Give it back."""
        ...


class Slots(Protocol):
    """Times at which a schedule was due; of several servers, one has each."""

    def claim(self, slot: datetime, by: str) -> bool:
        """Whether nobody had this slot before; then it is ``by``'s."""
        ...

    def last(self) -> datetime | None:
        """The newest slot that somebody had."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a run that did not promote, for programs and for people."""

    run: str
    facts: Mapping[str, object]
    text: str
    """In Slack's markup."""


class Notifier(Protocol):
    """Somebody who wants to hear of retrains that did not promote."""

    def send(self, notice: Notice) -> None:
        """Tell of one run; raises Unavailable where it did not arrive."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """One step of a replay: the retrain as it would have been, and what grading it later takes."""

    at: datetime
    document: Mapping[str, object]
    """The whole answer of ``retrain --json``."""
    ungated: str | None
    """The candidate that a cron without a gate would have served from then on; None where none could be fitted."""
    entries: Mapping[int, bytes]
    """What the step added to the promotion log, by number."""
    arrays: Mapping[str, NDArray[np.float64]]
    """What was known of the rows to learn from: their views, and for forecasts what naive rivals need."""
    seconds: float


class ReplaySteps(Protocol):
    """The finished steps of one replay, each kept whole or not at all."""

    def finished(self) -> list[ReplayedStep]:
        """Those kept so far, oldest first."""
        ...

    def save(self, step: ReplayedStep) -> None:
        """Keep a step; raises Unavailable."""
        ...


class Progress(Protocol):
    """Somebody who watches: a bar on a terminal, or nobody."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins, of ``total`` steps where that is known."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Some steps of it are done."""
        ...
