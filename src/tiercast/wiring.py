"""The only place that picks adapters: from settings to ports."""

import getpass
import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from tiercast import __version__
from tiercast.adapters.bulk import copy_rows, insert_rows
from tiercast.adapters.databases import DatabaseFile, database_id, open_postgres, open_sqlite, shown
from tiercast.adapters.frozen_file import read_frozen
from tiercast.adapters.home import RejectFolder, RunFolder, RunsInEither
from tiercast.adapters.log_choice import choose_log, is_in_database, recorded_log
from tiercast.adapters.objects import open_objects
from tiercast.adapters.promotion_logs import SqlLog
from tiercast.adapters.rehearsal import FreshProcess
from tiercast.adapters.scraped_table import find_scraped_table
from tiercast.adapters.sql_history import SqlVideoHistory
from tiercast.adapters.sql_keys import SqlKeyRing
from tiercast.adapters.sql_lease import SqlLease, retrain_in_progress
from tiercast.adapters.sql_predictions import SqlPredictions
from tiercast.adapters.sql_runs import SqlRunLog
from tiercast.adapters.sql_slots import SqlSlots
from tiercast.adapters.sql_videos import SqlVideoStore
from tiercast.adapters.webhook import Webhook
from tiercast.core.errors import InvalidInput
from tiercast.ports.models import ObjectStore, PromotionLog, Rehearsal
from tiercast.ports.runs import InProgress, Notifier, RunLog, Slots
from tiercast.ports.serving import KeyRing, ServedPredictions
from tiercast.ports.videos import FrozenSet, ScrapedTable, VideoHistory, VideoStore
from tiercast.settings import Settings

LIBRARIES: Final = ("numpy", "polars", "scikit-learn", "xgboost-cpu", "xgboost")
"""Libraries whose version may change what a fit gives."""
POSTGRES: Final = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True)
class Wiring:
    """The adapters that a home's settings ask for, each opened when it is first needed."""

    settings: Settings

    @property
    def _on_postgres(self) -> bool:
        return self.settings.database_url.split(":", 1)[0] in POSTGRES

    @property
    def where(self) -> str:
        """The database in words, without its password."""
        return f"the database {shown(self.settings.database_url)}" if self._on_postgres else self.settings.database_url

    @cached_property
    def engine(self) -> Engine:
        """The database, with its tables."""
        url = self.settings.database_url
        if self._on_postgres:
            return open_postgres(url)
        if not url.startswith("sqlite:///"):
            raise InvalidInput(f"database_url {shown(url)} is neither sqlite:///PATH nor postgresql://...")
        engine = open_sqlite(self._file.path)
        self._file.opened()
        return engine

    @cached_property
    def _file(self) -> DatabaseFile:
        return DatabaseFile(Path(self.settings.database_url.removeprefix("sqlite:///")))

    def reopen_replaced(self) -> bool:
        """Whether another SQLite file stands where the opened one stood; from then on that is used, or none."""
        return not self._on_postgres and "engine" in vars(self) and self._file.reopen_replaced(self.engine)

    def close(self) -> None:
        """Give back the connections of the database, if it was opened; it opens again for who asks."""
        if "engine" in vars(self):
            self.engine.dispose()

    @cached_property
    def videos(self) -> VideoStore:
        """Videos and observations."""
        return SqlVideoStore(self.engine, self.where, load=copy_rows if self._on_postgres else insert_rows)

    @cached_property
    def history(self) -> VideoHistory:
        """Every observation of stored videos."""
        return SqlVideoHistory(self.engine, self.where)

    @cached_property
    def scraped_table(self) -> ScrapedTable | None:
        """An existing ``scraped_videos`` table in the same database, if there is one."""
        schemas = ("public",) if self._on_postgres else (None,)
        return find_scraped_table(self.engine, schemas=schemas, where=self.where)

    @cached_property
    def runs(self) -> RunLog:
        """Past runs."""
        return RunsInEither(SqlRunLog(self.engine, self.where), self.run_folder)

    @cached_property
    def served(self) -> ServedPredictions:
        """Predictions that were served."""
        return SqlPredictions(self.engine, self.where)

    @property
    def run_folder(self) -> RunFolder:
        """Runs that no database took."""
        return RunFolder(self.settings.home / "runs")

    @property
    def rejects(self) -> RejectFolder:
        """Refused rows."""
        return RejectFolder(self.settings.home / "rejects")

    @cached_property
    def keys(self) -> KeyRing:
        """API keys."""
        return SqlKeyRing(self.engine, self.where)

    def lease(self, run: str, *, token: str | None = None) -> SqlLease:
        """The right to retrain, for the run of this id; with a token, the one that another process took for it."""
        return SqlLease(self.engine, self.where, run, token=token)

    def in_progress(self) -> InProgress | None:
        """The retrain that is under way, whoever runs it."""
        return retrain_in_progress(self.engine, self.where)

    @property
    def slots(self) -> Slots:
        """The times at which the schedule was due."""
        return SqlSlots(self.engine, self.where, "retrain")

    @property
    def notifier(self) -> Notifier | None:
        """Who hears of retrains that did not promote; None where nobody wants to."""
        url, shape = self.settings.notify.webhook_url, self.settings.notify.format
        return None if url is None else Webhook(url.get_secret_value(), shape)

    def rehearsal(self) -> Rehearsal:
        """A fresh process, already starting."""
        return FreshProcess()

    @property
    def fallback(self) -> Callable[[], FrozenSet] | None:
        """How to read the fallback file, where one is set."""
        path = self.settings.retrain.fallback_path
        return None if path is None else lambda: _read_fallback(path)

    @cached_property
    def objects(self) -> ObjectStore:
        """The model store."""
        return open_objects(self.settings.model_store_url)

    def read_log(self) -> PromotionLog | None:
        """The promotion log for readers; None where nothing was ever promoted. Opens a database only if it is there."""
        if is_in_database(self.objects):
            return recorded_log(self.objects, *self._sql_log())
        return recorded_log(self.objects, None, None)

    def write_log(self) -> PromotionLog:
        """The promotion log that is safe to write, probed and recorded."""
        return choose_log(self.objects, *self._sql_log())

    def fallback_log_name(self) -> str | None:
        """The log that is used where the store honours no condition; None where there is none."""
        return "postgres" if self._on_postgres else None

    def _sql_log(self) -> tuple[SqlLog | None, str | None]:
        if not self._on_postgres:
            return None, None
        return SqlLog(self.engine), database_id(self.engine)


def _read_fallback(path: Path) -> FrozenSet:
    """The fallback file; an unusable one is told with its whole path: a relative one depends on where one stands."""
    try:
        return read_frozen(path)
    except InvalidInput as error:
        told = f"{error} Its whole path is {path.absolute()}."
        if not path.is_absolute():
            told += " Write retrain.fallback_path from the root, or it depends on the working directory."
        raise InvalidInput(told) from error


def now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


def actor() -> str:
    """Who acts: user and machine, as the promotion log records them."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"  # a container may run under a number that has no name
    return f"{user}@{socket.gethostname()}"


def libraries() -> dict[str, str]:
    """Versions of everything that a fit depends on."""
    found = {"python": platform.python_version(), "tiercast": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # one of the two XGBoost packages, by platform
    return found
