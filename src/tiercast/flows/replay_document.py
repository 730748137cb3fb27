"""A replay as the one document that every outlet shows."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from tiercast.flows.replay_report import CHAMPION, Graded, Pool, Replayed
from tiercast.flows.report import objections
from tiercast.learn.exam import Marks
from tiercast.ports.runs import ReplayedStep

STATUSES: Final = ("promoted", "held", "rejected", "failed")


def replay_document(replayed: Replayed) -> dict[str, object]:
    """The answer of ``replay --json``; unknown numbers are null."""
    walk = replayed.walk
    statuses = [str(step.document["status"]) for step in replayed.steps]
    champions = {each.champion for each in replayed.graded if each.champion}
    marks: dict[str, None] = {}
    for step in replayed.steps:
        marks |= dict.fromkeys(_texts(step.document["marks"]))
    return {
        "moment": replayed.moment.value,
        "from": walk.begins_at.isoformat(),
        "to": walk.ends_at.isoformat(),
        "every_hours": walk.every.total_seconds() / 3600,
        "as_scraped": walk.as_scraped,
        "marks": list(marks),
        "tiers": {"edges": list(replayed.edges) if replayed.edges else None, "cut_from_videos": replayed.questions},
        "steps": [_step(step, each) for step, each in zip(replayed.steps, replayed.graded, strict=True)],
        "summary": {
            "steps": len(statuses),
            **{status: statuses.count(status) for status in STATUSES},
            "champions": len(champions),
            "graded": _pool(replayed.whole),
            "graded_where_always_promoting_differs": _pool(replayed.apart),
            "graded_without_champion": _pool(replayed.unserved),
        },
        "cost": {"seconds": round(sum(step.seconds for step in replayed.steps), 1), "steps_resumed": replayed.resumed},
    }


def _step(step: ReplayedStep, graded: Graded) -> dict[str, object]:
    told: Mapping[str, Any] = step.document
    return {
        "at": step.at.isoformat(),
        "status": told["status"],
        "reason": told["reason"],
        "in_the_way": [each["code"] for each in objections(told)],
        "findings": told["findings"],
        "warnings": told["warnings"],
        "marks": told["marks"],
        "videos": told["videos"],
        "test_accuracy": told["test_accuracy"],
        "test_accuracy_interval": told["test_accuracy_interval"],
        "candidate": told["candidate"],
        "without_gate": step.ungated,
        "champion": graded.champion,
        "champion_since": graded.since.isoformat() if graded.since else None,
        "graded": {"videos": graded.rows, "creators": graded.creators, "forecasters": _marks(graded.marks)},
        "seconds": step.seconds,
    }


def _pool(pool: Pool) -> dict[str, object]:
    return {
        "steps": pool.steps,
        "videos": pool.rows,
        "creators": pool.creators,
        "forecasters": _marks(pool.marks),
    }


def _marks(marks: Mapping[str, Marks]) -> dict[str, object]:
    return {
        name: {
            "accuracy": asdict(each.accuracy),
            "log_loss": each.log_loss,
            "champion_ahead": None if name == CHAMPION or CHAMPION not in marks else asdict(each.ahead),
        }
        for name, each in marks.items()
    }


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
