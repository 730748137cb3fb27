"""Runs and the right to retrain, in SQL."""

import json
import os
import socket
import threading
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Engine, delete, insert, literal, select, update
from sqlalchemy.exc import DBAPIError

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import epoch_us, from_epoch_us, leases, microseconds, now_us, runs
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.ports import RunRecord

LEASE_SECONDS: Final = 30
"""A holder that died loses the lease this long after its last sign of life."""
RENEW_SECONDS: Final = 10
RETRAIN: Final = "retrain"


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
            "started_at": from_epoch_us(literal(microseconds(record.started_at))),
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


def _select_runs() -> Any:
    return select(runs.c.run, runs.c.moment, runs.c.status, epoch_us(runs.c.started_at).label("at"), runs.c.document)


def _record(row: Any) -> RunRecord:
    started_at = datetime.fromtimestamp(row.at / 1_000_000, tz=UTC)
    return RunRecord(row.run, Moment(row.moment), row.status, started_at, json.loads(row.document))


class SqlLease:
    """The right to retrain: one row under the database's clock, renewed while the holder lives."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._token = uuid4().hex
        self._holder = (
            f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        )
        self._done = threading.Event()
        self._renewal = threading.Thread(target=self._keep, daemon=True, name="lease")

    def __enter__(self) -> "SqlLease":
        """Take the lease; raises Unavailable naming who holds it."""
        try:
            self._take()
            self._renewal.start()
        except KeyboardInterrupt:  # it may be taken already, and no block is entered yet that would give it back
            self.__exit__()
            raise
        return self

    def _take(self) -> None:
        with plain_errors(self._where), self._engine.execution_options(writes=True).begin() as connection:
            held = connection.execute(
                select(leases.c.holder, (leases.c.expires_at - now_us()).label("left")).where(
                    leases.c.name == RETRAIN, leases.c.expires_at > now_us()
                )
            ).first()
            if held is not None:
                raise Unavailable(
                    f"A retrain is running already: {held.holder}. Wait for it to end; if that process is gone, "
                    f"its lease ends by itself in {max(1, round(held.left / 1_000_000))} seconds."
                )
            connection.execute(delete(leases).where(leases.c.name == RETRAIN))
            values = {"name": RETRAIN, "holder": self._holder, "token": self._token, "expires_at": _expiry()}
            connection.execute(insert(leases).values(values))

    def __exit__(self, *exc: object) -> None:
        """Give it back."""
        self._done.set()
        if self._renewal.is_alive():
            self._renewal.join()
        with plain_errors(self._where), self._engine.begin() as connection:
            connection.execute(delete(leases).where(leases.c.token == self._token))

    def _keep(self) -> None:
        while not self._done.wait(RENEW_SECONDS):
            try:
                with self._engine.begin() as connection:
                    mine = leases.c.token == self._token
                    connection.execute(update(leases).where(mine).values(expires_at=_expiry()))
            except DBAPIError:
                continue  # a database that is away for a moment; the promotion log decides any race


def _expiry() -> Any:
    return now_us() + LEASE_SECONDS * 1_000_000
