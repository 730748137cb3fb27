"""What the gate may look at: gathered by the flow, frozen, judged by the checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tiercast.core.findings import Finding
from tiercast.core.moments import Moment
from tiercast.core.release import Label
from tiercast.learn.bootstrap import Bounds
from tiercast.learn.confidence import ConfidentPart
from tiercast.learn.metrics import Evaluation

REHEARSAL_ROWS: Final = 32
REHEARSAL_TOLERANCE: Final = 1e-9
"""The same bytes on the same machine give the same floats; this allows for a matrix product split otherwise."""


@dataclass(frozen=True, slots=True)
class Bars:
    """What a candidate of one moment has to reach; the settings under ``gate``."""

    min_accuracy: float | None = 0.60
    """None: no floor on all predictions; the confident part has one."""
    min_confident_accuracy: float = 0.60
    min_confident_rows: int = 200
    min_coverage: float = 0.20
    min_within_one: float = 0.75
    max_calibration_error: float = 0.05


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
    validation_cuts: int | None = None
    """Blocks of time in which training rows can judge each other; None where folds are not cut by time."""
    shortage: str | None = None
    """Why there are not more, and what helps; None where the label's own advice fits."""


@dataclass(frozen=True, slots=True)
class CandidateEvidence:
    """What is known of the candidate once it is fitted, judged on test rows and rehearsed."""

    moment: Moment
    label: Label
    evaluation: Evaluation
    rivals: Mapping[str, Evaluation]
    """Naive forecasts of the same rows; ``majority`` is always one of them."""
    bars: Bars
    rehearsal_difference: float | None
    """Largest difference of any probability between the fitted model and a fresh process; None: not answered."""
    rehearsal_problem: str | None
    champion: ChampionFacts | None
    over_rivals: Mapping[str, Mapping[str, Bounds | None]] = field(default_factory=dict)
    """By rival: bounds by creator of its log loss less the candidate's, and of the candidate's accuracy less its."""
    confident: ConfidentPart | None = None
    """The test rows at or above the confidence threshold; None where none was found."""


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
