"""The client of a home on this machine: the parts of the service without the service."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic_core

from tiercast.answering import (
    Oracle,
    Wanted,
    form_of,
    ingested,
    misspelt,
    rolled_back,
    serving_for,
)
from tiercast.core.errors import InvalidInput, Missing, TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.ingest import IngestOptions, IngestReport
from tiercast.flows.models import list_models, promotion_document
from tiercast.flows.predict import Serving, load_champions, nobody_keeps
from tiercast.flows.runs import run_document
from tiercast.flows.score import NOT_ASKED, Forecast, ScoreRequest, forecast_of, score
from tiercast.intake.stated import stated_platform, stated_time
from tiercast.wiring import Wiring, actor, now


def plain(document: object) -> Any:
    """The document as one reads it from an answer: lists for tuples, null for what is no number."""
    return pydantic_core.from_json(pydantic_core.to_json(document, inf_nan_mode="null"))


@dataclass(slots=True)
class Champions:
    """Who serves; looked up again where the promotion log has grown, at most every few seconds."""

    wiring: Wiring
    _numbers: Mapping[Moment, int] = field(default_factory=dict)
    _servings: Mapping[Moment, Serving] | None = None
    _looked: float | None = None
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Mapping[Moment, Serving]:
        """The champions; those in memory go on while the model store is away. Raises where there never were any."""
        with self._looking:
            after = self.wiring.settings.serve.check_seconds
            if self._servings is None or self._looked is None or time.monotonic() - self._looked > after:
                self._servings = self._found()
                self._looked = time.monotonic()
            return self._servings

    def look_again(self) -> None:
        """Do not wait with the next look."""
        self._looked = None

    def _found(self) -> Mapping[Moment, Serving]:
        try:
            log = self.wiring.read_log()
            numbers = {moment: max(log.numbers(moment), default=0) for moment in Moment} if log else {}
            if self._servings is not None and numbers == self._numbers:
                return self._servings
            found = load_champions(self.wiring.objects, log, lambda: self.wiring.history)
        except Missing:
            return {} if self._servings is None else self._servings
        except TiercastError:
            if not self._servings:
                raise
            return self._servings
        self._numbers = numbers
        return found


@dataclass(frozen=True, slots=True)
class InProcess:
    """A Side that asks a home itself. What it predicts is not kept among served predictions."""

    wiring: Wiring
    champions: Champions
    oracle: Oracle

    @classmethod
    def of(cls, wiring: Wiring) -> "InProcess":
        """The client of a home; opens nothing yet."""
        champions, hours = Champions(wiring), wiring.settings.moments.early_max_age_hours
        return cls(wiring, champions, Oracle(champions.current, lambda: wiring.history, hours, nobody_keeps))

    def predict(self, part: Sequence[str], wanted: Wanted) -> Mapping[str, Any]:
        """The answer to some items."""
        items = json.loads(f"[{','.join(part)}]")
        serving_for(wanted.moment, self.champions.current())
        answers = self.oracle.answer(items, form_of(items), wanted)
        told: Mapping[str, Any] = plain(answers.to_document(misspelt(items)))
        return told

    def score(self, asked: str) -> Mapping[str, Any]:
        """The answer to a score's document."""
        weights = self.wiring.settings.score.weights
        request = ScoreRequest.of(json.loads(asked), weights)
        told: Mapping[str, Any] = plain(score(weights, request, self._forecast(request)).to_document())
        return told

    def _forecast(self, asked: ScoreRequest) -> Forecast:
        if asked.video is None:
            return NOT_ASKED
        try:
            serving_for(asked.moment, self.champions.current())
        except Missing as error:
            return Forecast(why_none=str(error))
        answers = self.oracle.answer([asked.video], form_of([asked.video]), Wanted(asked.moment))
        return forecast_of(answers.predictions, answers.unanswered, asked.moment)

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
        self.champions.look_again()
        told: Mapping[str, Any] = plain(promotion_document(entry))
        return told
