"""One retrain as somebody asks for it by its id: one run, several, or one that is still under way."""

from collections.abc import Mapping, Sequence

from tiercast.core.moments import Moment
from tiercast.ports.runs import InProgress, RunLog, RunRecord


def run_of(retrain: str, moment: Moment, moments: Sequence[Moment]) -> str:
    """The id of one moment's run: the retrain's own where it is the only one.

    >>> run_of("20260101T000000-abcdef", Moment.DRAFT, list(Moment))
    '20260101T000000-abcdef-draft'
    """
    return retrain if len(moments) == 1 else f"{retrain}-{moment.value}"


def find_runs(log: RunLog, run: str) -> list[RunRecord]:
    """The runs of one retrain, else the one whose id begins so; raises Missing, or InvalidInput where several do."""
    return log.of(run) or [log.get(run)]


def told(records: Sequence[RunRecord]) -> Mapping[str, object]:
    """The answer of ``retrain --json``: one run as it is, several as a list."""
    documents = [record.document for record in records]
    return documents[0] if len(documents) == 1 else {"runs": documents}


def run_document(log: RunLog, run: str, in_progress: InProgress | None) -> Mapping[str, object]:
    """What is known of a run or a retrain, also while it goes on; raises Missing.

    Ask for ``in_progress`` before the log is read: a run is recorded before its lease is given back.
    """
    if in_progress is not None and in_progress.run == run:
        return {**running_document(in_progress), "runs": [record.document for record in log.of(run)]}
    return told(find_runs(log, run))


def running_document(in_progress: InProgress) -> dict[str, object]:
    """A retrain that is under way."""
    since = in_progress.since.isoformat()
    return {"run": in_progress.run, "status": "running", "holder": in_progress.holder, "started_at": since}
