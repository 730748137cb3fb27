"""What the gate may look at: gathered by the flow, frozen, judged by the checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from tiercast.core.findings import Finding
from tiercast.core.moments import Moment
from tiercast.core.release import Label, Promotion

if TYPE_CHECKING:  # settings know the checks, and no command should load scikit-learn to read its settings
    from tiercast.learn.confidence import ConfidentPart
    from tiercast.learn.metrics import Evaluation, Measure
    from tiercast.learn.paired import Paired

REHEARSAL_ROWS: Final = 32
REHEARSAL_TOLERANCE: Final = 1e-9
"""The same bytes on the same machine give the same floats; this allows for a matrix product split otherwise."""


@dataclass(frozen=True, slots=True)
class Bars:
    """What a candidate of one moment has to reach; see ``gate_settings`` for units, defaults and reasons.

    Where a bar is None its check asks nothing, which is no pass.
    """

    max_zero_jump: float
    max_edge_factor: float
    max_newest_age_days: float
    min_accuracy: float | None
    min_recall: float
    min_confident_accuracy: float | None
    min_confident_rows: int
    min_coverage: float
    min_within_one: float | None
    max_calibration_error: float | None
    accuracy_margin: float
    log_loss_margin: float
    min_compared_rows: int
    min_compared_creators: int
    slice_margin: float
    min_slice_rows: int
    max_calibration_loss: float
    max_accuracy: float
    max_feature_accuracy: float
    max_missing_jump: float
    cool_down_hours: float


@dataclass(frozen=True, slots=True)
class ChampionFacts:
    """What the gate needs to know of the release that serves now."""

    release: str
    label: Label
    relied_on: tuple[str, ...]
    """Features that were free and not all-missing in its training."""
    zero_shares: Mapping[str, float] = field(default_factory=dict)
    """Share of its training rows on which a feature was zero, where it recorded that."""
    same_rows: bool = False
    """Whether it learned from and was tested on exactly the rows of this run."""
    same_settings: bool = False
    """Whether settings and libraries are those of this run too."""
    usually_known: tuple[str, ...] = ()
    """Features relied on that most of its training rows had."""


@dataclass(frozen=True, slots=True)
class EdgeHistory:
    """Tier edges of all videos, today and in the releases that were promoted, oldest first."""

    today: tuple[int, ...]
    before: tuple[tuple[int, ...], ...]
    weeks: float = 1.0
    """Since the last promotion; a shorter time counts as a week."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest video of the store and the time of the run."""

    video_at: datetime
    now: datetime

    @property
    def age_days(self) -> float:
        """How long ago that video was posted."""
        return (self.now - self.video_at).total_seconds() / 86_400


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
    bars: Bars
    validation_cuts: int | None = None
    """Blocks of time in which training rows can judge each other; None where folds are not cut by time."""
    shortage: str | None = None
    """Why there are not more, and what helps; None where the label's own advice fits."""
    newly_missing: tuple[str, ...] = ()
    """Features unknown on nearly every training row, or on nearly every video of the newest week."""
    zero_shares: Mapping[str, float] = field(default_factory=dict)
    """Share of the training rows on which each feature is zero."""
    newest_zero_shares: Mapping[str, float] = field(default_factory=dict)
    """The same of the newest week; empty where it holds too few videos to tell."""
    newest_week_rows: int = 0
    edges: EdgeHistory | None = None
    """None where labels were given, or no model of views was promoted yet."""
    newest: Newest | None = None
    """None where no video is dated."""

    @property
    def training_rows(self) -> int:
        """Rows of the training part."""
        return sum(self.training_tiers)


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the rows on which the candidate was compared, such as one platform."""

    name: str
    rows: int
    accuracy: "Measure"
    """The candidate's."""
    other: "Measure"
    """The champion's, or where nobody serves the majority's."""
    gained: "Measure"
    """The candidate's less the other's, by video."""
    proven: float | None
    """The candidate is at most this much more accurate, with 95 % confidence over all groups; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate beside a release that serves or served, on rows that neither has learned from."""

    release: str
    paired: "Paired | None"
    """None where there was nothing to compare: ``problem`` says why."""
    left_out: int = 0
    """Test rows that were left out, because the other release had learned from them or from newer ones."""
    problem: str | None = None
    excused: str | None = None
    """Why it need not be, in words."""


@dataclass(frozen=True, slots=True)
class FeatureAlone:
    """How often one feature by itself names the right tier of the test rows."""

    name: str
    accuracy: "Measure"
    lower_bound: float | None
    """One-sided, 95 %, by creator."""


@dataclass(frozen=True, slots=True)
class ServedMissing:
    """How often the inputs of each feature that the candidate uses were unknown: in training, and in recent use."""

    predictions: int
    training_shares: Mapping[str, float]
    served_shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CandidateEvidence:
    """What is known of the candidate once it is fitted, judged on test rows and rehearsed."""

    moment: Moment
    label: Label
    evaluation: "Evaluation"
    rivals: Mapping[str, "Evaluation"]
    """Naive forecasts of the same rows; ``majority`` is always one of them."""
    bars: Bars
    rehearsal_difference: float | None
    """Largest difference of any probability between the fitted model and a fresh process; None: not answered."""
    rehearsal_problem: str | None
    champion: ChampionFacts | None
    over_rivals: Mapping[str, "Paired"] = field(default_factory=dict)
    """The candidate beside each rival."""
    confident: "ConfidentPart | None" = None
    """The test rows at or above the confidence threshold; None where none was found."""
    beside_champion: Comparison | None = None
    """None where no champion of the same label serves."""
    beside_best: Comparison | None = None
    """None where the champion is the best release kept."""
    groups: tuple[Group, ...] = ()
    """Parts of the test rows beside the champion, else beside the majority."""
    features_alone: tuple[FeatureAlone, ...] = ()
    served: ServedMissing | None = None
    """None where nobody was served, as in a replay."""


@dataclass(frozen=True, slots=True)
class ServingEvidence:
    """What people and time say about a promotion, whatever the candidate is worth."""

    candidate: str
    now: datetime
    bars: Bars
    pinned: Promotion | None
    withdrawn: Mapping[str, Promotion]
    """Releases that people took out of service, with the entries that did."""
    last_promoted_at: datetime | None
    unreadable: tuple[int, ...] = ()
    """Entries of the promotion log of which nobody knows what they say."""
    newest: int = 0
    """The highest number of the log."""


Evidence_contra = TypeVar("Evidence_contra", contravariant=True)


class Check(Protocol[Evidence_contra]):
    """A question: what it is called, why it matters, and the answer that some evidence gives."""

    code: str
    title: str
    why: str

    def judge(self, evidence: Evidence_contra) -> Finding:
        """The answer, never without the evidence it rests on."""
        ...
