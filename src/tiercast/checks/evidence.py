"""What the gate may look at: gathered by the flow, frozen, judged by the checks."""

from dataclasses import dataclass
from typing import Final, Protocol

from tiercast.core.findings import Finding
from tiercast.core.release import Label
from tiercast.learn.metrics import Evaluation

REHEARSAL_ROWS: Final = 32
REHEARSAL_TOLERANCE: Final = 1e-9
"""The same bytes on the same machine give the same floats; this allows for a matrix product split otherwise."""


@dataclass(frozen=True, slots=True)
class ChampionFacts:
    """What the gate needs to know of the release that serves now."""

    release: str
    label: Label
    relied_on: tuple[str, ...]
    """Features that were free and not all-missing in its training."""


@dataclass(frozen=True, slots=True)
class DataEvidence:
    """What is known before any candidate is fitted."""

    usable_videos: int
    min_videos: int
    source: str
    """Where the rows came from, in words: the video store, or the fallback file."""
    label: Label
    training_tiers: tuple[int, ...]
    """Training rows of each tier; empty where there are too few videos to cut tiers at all."""
    test_tiers: tuple[int, ...]
    all_missing: tuple[str, ...]
    champion: ChampionFacts | None


@dataclass(frozen=True, slots=True)
class CandidateEvidence:
    """What is known of the candidate once it is fitted, judged on test rows and rehearsed."""

    label: Label
    evaluation: Evaluation
    majority: Evaluation
    min_accuracy: float
    rehearsal_difference: float | None
    """Largest difference of any probability between the fitted model and a fresh process; None: not answered."""
    rehearsal_problem: str | None
    champion: ChampionFacts | None


class DataCheck(Protocol):
    """A question put to the data."""

    code: str
    title: str
    why: str

    def judge(self, evidence: DataEvidence) -> Finding:
        """The answer, never without the evidence it rests on."""
        ...


class CandidateCheck(Protocol):
    """A question put to the candidate."""

    code: str
    title: str
    why: str

    def judge(self, evidence: CandidateEvidence) -> Finding:
        """The answer, never without the evidence it rests on."""
        ...
