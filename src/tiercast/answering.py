"""Items of any ingest shape in, one answer a video out: what the service and the Python client share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

import polars as pl

from tiercast.adapters.files import open_bytes
from tiercast.adapters.formats import choose, drafts, recognise, table
from tiercast.adapters.formats.frames import batch_of
from tiercast.adapters.formats.item import Format
from tiercast.core.errors import InvalidInput, Missing, NoChampion
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.flows.answers import UNKNOWN
from tiercast.flows.asked import Request
from tiercast.flows.champions import Serving
from tiercast.flows.given import Unanswered, cleaned, early_max_age_hours, unanswered
from tiercast.flows.ingest import FileReport, IngestOptions, ingest_file
from tiercast.flows.kept import Kept
from tiercast.flows.model_store import ModelStore, Writer
from tiercast.flows.predict import predict_at, with_platforms_of_creators
from tiercast.flows.rollback import rollback
from tiercast.flows.score import NOT_ASKED, Forecast, ScoreRequest, forecast_of
from tiercast.intake.schema import COUNT_NAMES, LONGEST_NAME, MOST_LOOKED_AT, SCHEMA, count_meant, slips
from tiercast.ports.videos import VideoHistory
from tiercast.render.output import Silence
from tiercast.wiring import Wiring, now

BODY: Final = "The request"
SOURCE: Final = "request"
"""What stands where ``ingest`` names a file."""
MOST_RUNS: Final = 200
"""Four years of weekly ones; each holds some 10 kB."""
LONGEST_REASON: Final = 2_000
"""Characters; it stays in the promotion log for ever."""
FIELDS_SHOWN: Final = 10
"""Unread fields that are named one by one, and once more those that are only listed: enough to see what was sent."""
Item = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of some videos."""

    moment: Moment | None = None
    """None: for each video the richest that it allows."""
    reasons: bool = False
    platform: str | None = None
    """Of items that do not name theirs."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One prediction a video, and the videos that got none."""

    predictions: Sequence[dict[str, Any]]
    unanswered: Sequence[Unanswered]

    def to_document(self, warnings: Sequence[str]) -> dict[str, Any]:
        """The answer of the predict route."""
        return {
            "predictions": self.predictions,
            "refused": [asdict(each) for each in self.unanswered],
            "warnings": [*warnings],
        }


@dataclass(frozen=True, slots=True)
class Oracle:
    """Answers items by the champions of this moment; the same for one and for a thousand."""

    champions: Callable[[Moment | None], Mapping[Moment, Serving]]
    """Those that may answer at a moment, or at any; raises NoChampion where there is none."""
    history: Callable[[], VideoHistory]
    early_max_age_hours: float
    keep: Callable[[Kept], None]

    def answer(self, items: Sequence[object], wanted: Wanted, form: Format | None = None) -> Answers:
        """The items, all of one format, which is recognised where none is given.

        Raises NoChampion where nobody serves, InvalidInput, Unavailable.
        """
        servings = self.champions(wanted.moment)
        form = form or form_of(items)
        now = datetime.now(UTC)
        batch = batch_of(items, form)
        sound = cleaned(batch.rows, now=now, guessed_at=now, platform=wanted.platform)
        rows = sound.rows[list(SCHEMA)]
        if any(moment.forecasts for moment in servings):
            rows = self._with_platforms(rows)
        request = Request(rows, now, early_max_age_hours(servings, self.early_max_age_hours))
        refused = [Unanswered(video_id_of(piece.raw, form), piece.reason, piece.detail) for piece in batch.unreadable]
        refused += [
            Unanswered(video_id_of(batch.raw[each.row], form), each.reason, each.detail) for each in sound.rejects
        ]
        predictions = predict_at(wanted.moment, request, servings, with_reasons=wanted.reasons, keep=self.keep)
        return Answers(predictions, [*refused, *unanswered(request, servings, wanted.moment)])

    def _with_platforms(self, rows: pl.DataFrame) -> pl.DataFrame:
        if (rows["platform"] != UNKNOWN).all():
            return rows
        return with_platforms_of_creators(rows, self.history())


def forecast(oracle: Oracle, asked: ScoreRequest) -> Forecast:
    """What the champion says of the video to be scored, or why it says nothing."""
    if asked.video is None:
        return NOT_ASKED
    try:
        answers = oracle.answer([asked.video], Wanted(asked.moment))
    except NoChampion as error:
        return Forecast(why_none=str(error))
    return forecast_of(answers.predictions, answers.unanswered, asked.moment, unread_fields([asked.video]))


def form_of(items: Sequence[object]) -> Format:
    """The format that most items have, else that of posts to come; raises InvalidInput naming what was seen.

    Our own columns are read with and without views, so that posts to come may stand among posted ones.
    """
    try:
        found = choose(items, None, BODY)
        return drafts if found is table else found
    except InvalidInput as unknown:
        try:
            return choose(items, drafts, BODY)
        except InvalidInput:
            raise unknown from None


def video_id_of(item: object, form: Format) -> str | None:
    """The plain id of an item, by which its answer is found again; None where it has none."""
    if not isinstance(item, Mapping):
        return None
    found = (form.row(item) if form.recognises(item) else item).get("video_id")
    plain = found.strip() if isinstance(found, str) else str(found) if type(found) is int else ""
    return plain if plain.isascii() and plain.isprintable() and plain else None


def why_nothing(refused: Sequence[Mapping[str, Any]]) -> str:
    """The sentence where no video got a prediction, from the documents of the refused ones."""
    first = str(refused[0]["detail"]) if refused else "None is a sound video with a video_id."
    return first if len(refused) == 1 else f"None of the {len(refused):,} videos can be predicted. The first: {first}"


def ingested(wiring: Wiring, body: bytes, options: IngestOptions) -> FileReport:
    """What the items in a body brought; where refused ones are kept is told to nobody."""
    source = open_bytes(body, SOURCE, None)
    report = ingest_file(source, wiring.videos, wiring.rejects, options=options, progress=Silence())
    return replace(report, rejects_file=None)


def rolled_back(wiring: Wiring, moment: Moment, *, release: str | None, reason: str, actor: str) -> Promotion:
    """The entry by which an earlier release serves again; raises as ``rollback`` does."""
    if wiring.read_log() is None:
        raise Missing("Nothing was ever promoted in this model store, so no earlier release could serve.")
    store = ModelStore(wiring.objects, wiring.write_log())
    writer = Writer(actor=actor, at=now(), token=uuid4().hex)
    return rollback(store, moment, release=release, reason=reason, writer=writer)


def unread_fields(items: Sequence[Item]) -> list[str]:
    """The unread fields of a single item in our own columns, and which columns they were probably meant to be.

    Items of scrapers are full of fields that nobody needs.
    """
    if len(items) != 1 or recognise(items) not in (table, None):
        return []
    unread = table.ignored(map(str, items[0]))
    names = tuple(name[:LONGEST_NAME] for name in unread[:MOST_LOOKED_AT])
    return [*_remarks(names, len(unread), COUNT_NAMES.difference(items[0]))] if unread else []


@lru_cache(maxsize=256)  # a caller sends the same fields every time, and comparing takes as long as predicting
def _remarks(names: tuple[str, ...], total: int, unknown: frozenset[str]) -> tuple[str, ...]:
    """Of so many unread fields in all, where those counts are unknown."""
    counts = {name: count for name in names if (count := count_meant(name)) in unknown}
    meant = dict([*{**counts, **slips(names)}.items()][:FIELDS_SHOWN])
    told = [f"The field {name[:40]!r} is not read; did you mean {near}?" for name, near in meant.items()]
    if "views" in unknown and "views" in meant.values():
        told.append("Without views the video is taken for a draft.")
    if total > len(meant):
        listed = [repr(name[:40]) for name in names if name not in meant][:FIELDS_SHOWN]
        more = total - len(meant) - len(listed)
        told.append(f"Not read: {', '.join(listed)}{f' and {more:,} more' if more else ''}.")
    return tuple(told)
