"""Opening SQLite and Postgres: engines, their settings, and their failures in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from tiercast.adapters import migrations
from tiercast.adapters.tables import SCHEMA, TEMPORARY, identity
from tiercast.core.errors import InvalidInput, Unavailable

BUSY_SECONDS: Final = 30
"""How long a writer waits for another before it gives up."""
CONNECT_SECONDS: Final = 10
DEAD_LINE: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""A connection whose other end vanished fails within a minute; by itself the system waits for up to two hours."""
PRAGMAS: Final = (
    "journal_mode = WAL",  # readers go on while one writes
    "synchronous = NORMAL",  # with WAL a crash leaves the file sound
    "temp_store = MEMORY",
    "cache_size = -65536",  # 64 MiB: ids arrive in no order, so inserts touch the whole index
    "secure_delete = ON",  # what is forgotten leaves no bytes behind
)


def open_sqlite(path: Path) -> Engine:
    """The SQLite database of a home, created and migrated; raises Unavailable where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {path.parent} cannot be created ({error.strerror}). Choose another --home."
        ) from error
    address = URL.create("sqlite", database=str(path))  # a folder's name may hold "?", which text would end at
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    engine = engine.execution_options(schema_translate_map={TEMPORARY: "temp"})
    with _closed_on_failure(engine), plain_errors(f"the SQLite database {path}"):
        migrations.migrate(engine, migrations.SQLITE)
    event.listen(engine, "do_connect", _open_no_new_file)
    return engine


class DatabaseFile:
    """The file of a SQLite database; one that was moved is still open, and would be read and written for ever."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None

    def opened(self) -> None:
        """Connections lead to the file that stands there now."""
        self._opened = self._found()

    def reopen_replaced(self, engine: Engine) -> bool:
        """Whether another file is there than at the last look; connections to the one before are given up."""
        found = self._found()
        before, self._opened = self._opened, found
        if before == found:
            return False
        engine.dispose()  # SQLite notices that the file was moved, and leaves what stands in its place alone
        return found is not None

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def open_postgres(url: str) -> Engine:
    """A Postgres database with the schema ``tiercast``, created and migrated; raises Unavailable or InvalidInput."""
    engine = connect_postgres(url)
    with _closed_on_failure(engine), plain_errors(f"the database {shown(url)}"):
        migrations.migrate(engine, migrations.POSTGRES, prepare=migrations.POSTGRES_PREPARE)
    return engine


def connect_postgres(url: str) -> Engine:
    """An engine that works behind a transaction pooler: no server-side prepares, no session state."""
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        arguments = {"prepare_threshold": None, "connect_timeout": CONNECT_SECONDS, **DEAD_LINE}
        engine = create_engine(address, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, ValueError) as error:  # neither text is shown: both may hold the password
        raise InvalidInput(
            "database_url is not a database URL. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and special "
            "characters of the password as %XX."
        ) from error
    except (ImportError, NoSuchModuleError) as error:
        raise InvalidInput("Postgres needs its driver: pip install 'tiercast[postgres]'.") from error
    event.listen(engine, "begin", _begin_postgres)
    return engine.execution_options(schema_translate_map={None: SCHEMA, TEMPORARY: "pg_temp"})


def database_id(engine: Engine) -> str:
    """The id that this database was given when its tables were made."""
    with plain_errors("the database"), engine.connect() as connection:
        return str(connection.execute(select(identity.c.database_id)).scalar_one())


def shown(url: str) -> str:
    """The URL without its password, and without its options, which may hold one; raises InvalidInput where it is none.

    >>> shown("postgresql://ana:s3cret@host/db?sslmode=require")
    'postgresql://ana:***@host/db?...'
    """
    try:
        address = make_url(url)
        plain = address.set(query={}).render_as_string(hide_password=True)
        return f"{plain}?..." if address.query else plain
    except (ArgumentError, ValueError) as error:
        raise InvalidInput("database_url is no URL; write sqlite:///PATH or postgresql://USER@HOST/NAME.") from error


@contextmanager
def plain_errors(what: str) -> Iterator[None]:
    """Turn a driver's error into Unavailable with one sentence; the statement and its values stay out of it."""
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split()).rstrip(".?! ")
        raise Unavailable(f"Could not use {what}: {reason}. {_remedy(reason)}") from error
    except SQLAlchemyError as error:
        raise Unavailable(f"Could not use {what}: {error}.") from error


@contextmanager
def _closed_on_failure(engine: Engine) -> Iterator[None]:
    """Leave no connection open where opening fails."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


_REMEDIES: Final = (
    ("password authentication", "Check user and password in database_url."),
    ("no password supplied", "Put the password into database_url."),
    ("does not exist", "Check the database name and user in database_url."),
    ("readonly", "Make the home writable, or choose another --home."),
    ("read-only", "Make the home writable, or choose another --home."),
    ("unable to open database file", "Make the home writable, or choose another --home."),
    ("disk is full", "Free some disk space; what was committed before is kept."),
    ("disk I/O error", "Check the disk; what was committed before is kept."),
    ("not a database", "The file is damaged or something else; move it away or choose another --home."),
    ("malformed", "The file is damaged; restore it from a backup or choose another --home."),
    ("locked", "Another process is writing; try again when it is done."),
    ("permission denied", "Give the role the right it lacks, or use another one in database_url."),
)


def _remedy(reason: str) -> str:
    for words, remedy in _REMEDIES:
        if words in reason:
            return remedy
    return "Check database_url and that the server is running; nothing was changed, so try again."


def _open_no_new_file(_dialect: Any, _record: Any, cargs: list[Any], cparams: dict[str, Any]) -> None:
    """A file that is gone is missed; by itself SQLite would go on with an empty one."""
    cargs[0], cparams["uri"] = f"{Path(cargs[0]).absolute().as_uri()}?mode=rw", True


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own transactions leave DDL out; ours are explicit
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: Any) -> None:
    """One bulk writer at a time, as SQLite has it; the lock ends with its transaction."""
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrations.WRITERS_LOCK})")
