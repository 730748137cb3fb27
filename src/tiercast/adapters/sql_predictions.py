"""Predictions that were served, in SQL: written in small batches beside everything else that uses the database."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import epoch_us, from_epoch_us, microseconds, predictions, stored_time, time_of, videos
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.ports.serving import MissingCounts, ServedPrediction

DROPPED_AT_ONCE: Final = 2_000
"""Rows removed in one transaction: SQLite has one writer at a time, and others wait for this one."""
MOMENTS: Final = tuple(moment.value for moment in Moment)


class SqlPredictions:
    """A ServedPredictions on an engine whose tables exist."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._keep = _keep_at_once if engine.dialect.name == "sqlite" else _keep

    def save(self, served: Sequence[ServedPrediction]) -> None:
        """Keep them in one transaction; after an answer that was lost, the same call may be made again."""
        if not served:
            return
        rows = [_row(each) for each in served]
        with plain_errors(self._where), self._engine.begin() as connection:
            try:
                self._keep(connection, rows)
            except (DataError, UnicodeEncodeError) as error:
                told = f"{getattr(error, 'orig', None) or error}"
                raise InvalidInput(f"The database cannot hold one of {len(rows):,} predictions: {told}.") from error

    def recent(
        self, *, limit: int, moment: Moment | None = None, video_id: str | None = None, before: str | None = None
    ) -> list[ServedPrediction]:
        """The newest, newest first; ids sort by time."""
        query = select(*_READ).order_by(predictions.c.prediction.desc()).limit(limit)
        if moment is not None:
            query = query.where(predictions.c.moment == moment.value)
        if video_id is not None:
            query = query.where(predictions.c.video_id == video_id)
        if before is not None:
            query = query.where(predictions.c.prediction < before)
        with plain_errors(self._where), self._engine.connect() as connection:
            return [_prediction(row) for row in connection.execute(query)]

    def missing(self, moment: Moment, *, feature_schema: str, since: datetime, limit: int) -> MissingCounts:
        """Counted here: what rows lack repeats, so few texts have to be read as JSON."""
        query = (
            select(predictions.c.missing)
            .where(predictions.c.moment == moment.value, predictions.c.predicted_at >= stored_time(since))
            .where(predictions.c.feature_schema == feature_schema)
            .order_by(predictions.c.predicted_at.desc())
            .limit(limit)
        )
        with plain_errors(self._where), self._engine.connect() as connection:
            texts = Counter(connection.execute(query).scalars())
        lacking: Counter[str] = Counter()
        for text, times in texts.items():
            lacking.update(dict.fromkeys(json.loads(text), times))
        return MissingCounts(texts.total(), dict(lacking))

    def erase(self, *, author: str | None, video_id: str | None) -> int:
        """Of an author also what was asked without a name about a video that the store knows to be the author's."""
        wanted = predictions.c.video_id == video_id if author is None else _of_author(author)
        with plain_errors(self._where), self._engine.begin() as connection:
            return connection.execute(delete(predictions).where(wanted)).rowcount

    def drop_before(self, at: datetime) -> int:
        """Removed some at a time, so that nobody waits long."""
        # Naming the moments lets the index of moment and time find the oldest.
        old = and_(predictions.c.moment.in_(MOMENTS), predictions.c.predicted_at < stored_time(at))
        some = select(predictions.c.prediction).where(old).limit(DROPPED_AT_ONCE)
        dropped = 0
        while True:
            with plain_errors(self._where), self._engine.begin() as connection:
                gone = connection.execute(delete(predictions).where(predictions.c.prediction.in_(some))).rowcount
            dropped += gone
            if gone < DROPPED_AT_ONCE:
                return dropped

    def count(self) -> int:
        """Predictions kept."""
        with plain_errors(self._where), self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(predictions)).scalar_one())


_SAME: Final = ("prediction", "platform", "video_id", "author", "release", "feature_schema")
_KEEP: Final = (
    insert(predictions)  # this clause reads the same on SQLite
    .values(
        {column.name: bindparam(column.name) for column in predictions.columns}
        | {"predicted_at": from_epoch_us(bindparam("at", type_=predictions.c.predicted_at.type))}
    )
    .on_conflict_do_nothing()
)
_BOUND: Final = ["at" if column.name == "predicted_at" else column.name for column in predictions.columns]
_ROWS_AT_ONCE: Final = 1_000
"""Their values are a third of what SQLite takes in one statement."""
_READ: Final = (
    *(column for column in predictions.columns if column.name != "predicted_at"),
    epoch_us(predictions.c.predicted_at).label("at"),
)


def _keep(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """In one pipeline, as the driver of Postgres does by itself."""
    connection.execute(_KEEP, rows)


def _keep_at_once(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """As one statement of many rows, written out here since to have it built takes longer than to run it.

    Between two statements a busy interpreter runs other threads, while whoever else would write waits for this one.
    """
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        values = tuple(row[name] for row in part for name in _BOUND)
        connection.exec_driver_sql(_insert_of(len(part)), values)


def _insert_of(rows: int) -> str:
    names, marks = ", ".join(predictions.columns.keys()), ", ".join("?" * len(_BOUND))
    places = ", ".join([f"({marks})"] * rows)
    return f"INSERT INTO {predictions.name} ({names}) VALUES {places} ON CONFLICT DO NOTHING"  # noqa: S608


def _of_author(author: str) -> ColumnElement[bool]:
    theirs = select(videos.c.video_id).where(videos.c.author == author)
    same_platform = exists().where(
        videos.c.video_id == predictions.c.video_id,
        videos.c.author == author,
        or_(predictions.c.platform.is_(None), predictions.c.platform == videos.c.platform),
    )
    nameless = and_(predictions.c.author.is_(None), predictions.c.video_id.in_(theirs), same_platform)
    return or_(predictions.c.author == author, nameless)


def _row(served: ServedPrediction) -> dict[str, object]:
    return {
        **{name: getattr(served, name) for name in _SAME},
        "at": microseconds(served.predicted_at),
        "moment": served.moment.value,
        "probabilities": _json(served.probabilities),
        "features": _json(served.features),
        "missing": _json(served.missing),
    }


def _json(values: tuple[object, ...]) -> str:
    """Written as answers are, since vectors are most of what is kept."""
    return to_json(values, inf_nan_mode="null").decode()


def _prediction(row: Any) -> ServedPrediction:
    return ServedPrediction(
        **{name: getattr(row, name) for name in _SAME},
        predicted_at=time_of(row.at),
        moment=Moment(row.moment),
        probabilities=tuple(json.loads(row.probabilities)),
        features=tuple(json.loads(row.features)),
        missing=tuple(json.loads(row.missing)),
    )
