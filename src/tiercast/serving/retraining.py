"""The retrains that a server starts: one at a time across processes and machines, each in a child process."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import structlog

from tiercast.adapters.handover import handing
from tiercast.adapters.sql_lease import SqlLease
from tiercast.core.errors import Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.notify import Noting, notify
from tiercast.flows.report import RunReport, recorded, run_id
from tiercast.flows.runs import told
from tiercast.ports.runs import RunRecord
from tiercast.serving.child import Child, why
from tiercast.wiring import Wiring, now

GRACE_SECONDS: Final = 15
"""What a child gets to end by itself after its time limit, and again after SIGTERM, before it is killed."""
STOP_SECONDS: Final = 20
"""How long a stopping server waits for its child."""
REMEMBERED: Final = 16
"""Ended runs whose answer is kept in memory; the run log has all of them."""

Source = Literal["cron", "schedule"]


@dataclass(slots=True)
class _Job:
    run: str
    started_at: datetime
    lease: SqlLease
    child: Child
    ended: threading.Event = field(default_factory=threading.Event)
    document: Mapping[str, Any] | None = None
    overdue: bool = False


class Retrainer:
    """Starts retrains and answers for their end; ``on_end`` hears of each with its answer, for metrics and reloads."""

    def __init__(self, wiring: Wiring, *, on_end: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        self._wiring = wiring
        self._on_end = on_end
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._lock = threading.Lock()
        self._closing = False

    def start(self, source: Source) -> str:
        """Begin a retrain; its id. Raises Busy naming the run in progress, whoever runs it, and Unavailable."""
        at = now()
        self._refuse_late()
        lease = self._wiring.lease(run_id(at)).__enter__()  # without the lock: it may wait long, and close() shall not
        try:
            job = self._begun(at, lease)
        except BaseException:
            lease.__exit__()
            raise
        structlog.get_logger().info("retrain started", run=job.run, source=source, process=job.child.pid)
        threading.Thread(target=self._supervise, args=(job,), daemon=True, name=f"retrain {job.run}").start()
        return job.run

    def _begun(self, at: datetime, lease: SqlLease) -> _Job:
        """The child of a lease, where the server did not begin to stop while the lease was waited for."""
        with self._lock:
            self._refuse_late()
            child = Child(self._wiring.settings.home, lease.run, handing(lease.run, lease.token))
            job = self._jobs[lease.run] = _Job(lease.run, at, lease, child)
            while len(self._jobs) > REMEMBERED:
                self._jobs.popitem(last=False)
        return job

    def _refuse_late(self) -> None:
        if self._closing:
            raise Unavailable("This server is stopping, so it starts no retrain. Ask again once it runs.")

    def result(self, run: str, timeout_seconds: float) -> Mapping[str, Any] | None:
        """The answer of ``retrain --json``, waited for so long; None where it goes on."""
        job = self._jobs.get(run)
        if job is None:
            records = self._wiring.runs.of(run)
            return told(records) if records else None
        job.ended.wait(timeout_seconds)
        return job.document

    def goes_on(self, run: str) -> bool:
        """Whether this process still waits for its end; answers at once."""
        job = self._jobs.get(run)
        return job is not None and not job.ended.is_set()

    def close(self) -> None:
        """Let no retrain begin, and end the one that goes on: it is recorded as failed and its lease given back."""
        with self._lock:
            self._closing = True
            going = [job for job in self._jobs.values() if not job.ended.is_set()]
        for job in going:
            job.child.terminate()
        for job in going:
            if not job.ended.wait(STOP_SECONDS):
                job.child.kill()
                job.ended.wait(GRACE_SECONDS)

    def _supervise(self, job: _Job) -> None:
        noted: list[RunRecord] = []
        document: Mapping[str, Any] = {}
        try:
            code = self._code(job)
            document = job.child.document() or self._without_answer(job, code, noted)
        finally:
            try:
                job.lease.__exit__()
            finally:
                job.document = document
                job.ended.set()
        structlog.get_logger().info("retrain ended", run=job.run, code=code, statuses=_statuses(document))
        if self._on_end is not None:
            self._on_end(document)
        self._notify(noted)

    def _code(self, job: _Job) -> int:
        """The child's exit code, whatever it takes to have one."""
        code = job.child.wait(self._wiring.settings.retrain.max_seconds + GRACE_SECONDS)
        if code is None:
            job.overdue = True
            job.child.terminate()
            code = job.child.wait(GRACE_SECONDS)
        while code is None:
            job.child.kill()
            code = job.child.wait(GRACE_SECONDS)
        return code

    def _without_answer(self, job: _Job, code: int, noted: list[RunRecord]) -> Mapping[str, Any]:
        """What the child recorded before its end; where that is not all, its failure is recorded for it."""
        try:
            records = self._wiring.runs.of(job.run)
        except Unavailable:
            records = self._wiring.run_folder.of(job.run)
        missing = self._unrecorded(job, records)
        if missing is not None:
            lost, moment = missing
            report = RunReport(lost, moment, "failed", "videos", self._reason(job, code), job.started_at)
            recorded(report, Noting(self._wiring.runs, noted))
            records = [*records, *noted]
        return told(records)

    def _unrecorded(self, job: _Job, records: list[RunRecord]) -> tuple[str, Moment] | None:
        """The first run that the child did not record, of those that it told; before it told any, one for them all."""
        kept = {record.run for record in records}
        left = [(run, Moment(moment)) for run, moment in job.child.chosen.items() if run not in kept]
        if left:
            return left[0]
        if records:
            return None
        wanted = self._wiring.settings.retrain.moments
        return job.run, Moment.OBSERVED if wanted == "auto" else wanted[0]

    def _reason(self, job: _Job, code: int) -> str:
        seconds = self._wiring.settings.retrain.max_seconds
        if self._closing:
            said = "The server was stopped before the retrain's end."
        elif job.overdue:
            said = f"The retrain did not end within retrain.max_seconds ({seconds} s), so its process was ended."
        elif job.child.complaint:
            said = job.child.complaint
        else:
            said = f"The retrain's process {why(code)}."
        if not job.child.chosen:
            said += " None of its moments had begun, so this run stands for all of them."
        return f"{said} `tiercast models` shows which release serves; run it again."

    def _notify(self, noted: list[RunRecord]) -> None:
        """Tell of a run that its own process could not tell of."""
        trouble = notify(noted, self._wiring.notifier)
        if trouble:
            structlog.get_logger().warning("notice", trouble=trouble)


def _statuses(document: Mapping[str, Any]) -> list[str]:
    return [str(each.get("status")) for each in document.get("runs", [document])]
