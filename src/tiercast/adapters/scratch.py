"""What a replay uses in place of a team's own log, runs, lease and fresh process: all in memory, all its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Release, verify_release
from tiercast.learn.models import Inputs
from tiercast.learn.predictor import Predictor
from tiercast.ports.models import Question
from tiercast.ports.runs import RunRecord


class MemoryLog:
    """A PromotionLog that ends with the process; whoever wants it to last keeps its entries."""

    name: Literal["objects", "postgres"] = "objects"

    def __init__(self) -> None:
        self._entries: dict[tuple[Moment, int], bytes] = {}

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        """Write entry ``number`` unless it exists; True when this call wrote it."""
        taken = (moment, number) in self._entries
        self._entries.setdefault((moment, number), entry)
        return not taken

    def numbers(self, moment: Moment) -> list[int]:
        """Every number in the log, ascending."""
        return sorted(number for of, number in self._entries if of == moment)

    def read(self, moment: Moment, number: int) -> bytes:
        """One entry; raises Missing."""
        if (moment, number) not in self._entries:
            raise Missing(f"The replay's promotion log has no entry {number} for {moment}.")
        return self._entries[moment, number]


class ForgottenRuns:
    """A RunKeeper that keeps nothing: the replay's own steps say what became of each run."""

    def save(self, record: RunRecord) -> None:
        """Forget it."""


class FreeLease:
    """A Lease that nobody else could want."""

    def __init__(self, run: str = "") -> None:
        self.run = run

    def __enter__(self) -> "FreeLease":
        """Take it."""
        return self

    def ensure_held(self) -> None:
        """It is."""

    def __exit__(self, *exc: object) -> None:
        """Give it back."""


class NoRejects:
    """A RejectFile that nothing is written to, for nothing is ingested."""

    def write(self, label: str, lines: Iterable[Mapping[str, object]]) -> str:  # noqa: ARG002
        """Nowhere."""
        return "nowhere"

    def erase(self, *, author: str | None, video_id: str | None) -> int:  # noqa: ARG002
        """Nothing."""
        return 0


class InProcess:
    """A Rehearsal that loads the staged bytes as a server would, in this very process, and shows them to somebody.

    A process of its own for each of fifty steps would take longer than their training; what is loaded and what is
    asked is the same.
    """

    def __init__(self, shown: Callable[[Release], None]) -> None:
        self._shown = shown

    def predict(self, release: Release, question: Question) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) from the bytes alone."""
        self._shown(release)
        loaded = Predictor.of(verify_release(release.id, release.manifest_bytes, release.files))
        return loaded.blend.probabilities(Inputs(question.X, question.edges, question.start))

    def close(self) -> None:
        """Nothing to end."""
