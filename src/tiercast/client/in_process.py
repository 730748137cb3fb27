"""The client of a home on this machine: the parts of the service without the service."""

import json
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pydantic_core
import structlog

from tiercast.answering import Oracle, Wanted, forecast, ingested, rolled_back, unread_fields
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.flows.champions import Serving
from tiercast.flows.ingest import IngestOptions, IngestReport
from tiercast.flows.models import list_models, promotion_document
from tiercast.flows.predict import nobody_keeps
from tiercast.flows.runs import run_document
from tiercast.flows.score import ScoreRequest, score
from tiercast.intake.stated import stated_platform, stated_time
from tiercast.serving.champions import Champions, Sources
from tiercast.wiring import Wiring, actor, now

SILENT: Final = structlog.wrap_logger(
    structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
)
"""A library tells its caller, and prints nothing."""


def plain(document: object) -> Any:
    """The document as one reads it from an answer: lists for tuples, null for what is no number."""
    return pydantic_core.from_json(pydantic_core.to_json(document, inf_nan_mode="null"))


@dataclass(slots=True)
class Watch:
    """Who serves; looked up where somebody asks and the last look was some seconds ago."""

    champions: Champions
    seconds: float
    _looked_at: float = -math.inf
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def answering(self, moment: Moment | None) -> Mapping[Moment, Serving]:
        """Those that may answer; they go on while the model store is away. Raises NoChampion.

        Where nobody was ever found since the store is away, it raises what the store said.
        """
        with self._looking:
            if time.monotonic() - self._looked_at > self.seconds:
                self.champions.check()
                self._looked_at = time.monotonic()
        if self.champions.problem is not None and not self.champions.current():
            raise self.champions.problem
        return self.champions.answering(moment)

    def look_again(self) -> None:
        """Do not wait with the next look."""
        with self._looking:
            self._looked_at = -math.inf


@dataclass(frozen=True, slots=True)
class InProcess:
    """A Side that asks a home itself. What it predicts is not kept among served predictions."""

    wiring: Wiring
    watch: Watch
    oracle: Oracle

    @classmethod
    def of(cls, wiring: Wiring) -> "InProcess":
        """The client of a home; opens nothing yet."""
        sources = Sources(lambda: wiring.objects, wiring.read_log, lambda: wiring.history)
        watch = Watch(Champions(sources, SILENT), wiring.settings.serve.check_seconds)
        hours = wiring.settings.moments.early_max_age_hours
        return cls(wiring, watch, Oracle(watch.answering, lambda: wiring.history, hours, nobody_keeps))

    def predict(self, part: Sequence[str], wanted: Wanted) -> Mapping[str, Any]:
        """The answer to some items."""
        items = json.loads(f"[{','.join(part)}]")
        answers = self.oracle.answer(items, wanted)
        told: Mapping[str, Any] = plain(answers.to_document(unread_fields(items)))
        return told

    def score(self, asked: str) -> Mapping[str, Any]:
        """The answer to a score's document."""
        weights = self.wiring.settings.score.weights
        request = ScoreRequest.of(json.loads(asked), weights)
        told: Mapping[str, Any] = plain(score(weights, request, forecast(self.oracle, request)).to_document())
        return told

    def ingest(self, part: Sequence[str], platform: str | None, scraped_at: str | None) -> Mapping[str, Any]:
        """What some items brought."""
        options = IngestOptions(now(), stated_platform(platform), stated_time(scraped_at, "scraped_at"))
        report = ingested(self.wiring, f"[{','.join(part)}]".encode(), options)
        told: Mapping[str, Any] = plain(IngestReport([report]).to_document())
        return told

    def models(self, moment: Moment | None) -> Mapping[str, Any]:
        """What stands in the model store."""
        moments = list(Moment) if moment is None else [moment]
        told: Mapping[str, Any] = plain(list_models(self.wiring.objects, self.wiring.read_log(), moments).to_document())
        return told

    def runs(self, limit: int) -> Mapping[str, Any]:
        """The newest runs."""
        told: Mapping[str, Any] = plain({"runs": [record.document for record in self.wiring.runs.recent(limit)]})
        return told

    def run(self, run: str) -> Mapping[str, Any]:
        """One run, or those of one retrain."""
        in_progress = self.wiring.in_progress()
        told: Mapping[str, Any] = plain(run_document(self.wiring.runs, run, in_progress))
        return told

    def rollback(self, moment: Moment, release: str | None, reason: str) -> Mapping[str, Any]:
        """The entry of the promotion log that was written."""
        if release == "":
            raise InvalidInput("The release is ''; give its first digits, or None for the one that served before.")
        entry = rolled_back(self.wiring, moment, release=release, reason=reason, actor=actor())
        self.watch.look_again()
        told: Mapping[str, Any] = plain(promotion_document(entry))
        return told
