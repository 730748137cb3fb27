"""Runs, in SQL."""

import json
from typing import Any

from sqlalchemy import Engine, insert, select

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import epoch_us, runs, stored_time, time_of
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.moments import Moment
from tiercast.ports.runs import RunRecord


class SqlRunLog:
    """A RunLog on an engine whose tables exist."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    def save(self, record: RunRecord) -> None:
        """Keep a run."""
        values = {
            "run": record.run,
            "moment": record.moment.value,
            "status": record.status,
            "started_at": stored_time(record.started_at),
            "document": json.dumps(record.document, allow_nan=False),
        }
        with plain_errors(self._where), self._engine.begin() as connection:
            connection.execute(insert(runs).values(values))

    def recent(self, limit: int) -> list[RunRecord]:
        """The newest runs, newest first."""
        with plain_errors(self._where), self._engine.connect() as connection:
            found = connection.execute(_select_runs().order_by(runs.c.started_at.desc()).limit(limit)).all()
        return [_record(row) for row in found]

    def get(self, run: str) -> RunRecord:
        """One run by id or unique prefix."""
        with plain_errors(self._where), self._engine.connect() as connection:
            found = connection.execute(_select_runs().where(runs.c.run.startswith(run, autoescape=True))).all()
        if len(found) == 1:
            return _record(found[0])
        if found:
            raise InvalidInput(f"Run {run!r} is not unique: {', '.join(row.run for row in found[:5])}.")
        raise Missing(f"There is no run {run!r}. 'tiercast runs' lists them.")

    def of(self, retrain: str) -> list[RunRecord]:
        """The run of this very id, and those of its single moments, oldest first."""
        wanted = _select_runs().where(runs.c.run.in_(ids_of(retrain))).order_by(runs.c.started_at)
        with plain_errors(self._where), self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(wanted).all()]


def ids_of(retrain: str) -> list[str]:
    """The ids that the runs of one retrain may have."""
    return [retrain, *(f"{retrain}-{moment.value}" for moment in Moment)]


def _select_runs() -> Any:
    return select(runs.c.run, runs.c.moment, runs.c.status, epoch_us(runs.c.started_at).label("at"), runs.c.document)


def _record(row: Any) -> RunRecord:
    return RunRecord(row.run, Moment(row.moment), row.status, time_of(row.at), json.loads(row.document))
