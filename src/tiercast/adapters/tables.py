"""The tables as SQLAlchemy sees them, the same on SQLite and Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, Float, MetaData, Table, Text, and_, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from tiercast.core.video import COUNTS, DESCRIPTION, IDENTITY, Kind

SCHEMA: Final = "tiercast"
"""Schema of our tables on Postgres: tables in ``public`` may be exposed by Supabase's REST API."""
TEMPORARY: Final = "temporary"
"""Stands for each database's own schema of temporary tables."""

KEY: Final = tuple(column.name for column in IDENTITY)
TIMES: Final = ("published_at", "scraped_at", "described_at")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TYPES: Final[dict[Kind, TypeEngine[Any]]] = {
    "text": Text(),
    "count": BigInteger(),
    "real": Float(),
    "flag": Boolean(),
    "time": BigInteger(),
    "texts": Text(),
}
metadata: Final = MetaData()


def _columns(*groups: tuple[Any, ...]) -> list[Column[Any]]:
    return [Column(column.name, _TYPES[column.kind]) for group in groups for column in group]


def _key() -> list[Column[Any]]:
    return [Column(column.name, Text(), primary_key=True) for column in IDENTITY]


videos: Final = Table("videos", metadata, *_key(), *_columns(DESCRIPTION), Column("described_at", BigInteger))
observations: Final = Table(
    "observations",
    metadata,
    *_key(),
    Column("scraped_at", BigInteger, primary_key=True),
    *_columns(COUNTS),
    Column("scrape_time_guessed", Boolean),
)
incoming_videos: Final = Table(
    "incoming_videos",
    metadata,
    *_key(),
    *_columns(DESCRIPTION),
    Column("described_at", BigInteger),
    schema=TEMPORARY,
)
incoming_observations: Final = Table(
    "incoming_observations",
    metadata,
    *_key(),
    Column("scraped_at", BigInteger, primary_key=True),
    Column("row", BigInteger),
    *_columns(COUNTS),
    Column("scrape_time_guessed", Boolean),
    schema=TEMPORARY,
)
files_read: Final = Table(
    "files_read", metadata, Column("content", Text, primary_key=True), Column("read_at", BigInteger)
)
erasures: Final = Table(
    "erasures",
    metadata,
    Column("erased_at", BigInteger),
    Column("what", Text),
    Column("videos", BigInteger),
    Column("observations", BigInteger),
)
runs: Final = Table(
    "runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("moment", Text),
    Column("status", Text),
    Column("started_at", BigInteger),
    Column("document", Text),
)
leases: Final = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("token", Text),
    Column("expires_at", BigInteger),
    Column("run", Text),
    Column("taken_at", BigInteger),
)
slots: Final = Table(
    "slots",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("taken_by", Text),
    Column("taken_at", BigInteger),
)
predictions: Final = Table(
    "predictions",
    metadata,
    Column("prediction", Text, primary_key=True),
    Column("predicted_at", BigInteger),
    *(Column(name, Text) for name in ("platform", "video_id", "author", "moment", "release", "feature_schema")),
    *(Column(name, Text) for name in ("probabilities", "features", "missing")),
)
api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text),
    Column("added_at", BigInteger),
    Column("revoked_at", BigInteger),
)
identity: Final = Table("identity", metadata, Column("database_id", Text, primary_key=True))


def same_key(table: Any, other: Any) -> ColumnElement[bool]:
    """Whether two rows are of the same video."""
    return and_(*(table.c[name] == other.c[name] for name in KEY))


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970; seconds as a float lose the last of some from 2038 on.

    >>> microseconds(datetime(2038, 1, 19, 4, 0, 0, 116, tzinfo=UTC))
    2147486400000116
    """
    return (at - _EPOCH) // timedelta(microseconds=1)


def time_of(since_1970_us: int) -> datetime:
    """The time that so many microseconds since 1970 are, to the last of them.

    >>> time_of(2147486400000116)
    datetime.datetime(2038, 1, 19, 4, 0, 0, 116, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(microseconds=since_1970_us)


class epoch_us(FunctionElement[int]):  # noqa: N801
    """A stored time as whole microseconds since 1970."""

    type = BigInteger()
    inherit_cache = True


class from_epoch_us(FunctionElement[Any]):  # noqa: N801
    """Whole microseconds since 1970 as the database stores a time."""

    inherit_cache = True


class now_us(FunctionElement[int]):  # noqa: N801
    """The database's own clock, in microseconds since 1970."""

    type = BigInteger()
    inherit_cache = True


def stored_time(at: datetime) -> from_epoch_us:
    """A time as the database stores it."""
    return from_epoch_us(literal(microseconds(at)))


@compiles(epoch_us, "sqlite")
@compiles(from_epoch_us, "sqlite")
def _integers(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(epoch_us, "postgresql")
def _to_integer(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return f"(extract(epoch FROM {compiler.process(element.clauses, **kw)}) * 1000000)::bigint"


@compiles(from_epoch_us, "postgresql")
def _to_time(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return f"(timestamptz 'epoch' + ({compiler.process(element.clauses, **kw)}) * interval '1 microsecond')"


@compiles(now_us, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"


@compiles(now_us, "postgresql")
def _postgres_now(*_: Any, **__: Any) -> str:
    return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
