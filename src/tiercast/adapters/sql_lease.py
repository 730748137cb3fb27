"""The right to retrain, in SQL: one row under the database's clock, renewed while its holder lives."""

import os
import socket
import threading
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import leases, now_us, time_of
from tiercast.core.errors import Busy, TiercastError, Unavailable
from tiercast.ports.runs import InProgress

LEASE_SECONDS: Final = 30
"""A holder that died loses the lease this long after its last sign of life."""
RENEW_SECONDS: Final = 10
RETRAIN: Final = "retrain"


class SqlLease:
    """The right of one run to retrain. A process that is given the token of a lease adopts it from who took it.

    From then on only the adopter renews it; both may give it back, so whichever of the two outlives the other does.
    """

    def __init__(self, engine: Engine, where: str, run: str, *, token: str | None = None) -> None:
        self._engine = engine
        self._where = where
        self.run = run
        self.token = token or uuid4().hex
        self._adopts = token is not None
        self._holder = f"process {os.getpid()} on {socket.gethostname()}"
        self._done = threading.Event()
        self._lost = threading.Event()
        self._renewal = threading.Thread(target=self._keep, daemon=True, name="lease")

    def __enter__(self) -> "SqlLease":
        """Take it, which raises Busy naming the run that holds it, or adopt it, Unavailable where it was lost."""
        try:
            with plain_errors(self._where), self._engine.execution_options(writes=True).begin() as connection:
                self._adopt(connection) if self._adopts else self._take(connection)
            self._renewal.start()
        except TiercastError:
            raise  # it was not taken
        except BaseException:  # it may be taken already, and no block is entered yet that would give it back
            self.__exit__()
            raise
        return self

    def _take(self, connection: Connection) -> None:
        _refuse_second(connection)
        connection.execute(delete(leases).where(leases.c.name == RETRAIN))
        values = {"name": RETRAIN, "holder": self._holder, "token": self.token, "run": self.run}
        connection.execute(insert(leases).values(**values, expires_at=_expiry(), taken_at=now_us()))

    def _adopt(self, connection: Connection) -> None:
        values = {"holder": self._holder, "expires_at": _expiry()}
        if connection.execute(update(leases).where(leases.c.token == self.token).values(values)).rowcount == 0:
            raise Unavailable(_LOST)

    def ensure_held(self) -> None:
        """Raises Unavailable where the row is gone or another's; a database that is away proves neither."""
        if self._lost.is_set() or not self._renewed():
            raise Unavailable(_LOST)

    def __exit__(self, *exc: object) -> None:
        """Give it back; where the database is away, it ends by itself."""
        self._done.set()
        if self._renewal.is_alive():
            self._renewal.join()
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(leases).where(leases.c.token == self.token))
        except SQLAlchemyError:
            return  # no run is changed by this: the row expires within half a minute

    def _keep(self) -> None:
        while not self._done.wait(RENEW_SECONDS):
            if not self._renewed():
                self._lost.set()
                return

    def _renewed(self) -> bool:
        """Whether it is still this process's; so it counts while the database is away, for promotions are numbered."""
        try:
            with self._engine.begin() as connection:
                renewal = update(leases).where(self._is_mine()).values(expires_at=_expiry())
                return connection.execute(renewal).rowcount > 0
        except SQLAlchemyError:  # also where other work has every connection
            return True

    def _is_mine(self) -> ColumnElement[bool]:
        return and_(leases.c.token == self.token, leases.c.holder == self._holder)


def retrain_in_progress(engine: Engine, where: str) -> InProgress | None:
    """The retrain that holds the lease now; None where nobody does."""
    with plain_errors(where), engine.connect() as connection:
        held = _held(connection)
    return None if held is None else _in_progress(held)


def _held(connection: Connection) -> Any:
    left = (leases.c.expires_at - now_us()).label("left")
    live = and_(leases.c.name == RETRAIN, leases.c.expires_at > now_us())
    return connection.execute(select(leases.c.run, leases.c.holder, leases.c.taken_at, left).where(live)).first()


def _in_progress(row: Any) -> InProgress:
    return InProgress(row.run, row.holder, time_of(row.taken_at))


def _refuse_second(connection: Connection) -> None:
    held = _held(connection)
    if held is not None:
        found = _in_progress(held)
        raise Busy(
            f"A retrain is running already: {found.run}, {found.holder}, since {found.since:%Y-%m-%d %H:%M:%S} UTC. "
            "Wait for it to end; if that process is gone, its lease ends by itself in "
            f"{max(1, round(held.left / 1_000_000))} seconds.",
            found.run,
            found.since,
        )


_LOST: Final = (
    "This run lost its lease: the process was stopped for too long, or somebody gave it back, so another retrain may "
    "have begun. Nothing more of it is published; run it again."
)


def _expiry() -> Any:
    return now_us() + LEASE_SECONDS * 1_000_000
