"""What a run has to say for itself, and the one document that every outlet shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from tiercast.core.errors import Unavailable, is_interruption
from tiercast.core.findings import Finding, Outcome, Verdict
from tiercast.core.moments import Moment
from tiercast.learn.features import FEATURES, Needs
from tiercast.learn.history import EMBARGO_DAYS
from tiercast.ports.runs import RunKeeper, RunRecord

if TYPE_CHECKING:  # a server records the failures of its retrains, and should not load what trains for it
    from tiercast.flows.candidates import CandidateLine
    from tiercast.flows.comparison import Beside
    from tiercast.flows.evaluation import Judged, Slice
    from tiercast.flows.forecast_set import Assembly
    from tiercast.flows.order import Order
    from tiercast.flows.training_set import Source
    from tiercast.learn.confidence import ConfidentPart
    from tiercast.learn.metrics import Evaluation

Status = Literal["promoted", "held", "rejected", "failed"]

STATUS_OF: Final[dict[Verdict, Status]] = {
    Verdict.PROMOTE: "promoted",
    Verdict.HOLD: "held",
    Verdict.REJECT: "rejected",
}
STAGES: Final = ("query", "features", "train", "evaluate", "gate", "publish")


@dataclass(frozen=True, slots=True)
class RunReport:
    """One retraining, whatever its end; what was not reached is null."""

    run: str
    moment: Moment
    status: Status
    source: Source
    reason: str
    started_at: datetime
    dry_run: bool = False
    videos: int = 0
    tier_distribution: tuple[int, ...] | None = None
    tier_edges: tuple[int, ...] | None = None
    judged: Judged | None = None
    beside: Beside | None = None
    """The candidate beside the champion and the best release kept."""
    findings: Sequence[Finding] = ()
    candidates: Sequence[CandidateLine] = ()
    held_features: Mapping[str, float] = field(default_factory=dict)
    assembly: Assembly | None = None
    """How a forecast came by its labels and history; None for ``observed``."""
    candidate: str | None = None
    champion_before: str | None = None
    champion_after: str | None = None
    newest_training_video_at: str | None = None
    warnings: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        """The answer of ``retrain --json``; unknown numbers are null, never NaN."""
        evaluation = self.judged.candidate if self.judged else None
        accuracy = evaluation.accuracy if evaluation else None
        return {
            "run": self.run,
            "moment": self.moment.value,
            "status": self.status,
            "source": self.source,
            "reason": self.reason,
            "started_at": self.started_at.isoformat(),
            "dry_run": self.dry_run,
            "videos": self.videos,
            "tier_distribution": self.tier_distribution,
            "tier_edges": self.tier_edges,
            "train_accuracy": self.judged.train_accuracy if self.judged else None,
            "test_accuracy": accuracy.value if accuracy else None,
            "test_accuracy_interval": accuracy.interval if accuracy else None,
            "confusion_matrix": evaluation.confusion_matrix if evaluation else None,
            "per_tier": [asdict(tier) for tier in evaluation.per_tier] if evaluation else None,
            "findings": [asdict(finding) for finding in self.findings],
            "metrics": _metrics(evaluation),
            "rivals": _rivals(self.judged.rivals) if self.judged else None,
            "candidates": [asdict(line) for line in self.candidates],
            "held_features": dict(self.held_features),
            "confident": confident_document(self.judged),
            **_forecast_document(self.judged, self.assembly),
            "candidate": self.candidate,
            "compared": _compared(self.beside),
            "champion_before": self.champion_before,
            "champion_after": self.champion_after,
            "newest_training_video_at": self.newest_training_video_at,
            "warnings": list(self.warnings),
            "seconds": {stage: self.seconds.get(stage) for stage in (*STAGES, "total")},
        }


def objections(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings of a run's document that stood in the way, as they stand there; none where it has no findings.

    >>> failed = {"code": "C201", "outcome": "fail", "observed": 0.4, "required": 0.6}
    >>> [each["code"] for each in objections({"findings": [failed, {**failed, "code": "C208", "demoted": True}]})]
    ['C201']
    """
    return [each for each in document.get("findings") or () if _finding(each).objects]


def _finding(told: Mapping[str, Any]) -> Finding:
    """A finding as far as it says whether it objects; older documents lack ``demoted``."""
    figures = (told.get("observed"), told.get("required"))
    demoted = bool(told.get("demoted"))
    return Finding(told["code"], "", Outcome(told["outcome"]), *figures, explanation="", demoted=demoted)


def _compared(beside: Beside | None) -> dict[str, object] | None:
    """The candidate less the champion and less the best release kept, by measure; and both by group of videos."""
    return None if beside is None else asdict(beside)


def _rivals(rivals: Mapping[str, Evaluation]) -> dict[str, object]:
    """Every rival's metrics; ``creators_usual`` is null where the moment knows no history."""
    return {"creators_usual": None, **{name: _metrics(evaluation) for name, evaluation in rivals.items()}}


def confident_document(judged: Judged | None) -> dict[str, object] | None:
    """The test rows that are called confident; null where no threshold was found."""
    part = judged.confident if judged else None
    return None if part is None else _part(part)


def _part(part: ConfidentPart) -> dict[str, object]:
    return {
        "threshold": part.threshold,
        "coverage": part.coverage,
        "rows": part.rows,
        "accuracy": asdict(part.accuracy),
    }


def _forecast_document(judged: Judged | None, assembly: Assembly | None) -> dict[str, object]:
    """What only a forecast has to say: labels, history, slices, curves, and what an embargo on history costs."""
    return {
        "marks": list(assembly.marks) if assembly else [],
        "features": _features(assembly),
        "labels": _labels(assembly) if assembly else None,
        "slices": [_slice(each) for each in judged.slices] if judged else [],
        "coverage_curve": [_part(part) for part in judged.curve] if judged else [],
        "learning_curve": [
            {"rows": rows, "accuracy": accuracy, "log_loss": loss}
            for rows, accuracy, loss in (judged.learning_curve if judged else ())
        ],
        "embargoed": (
            {"days": EMBARGO_DAYS, "metrics": _metrics(judged.embargoed)} if judged and judged.embargoed else None
        ),
    }


def _labels(assembly: Assembly) -> dict[str, object]:
    split, matures_at = assembly.split, assembly.first_matures_at
    return {
        "candidates": assembly.candidates,
        "labelled": assembly.labelled,
        "unlabelled": assembly.candidates - assembly.labelled,
        "how": dict(assembly.how),
        "history": assembly.history,
        "history_known": assembly.known_history,
        "history_there": assembly.earlier_posts,
        "known_at": split.rule if split else None,
        "training_rows_strict": split.left_strict if split else None,
        "training_rows_as_scraped": split.left_as_scraped if split else None,
        "age_days": {side: list(ages) for side, ages in (assembly.label_age_days or {}).items()},
        "first_matures_at": matures_at.isoformat() if matures_at else None,
    }


def _features(assembly: Assembly | None) -> list[dict[str, object]]:
    """For each feature the share of training rows that lacked it, and whether it rests on history as of scrape."""
    if assembly is None or assembly.training_set is None:
        return []
    shares = assembly.training_set.missing_shares().tolist()
    return [
        {
            "name": feature.name,
            "needs": feature.needs.value,
            "missing_share": share,
            "as_scraped": assembly.history == "as_scraped" and feature.needs is Needs.HISTORY,
        }
        for feature, share in zip(FEATURES[assembly.moment], shares, strict=True)
    ]


def _slice(part: Slice) -> dict[str, object]:
    return {
        "name": part.name,
        "rows": part.evaluation.rows,
        "metrics": _metrics(part.evaluation),
        "rivals": {name: _metrics(evaluation) for name, evaluation in part.rivals.items()},
    }


def _metrics(evaluation: Evaluation | None) -> dict[str, object] | None:
    if evaluation is None:
        return None
    return {name: asdict(measure) for name, measure in evaluation.metrics.items()}


def run_id(at: datetime) -> str:
    """A run's name: its start and six random digits, so that names sort by time."""
    return f"{at:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"


def failed_before_it_began(order: Order, at: datetime, reason: str, *, run: str | None = None) -> RunReport:
    """The report of a run that could not even begin."""
    return RunReport(run or run_id(at), order.moment, "failed", "videos", reason, at, dry_run=order.dry_run)


def interrupted(error: BaseException) -> str:
    """Why a run ended that nobody let end, in a sentence."""
    if is_interruption(error):
        return "Interrupted before its end; `tiercast models` shows which release serves."
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"Ended by a fault that nobody foresaw ({said}). Run it again with --debug and report it."


def recorded(report: RunReport, runs: RunKeeper) -> RunReport:
    """The report, kept among the runs; a dry run is not. What was decided stands even where nobody can note it."""
    if report.dry_run:
        return report
    try:
        runs.save(RunRecord(report.run, report.moment, report.status, report.started_at, report.to_document()))
    except Unavailable as error:
        return replace(report, warnings=(*report.warnings, str(error)))
    return report
