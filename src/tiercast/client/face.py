"""``Tiercast``: one object to ask, wherever the answers come from."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar

from tiercast.answering import LONGEST_REASON, MOST_RUNS, Wanted
from tiercast.client.answers import Ingested, MomentModels, Predictions, Promotion, Run, Score
from tiercast.client.in_process import InProcess
from tiercast.client.items import Item, Videos, items_of, json_of, parts_of
from tiercast.client.over_http import OverHttp, open_http
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.intake.stated import stated_platform, stated_time
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

RUN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
Answer = TypeVar("Answer")
Document = Mapping[str, Any]


class Side(Protocol):
    """Where answers come from; each verb gives the document of the route of its name."""

    def predict(self, part: Sequence[str], wanted: Wanted) -> Document: ...
    def score(self, asked: str) -> Document: ...
    def ingest(self, part: Sequence[str], platform: str | None, scraped_at: str | None) -> Document: ...
    def models(self, moment: Moment | None) -> Document: ...
    def runs(self, limit: int) -> Document: ...
    def run(self, run: str) -> Document: ...
    def rollback(self, moment: Moment, release: str | None, reason: str) -> Document: ...


@dataclass(slots=True, repr=False, eq=False)
class Tiercast:
    """Predictions, scores, ingest, models and runs of one home, in process or over HTTP; open or connect it.

    Both sides give the same answers and raise the same errors: InvalidInput, Missing, Unavailable.
    """

    _side: Side
    _where: str
    _end: Callable[[], None] = field(default=lambda: None)
    _closed: bool = False

    @classmethod
    def open(cls, home: str | Path = ".tiercast") -> "Tiercast":
        """The home in this process; its predictions are not kept among served ones. Raises InvalidInput."""
        wiring = Wiring(read_settings(Path(home)))
        return cls(InProcess.of(wiring), f"Tiercast.open({str(home)!r})", wiring.close)

    @classmethod
    def connect(cls, url: str, key: str | None = None, *, timeout_seconds: float = 30) -> "Tiercast":
        """A ``tiercast serve`` elsewhere, with one of its API keys; sends nothing yet. Raises InvalidInput.

        ``timeout_seconds`` is how long it may be silent at a time; an answer that comes in pieces may take longer.
        """
        http = open_http(url, key, timeout_seconds)
        return cls(OverHttp(http), f"Tiercast.connect({url!r})", http.close)

    def predict(
        self,
        videos: Videos,
        *,
        moment: Moment | str | None = None,
        reasons: bool = False,
        platform: str | None = None,
    ) -> Predictions:
        """One prediction a video: a mapping, several in any shape that ingest reads, or a frame of our columns.

        ``moment`` is the richest that each video allows unless it is named; ``reasons`` for at most 100 videos;
        ``platform`` that of videos that name none. Raises InvalidInput where no video can be predicted, Missing where
        no model serves.
        """
        wanted = Wanted(_moment(moment), reasons, stated_platform(platform))
        parts = parts_of(items_of(videos))
        return self._read(Predictions.of, [self._asked.predict(part, wanted) for part in parts])

    def score(
        self, signals: Mapping[str, float | None], *, moment: Moment | str | None = None, video: Item | None = None
    ) -> Score:
        """One score of 0 to 100 from several signals; with a video, the signal ``ml`` is the champion's prediction.

        Raises InvalidInput where every signal is missing, Unavailable where only the champion could have given one.
        """
        asked = {"signals": signals, "moment": _moment(moment), "video": video}
        return self._read(Score.of, self._asked.score(json_of(asked)))

    def ingest(
        self, items: Videos, *, platform: str | None = None, scraped_at: datetime | str | None = None
    ) -> Ingested:
        """Store videos and observations; the same items twice add nothing.

        ``platform`` and ``scraped_at`` are those of items that state none. Raises InvalidInput where every item is
        refused; those of a part that was stored before stay stored.
        """
        stated_platform(platform)
        at = scraped_at.isoformat() if isinstance(scraped_at, datetime) else scraped_at
        stated_time(at, "scraped_at")
        parts = parts_of(items_of(items))
        return self._read(Ingested.of, [self._asked.ingest(part, platform, at) for part in parts])

    def models(self, moment: Moment | str | None = None) -> tuple[MomentModels, ...]:
        """Releases and the promotion log of one moment, or of every moment."""
        document = self._asked.models(_moment(moment))
        return self._read(lambda told: tuple(map(MomentModels.of, told["moments"])), document)

    def runs(self, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs, newest first; at most 200."""
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_RUNS:
            raise InvalidInput(f"limit is {limit!r}; it is how many runs, from 1 to {MOST_RUNS}.")
        return self._read(lambda told: tuple(map(Run.of, told["runs"])), self._asked.runs(limit))

    def run(self, run: str) -> tuple[Run, ...]:
        """The run of this id or the start of it; for a retrain of several moments the run of each.

        Raises Missing, and InvalidInput where several ids start so.
        """
        if not RUN.fullmatch(run):
            raise InvalidInput(f"{run[:100]!r} is no id of a run; runs() lists them.")
        return self._read(_runs_of, self._asked.run(run))

    def rollback(self, release: str | None = None, *, moment: Moment | str = Moment.OBSERVED, reason: str) -> Promotion:
        """Let an earlier release serve again, by default the one before; the entry of the log that says so.

        Raises InvalidInput where it serves already or a release is pinned, Missing where there is none.
        """
        why = reason.strip()
        if not 1 <= len(why) <= LONGEST_REASON:
            raise InvalidInput(f"The reason has {len(why):,} characters; say why, in at most {LONGEST_REASON:,}.")
        document = self._asked.rollback(_moment(moment) or Moment.OBSERVED, release, why)
        return self._read(Promotion.of, document)

    def close(self) -> None:
        """Give back connections; what was opened or connected cannot be asked any more."""
        self._closed = True
        self._end()

    def __enter__(self) -> "Tiercast":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return self._where

    @property
    def _asked(self) -> Side:
        if self._closed:
            raise InvalidInput(f"{self._where} is closed; open or connect again.")
        return self._side

    def _read(self, read: Callable[[Any], Answer], document: object) -> Answer:
        try:
            return read(document)
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(f"{self._where} answers in another shape ({error!r}). Is it of this version?") from error


def _runs_of(document: Document) -> tuple[Run, ...]:
    """The runs in a document; of a retrain that goes on, what has ended comes after it."""
    own = [document] if "run" in document else []
    return tuple(map(Run.of, [*own, *document.get("runs", [])]))


def _moment(moment: Moment | str | None) -> Moment | None:
    if moment is None or isinstance(moment, Moment):
        return moment
    if moment not in list(Moment):
        raise InvalidInput(f"moment is {moment!r}; the moments are {', '.join(Moment)}.")
    return Moment(moment)
