"""Everything that the routes share, opened once for a process."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from tiercast.answering import Oracle
from tiercast.http.coalescing import Coalescer
from tiercast.http.metrics import Metrics
from tiercast.serving.asking import Threads
from tiercast.serving.champions import Champions, Sources
from tiercast.serving.history import LastKnownHistory
from tiercast.serving.keys import Keys
from tiercast.serving.recorder import Recorder
from tiercast.serving.retraining import Retrainer
from tiercast.serving.upkeep import Upkeep
from tiercast.wiring import Wiring, now

THREADS: Final = 4
"""Lanes and large bodies side by side; one of them may wait for a database while others answer from memory."""
WRITERS: Final = 2
"""Bodies that are stored side by side; where a writer waits for the database, threads are left to whoever reads."""
READERS: Final = 4
"""Questions about runs and models, side by side."""
CHANGERS: Final = 2
"""Starts of retrains and rollbacks, side by side; each may wait for whoever writes, and keeps no reader waiting."""

LAST_RUNS: Final = 20
"""Enough to hold the newest run of each moment, unless one of them fails again and again."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process of ``tiercast serve``."""

    wiring: Wiring
    champions: Champions
    history: LastKnownHistory
    oracle: Oracle
    coalescer: Coalescer
    executor: ThreadPoolExecutor
    writers: Threads
    readers: Threads
    changes: Threads
    keys: Keys
    recorder: Recorder
    retrainer: Retrainer
    metrics: Metrics
    upkeep: Upkeep

    @classmethod
    def of(cls, wiring: Wiring) -> "Service":
        """The service of a home; opens nothing yet, so that it also starts while a store is away."""
        settings = wiring.settings
        history = LastKnownHistory(lambda: wiring.history)
        champions = Champions(Sources(lambda: wiring.objects, wiring.read_log, lambda: history))
        recorder = Recorder(
            lambda: wiring.served, now, settings.serve.max_waiting_predictions, settings.serve.keep_predictions_days
        )
        oracle = Oracle(champions.answering, lambda: history, settings.moments.early_max_age_hours, recorder.put)
        executor, metrics = ThreadPoolExecutor(THREADS, thread_name_prefix="answer"), Metrics()

        def on_end(document: Mapping[str, Any]) -> None:
            metrics.count_runs(document)
            champions.check()

        return cls(
            wiring=wiring,
            champions=champions,
            history=history,
            oracle=oracle,
            coalescer=Coalescer(oracle, executor),
            executor=executor,
            writers=Threads(WRITERS, "write"),
            readers=Threads(READERS, "read"),
            changes=Threads(CHANGERS, "change"),
            keys=Keys(lambda: wiring.keys, settings.api_key),
            recorder=recorder,
            retrainer=Retrainer(wiring, on_end=on_end),
            metrics=metrics,
            upkeep=Upkeep(settings.serve.check_seconds),
        )

    def look_around(self) -> None:
        """What has changed outside: champions, keys, stores within reach, runs of others."""
        if self.wiring.reopen_replaced():
            self.history.forget()
        self.history.probe()  # first: where the database is away, nobody below waits for it
        # The keys before the model store, which may take long: a revoked key ends here.
        whole = self.history.away is not None or self.upkeep.came("The ring of keys", self.keys.refresh)
        self.champions.check()
        if whole:
            self.upkeep.looked()
        self._tell_metrics()

    def _tell_metrics(self) -> None:
        metrics = self.metrics
        metrics.tell_champions(self.champions.loaded().values(), now())
        metrics.kept.set(self.recorder.kept)
        metrics.dropped.set(self.recorder.dropped)
        metrics.waiting.set(self.recorder.waiting)
        metrics.ready.set(not self.shortcomings())
        if self.history.away is None:
            self.upkeep.came("The runs", lambda: metrics.tell_last_runs(self.wiring.runs.recent(LAST_RUNS)))

    def shortcomings(self) -> dict[str, str]:
        """What is not as it should be, by part, in words that name no path or address."""
        found = {}
        if self.champions.problem is not None:
            found["model_store"] = "The model store is out of reach; the champions in memory go on answering."
        if not self.champions.current():
            found["champion"] = "No model serves any moment yet; `tiercast retrain` makes one."
        if any(loaded.warnings for loaded in self.champions.loaded().values()):
            found["champion"] = "A newer promotion cannot be used; an older release serves. `tiercast doctor` says why."
        if self.history.away is not None:
            found["video_store"] = "The video store is out of reach; forecasts know nothing of earlier posts."
        if self.keys.problem is not None:
            found["keys"] = "API keys cannot be read anew; those in memory go on opening, also ones revoked since."
        if self.recorder.problem is not None:
            found["predictions"] = "Served predictions cannot be kept at present; they wait in memory."
        if (silent := self.upkeep.silent_seconds()) is not None:
            found["upkeep"] = f"Nothing outside was looked at for {silent:.0f} seconds; what is told here is as old."
        return found


def service_of(request: Request) -> Service:
    """The service that a request reached."""
    service: Service = request.app.state.service
    return service
