"""What Prometheus may read of the service."""

import os
import re
from collections import Counter as Times
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from tiercast.checks import CHECKS
from tiercast.core.findings import Outcome
from tiercast.flows.report import Status, objections
from tiercast.ports.runs import RunRecord
from tiercast.serving.champions import Loaded

MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own variable: the folder in which several workers of one service add up their counts."""
BUCKETS: Final = (0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds, around the 4, 15 and 60 milliseconds that are promised."""


class Metrics:
    """Counters of one process; with several workers any of them answers for all."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered", "route", "method", "status")
        self.seconds = Histogram(
            "tiercast_request_seconds", "Time to answer", ["route"], registry=self.registry, buckets=BUCKETS
        )
        self.predictions = self._counter("predictions", "Videos predicted", "moment", "tier")
        self.unanswered = self._counter("unanswered", "Videos that got no prediction", "reason")
        self.runs = self._counter("runs", "Runs that this service started, one a moment", "moment", "status")
        self.champion_age = self._gauge("champion_age_seconds", "Since the champion began to serve", "moment")
        self.training_age = self._gauge("training_age_seconds", "Since its newest training video", "moment")
        self.last_run = self._gauge("last_run", "1 for the outcome of the newest run", "moment", "status")
        self.last_run_at = self._gauge("last_run_timestamp_seconds", "When the newest run began", "moment")
        self.findings = self._gauge("last_run_findings", "Findings of the newest run", "moment", "outcome")
        self.objections = self._gauge("last_run_objection", "1 for each check that stood in its way", "moment", "code")
        self.kept = self._gauge("predictions_kept", "Served predictions written since the start", mode="livesum")
        self.dropped = self._gauge("predictions_dropped", "Served predictions that were not kept", mode="livesum")
        self.waiting = self._gauge("predictions_waiting", "Served predictions yet to be written", mode="livesum")
        self.ready = self._gauge("ready", "1 where every part is within reach", mode="livemin")

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"tiercast_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str, mode: Any = "mostrecent") -> Gauge:
        return Gauge(f"tiercast_{name}", help_text, labels, registry=self.registry, multiprocess_mode=mode)

    def count(self, predictions: Sequence[Mapping[str, Any]], reasons: Iterable[str]) -> None:
        """Note what was answered and what was not."""
        for (moment, tier), times in Times((each["moment"], each["tier"]) for each in predictions).items():
            self.predictions.labels(moment, tier).inc(times)
        for reason, times in Times(reasons).items():
            self.unanswered.labels(reason).inc(times)

    def count_runs(self, document: Mapping[str, Any]) -> None:
        """Note how a retrain of this service ended: each of its moments is a run."""
        for run in document.get("runs", [document]):
            if "status" in run:
                self.runs.labels(run["moment"], run["status"]).inc()

    def tell_champions(self, champions: Iterable[Loaded], at: datetime) -> None:
        """How long each champion has served, and how old the newest video is that it learned from."""
        for loaded in champions:
            if loaded.serving is None or loaded.since is None:
                continue
            moment, newest = loaded.serving.moment.value, loaded.serving.release.manifest.newest_training_video_at
            self.champion_age.labels(moment).set((at - loaded.since).total_seconds())
            if newest is not None:
                self.training_age.labels(moment).set((at - datetime.fromisoformat(newest)).total_seconds())

    def tell_last_runs(self, records: Iterable[RunRecord]) -> None:
        """The newest run of each moment; records come newest first."""
        newest: dict[str, RunRecord] = {}
        for record in records:
            newest.setdefault(record.moment.value, record)
        for moment, record in newest.items():
            for status in get_args(Status):  # all of them: workers add up what was ever set
                self.last_run.labels(moment, status).set(status == record.status)
            self.last_run_at.labels(moment).set(record.started_at.timestamp())
            findings: Any = record.document.get("findings") or ()
            for outcome in Outcome:
                self.findings.labels(moment, outcome.value).set(sum(each["outcome"] == outcome for each in findings))
            in_the_way = {each["code"] for each in objections(record.document)}
            for code in (check.code for check in CHECKS):
                self.objections.labels(moment, code).set(code in in_the_way)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        if MULTIPROCESS not in os.environ:
            return generate_latest(self.registry)
        _forget_dead_workers(Path(os.environ[MULTIPROCESS]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _forget_dead_workers(folder: Path) -> None:
    """A worker that was replaced counts no more among the living."""
    for path in folder.glob("gauge_live*.db"):
        found = re.search(r"_(\d+)\.db$", path.name)
        if found and not Path(f"/proc/{found[1]}").exists() and Path("/proc/self").exists():
            mark_process_dead(int(found[1]), str(folder))  # type: ignore[no-untyped-call]
