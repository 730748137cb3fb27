"""Evidence that every check passes, so that a test spoils one part of it and sees who notices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Final

from tiercast.checks.evidence import (
    Bars,
    CandidateEvidence,
    ChampionFacts,
    Comparison,
    DataEvidence,
    EdgeHistory,
    FeatureAlone,
    Group,
    Newest,
    ServedMissing,
    ServingEvidence,
)
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.gate_settings import Gate
from tiercast.learn.bootstrap import Bounds
from tiercast.learn.confidence import ConfidentPart
from tiercast.learn.metrics import Evaluation, Measure, TierReport
from tiercast.learn.paired import Difference, Paired

NOW: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
BELOW: Final = 1e-6
"""Just below a bar, and far outside of the one part in 10**9 within which it is met."""
BARS: Final[Bars] = replace(
    Gate().bars(Moment.DRAFT),
    min_accuracy=0.40,
    cool_down_hours=24,
)
"""Bars of which none is unset, so that every check asks."""
CHAMPION: Final = ChampionFacts(
    "c0ffee" * 10 + "c0ff", "views", ("like_rate", "share_rate"), {"like_rate": 0.7, "share_rate": 0.0},
    usually_known=("like_rate", "share_rate"),
)  # fmt: skip
GIVEN: Final = replace(CHAMPION, label="given")


def bounds(lower: float, upper: float | None = None) -> Bounds:
    """Bounds a tenth wide, or up to ``upper``."""
    upper = lower + 0.1 if upper is None else upper
    return Bounds(lower, upper, (lower - 0.01, upper + 0.01))


def difference(
    lower: float, upper: float | None = None, *, strict: float | None = None, strict_upper: float | None = None
) -> Difference:
    """A difference between two bounds at 95 %; those at 99 % are the same where not given."""
    found = bounds(lower, upper)
    low = lower if strict is None else strict
    high = found.upper if strict_upper is None else strict_upper
    return Difference((lower + found.upper) / 2, lower, found.upper, low, high, found.interval)


def pair(
    accuracy: Difference | None, log_loss: Difference | None, calibration: Difference | None = None,
    *, rows: int = 1_600, creators: int = 400,
) -> Paired:  # fmt: skip
    """A comparison measure by measure."""
    return Paired(rows, creators, accuracy, log_loss, calibration)


CALM: Final = bounds(-0.01)


def evaluation(
    accuracy: float | None = 0.45, *, recalls: tuple[float | None, ...] = (0.5, 0.6, 0.7, 0.8, 0.9),
    within_one: float | None = 0.80, error: float | None = 0.03, chance: float | None = 0.02,
    excess: Bounds | None = CALM, rows: int = 1_600,
) -> Evaluation:  # fmt: skip
    """How a candidate did: known intervals are two points to either side."""

    def measure(value: float | None) -> Measure:
        return Measure(value, None if value is None or isnan(value) else (value - 0.02, value + 0.02))

    metrics = {
        "accuracy": measure(accuracy),
        "within_one": measure(within_one),
        "expected_calibration_error": Measure(error),
        "calibration_error_by_chance": Measure(chance),
    }
    reports = tuple(TierReport(tier, 0.5, recall, 300) for tier, recall in enumerate(recalls, 1))
    known = {} if accuracy is None or isnan(accuracy) else {"accuracy": bounds(accuracy - 0.018, accuracy + 0.018)}
    return Evaluation(rows, metrics, (), reports, known | ({} if excess is None else {"calibration_excess": excess}))


def group(name: str, proven: float | None, *, rows: int = 300) -> Group:
    """A part of the test rows that lost at most ``-proven``."""
    return Group(
        name, rows, Measure(0.44, (0.38, 0.50)), Measure(0.45, (0.39, 0.51)), Measure(-0.01, (-0.06, 0.04)), proven
    )


def alone(name: str, accuracy: float | None, lower: float | None) -> FeatureAlone:
    """What one feature tells by itself."""
    interval = None if lower is None or accuracy is None else (lower - 0.01, accuracy + 0.03)
    return FeatureAlone(name, Measure(accuracy, interval), lower)


EQUAL: Final = pair(difference(-0.005, 0.02), difference(-0.004, 0.03), difference(-0.01, 0.01))
BESIDE: Final = Comparison(CHAMPION.release, EQUAL, left_out=12)
PART: Final = ConfidentPart(0.55, 400, 0.25, Measure(0.66, (0.61, 0.71)), 0.62)

DATA: Final = DataEvidence(
    usable_videos=2_000,
    min_videos=500,
    source="the video store",
    label="views",
    training_tiers=(320, 320, 320, 320, 320),
    test_tiers=(80, 80, 80, 80, 80),
    all_missing=(),
    champion=CHAMPION,
    bars=BARS,
    validation_cuts=4,
    zero_shares={"like_rate": 0.80, "share_rate": 0.01},
    newest_zero_shares={"like_rate": 0.95, "share_rate": 0.0},
    newest_week_rows=300,
    edges=EdgeHistory((12, 105, 1_100, 11_000), ((9, 99, 999, 9_999), (10, 101, 1_050, 10_500))),
    newest=Newest(NOW - timedelta(days=1), NOW),
)
FIRST_DATA: Final = replace(DATA, champion=None, edges=EdgeHistory((10, 20, 30, 40), ()), newest_zero_shares={})
"""What the data checks see before the first promotion."""

CANDIDATE: Final = CandidateEvidence(
    moment=Moment.DRAFT,
    label="views",
    evaluation=evaluation(),
    rivals={"majority": evaluation(0.2), "creators_usual": evaluation(0.4)},
    bars=BARS,
    rehearsal_difference=0.0,
    rehearsal_problem=None,
    champion=CHAMPION,
    over_rivals={
        "majority": pair(difference(0.1, 0.2), difference(0.3)),
        "creators_usual": pair(difference(-0.02, 0.08), difference(0.05)),
    },
    confident=PART,
    beside_champion=BESIDE,
    beside_best=Comparison("beef" * 16, EQUAL),
    groups=(group("platform tiktok", 0.01), group("newest week", -0.005), group("followers under 1k", None, rows=40)),
    features_alone=(alone("hour_posted", 0.22, 0.20), alone("creator_recent", 0.38, 0.35)),
    served=ServedMissing(5_000, {"caption_length": 0.10, "duration": 0.06}, {"caption_length": 0.20, "duration": 0.05}),
)
FIRST_CANDIDATE: Final = replace(CANDIDATE, champion=None, beside_champion=None, beside_best=None, served=None)
"""What the candidate checks see before the first promotion."""
OF_GIVEN_LABELS: Final = replace(CANDIDATE, label="given", champion=GIVEN)

SERVING: Final = ServingEvidence(
    candidate="ace" * 21 + "a",
    now=NOW,
    bars=BARS,
    pinned=None,
    withdrawn={},
    last_promoted_at=NOW - timedelta(days=7),
)


def entry(action: str, release: str, *, previous: str | None = None, reason: str = "odd scores") -> Promotion:
    """An entry of the log as a person wrote it."""
    return Promotion(
        number=3,
        moment=Moment.DRAFT,
        action=action,  # type: ignore[arg-type]
        release=release,
        previous=previous,
        manifest_sha256=release,
        verdict=None,
        findings=(),
        actor="ben@office",
        reason=reason,
        run=None,
        at=NOW - timedelta(hours=5),
        token="t",
    )
