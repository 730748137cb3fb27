"""The champions in memory: loaded once, looked after in the background, swapped between two requests."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any, Final

import numpy as np
import structlog

from tiercast.core.errors import InvalidInput, Missing, TiercastError, Unavailable
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.flows.champions import Serving, Videos, answering
from tiercast.flows.model_store import champion
from tiercast.flows.promotion_history import history
from tiercast.flows.served import served_at
from tiercast.learn.models import Inputs
from tiercast.learn.references import Standpoint
from tiercast.ports.models import ObjectStore, PromotionLog

STORE_SECONDS: Final = 600.0
"""How old may be what forecasts know of everybody's newest posts; a creator's own are asked for each time."""
LOG_GONE: Final = "The promotion log is gone; what serves from memory goes on. Restore the model store from a copy."
DAMAGE_CHECKS: Final = 12
"""Checks after which damage is looked at again: a minute by default, since each reads whole releases."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of one moment: who answers, up to which entry that was read, and what is wrong with it."""

    serving: Serving | None = None
    since: datetime | None = None
    """When it began to serve; a pin does not begin anew."""
    entry: Promotion | None = None
    """By which the serving release was chosen: by whom, and why."""
    seen: int = 0
    """The highest entry that was read."""
    content: bytes | None = None
    """What that entry said: where it says something else now, the log is another one, such as a restored copy."""
    warnings: tuple[str, ...] = ()
    read_at: float = 0.0
    """When its history of everybody was read, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where champions and their history come from."""

    objects: Callable[[], ObjectStore]
    log: Callable[[], PromotionLog | None]
    videos: Videos


@dataclass(slots=True)
class Champions:
    """Every moment's champion. Readers never wait: a newer one takes its place in one assignment, proven before."""

    sources: Sources
    logger: Any = field(default_factory=structlog.get_logger)
    """Told of every change."""
    _loaded: Mapping[Moment, Loaded] = field(default_factory=lambda: {moment: Loaded() for moment in Moment})
    _problem: TiercastError | None = None
    _checks: int = 0
    _checking: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Mapping[Moment, Serving]:
        """The champions that answer now."""
        return {moment: each.serving for moment, each in self._loaded.items() if each.serving is not None}

    def loaded(self) -> Mapping[Moment, Loaded]:
        """The same with what is known around them."""
        return self._loaded

    def answering(self, moment: Moment | None) -> Mapping[Moment, Serving]:
        """Those that may answer; raises NoChampion where there is none."""
        loaded = self._loaded.items()
        return answering(moment, self.current(), [each for each, held in loaded if held.warnings and not held.serving])

    @property
    def problem(self) -> TiercastError | None:
        """Why the store could not be asked the last time; None where it could."""
        return self._problem

    def check(self) -> None:
        """Look for newer entries and load what they name; whatever goes wrong, whoever serves goes on serving."""
        with self._checking:
            self._checks += 1
            try:
                log = self.sources.log()
                if log is None and self.current():
                    raise Missing(LOG_GONE)
                found = {moment: self._newer(log, moment, self._loaded[moment]) for moment in Moment} if log else {}
            except TiercastError as error:
                if self._problem is None:
                    self.logger.warning("model store out of reach", problem=str(error))
                self._problem = error
                return
            if self._problem is not None:
                self.logger.info("model store within reach again")
            self._problem = None
            self._loaded = {**self._loaded, **found}

    def _newer(self, log: PromotionLog, moment: Moment, held: Loaded) -> Loaded:
        same = held.seen > 0 and _content(log, moment, held.seen) == held.content
        again = held.warnings and self._checks % DAMAGE_CHECKS == 0
        if same and not again and _content(log, moment, held.seen + 1) is None:  # cheaper than a list of all
            return _with_newer_history(held)
        seen = max(log.numbers(moment), default=0)
        if seen == 0:
            return self._told(held, moment, (LOG_GONE,)) if held.serving is not None else held
        return self._load(log, moment, replace(held, seen=seen, content=_content(log, moment, seen)), same=same)

    def _load(self, log: PromotionLog, moment: Moment, held: Loaded, *, same: bool) -> Loaded:
        """What the log names now. Where something newer is damaged, whoever serves from memory may be newer still."""
        try:
            found = champion(self.sources.objects(), log, moment)
            if found is None:
                return held
            newest = found.promotion
            if held.entry is not None and newest.number <= held.entry.number and (same or found.warnings):
                return self._told(held, moment, found.warnings)
            serving = Serving.of(found, self.sources.videos)
            _prove(serving)
            read_at = _read_history(serving)
        except (InvalidInput, Missing) as error:
            return self._told(held, moment, (str(error),))
        self.logger.info("champion", moment=moment.value, release=found.release.id, number=newest.number)
        loaded = replace(held, serving=serving, since=_since(log, newest), entry=newest, read_at=read_at)
        return self._told(loaded, moment, found.warnings)

    def _told(self, held: Loaded, moment: Moment, warnings: tuple[str, ...]) -> Loaded:
        for warning in warnings:
            if warning not in held.warnings:
                self.logger.warning("champion not replaced", moment=moment.value, problem=warning)
        return replace(held, warnings=warnings)


def _content(log: PromotionLog, moment: Moment, number: int) -> bytes | None:
    """What an entry says; None where there is none."""
    try:
        return log.read(moment, number)
    except Missing:
        return None


def _since(log: PromotionLog, entry: Promotion) -> datetime:
    """When the release of an entry began to serve without a break."""
    service, _ = served_at(history(log, entry.moment), entry.at)
    return service.since if service is not None and service.entry.release == entry.release else entry.at


def _with_newer_history(held: Loaded) -> Loaded:
    """The same release with what is stored by now, as training would see it; what stands stays while that is read."""
    if held.serving is None or not held.serving.moment.forecasts or monotonic() - held.read_at < STORE_SECONDS:
        return held
    renewed = replace(held.serving)
    read_at = _read_history(renewed)
    return replace(held, serving=renewed, read_at=read_at) if read_at else held


def _read_history(serving: Serving) -> float:
    """Read what forecasts know of everybody before anybody asks; when that was, 0 where the store is away."""
    if not serving.moment.forecasts:
        return monotonic()
    with suppress(Unavailable):
        _ = serving.store
        return monotonic()
    return 0.0


def _prove(serving: Serving) -> None:
    """Let a release answer for a video that is like its training's middle; raises InvalidInput where it cannot."""
    medians = [feature.median for feature in serving.release.manifest.features]
    X = np.array([[np.nan if median is None else median for median in medians]])
    unknown = np.full(1, np.nan)
    asked = serving.predictor.described(Inputs(X), Standpoint(["unknown"], unknown, unknown, np.zeros(1)))
    serving.predictor.probabilities(asked)
