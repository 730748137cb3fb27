"""Adding a batch: staged in temporary tables, compared there, then merged by a handful of statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from tiercast.adapters.bulk import Load
from tiercast.adapters.tables import (
    KEY,
    TIMES,
    epoch_us,
    from_epoch_us,
    incoming_observations,
    incoming_videos,
    microseconds,
    observations,
    same_key,
    videos,
)
from tiercast.core.video import COUNTS, DESCRIPTION
from tiercast.ports.videos import Added

DESCRIBED: Final = tuple(column.name for column in DESCRIPTION)
COUNTED: Final = tuple(column.name for column in COUNTS)
COMPARED: Final = tuple(name for name in COUNTED if name != "author_followers")
"""Counts of the video itself; followers move without the video being measured again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are compared with what is stored; see ``ports.VideoStore.add``."""

    changes_only: bool = False
    read_at: datetime | None = None


def add_batch(connection: Connection, rows: pl.DataFrame, reading: Reading, *, load: Load) -> Added:
    """Merge clean canonical rows, unique by video and scrape time, into videos and observations."""
    with _staged(connection, rows, load):
        stored = _number(connection, _count(incoming_videos, ~_is_stored()))
        known = stored < _number(connection, _count(incoming_videos, true()))
        conflicts = _keep_fresh(connection, reading) if known else []
        updated = _number(connection, _count_updated()) if known else 0
        observed = _number(connection, _count(incoming_observations, true()))
        connection.execute(_insert_into(observations, incoming_observations, true()))
        fell = _number(connection, _count(incoming_observations, _has_fewer_views_than_before()))
        if known:
            connection.execute(_update_videos())
        connection.execute(_insert_into(videos, incoming_videos, ~_is_stored()))
    return Added(stored, updated, observed, tuple(conflicts), fell)


def _keep_fresh(connection: Connection, reading: Reading) -> list[int]:
    """Leave only observations that say something new in the staging table; the rows that contradict stored ones."""
    if reading.read_at is not None:
        connection.execute(_move_to(microseconds(reading.read_at)))
    conflicts = sorted(row for (row,) in connection.execute(_conflicting_rows(changes_only=reading.changes_only)))
    connection.execute(delete(incoming_observations).where(~_is_fresh(changes_only=reading.changes_only)))
    return conflicts


def _number(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())


# -- staging


@contextmanager
def _staged(connection: Connection, rows: pl.DataFrame, load: Load) -> Iterator[None]:
    rows = rows.sort("video_id", "platform")  # as the keys' indexes have them, which makes inserting faster
    counts = rows.select(*KEY, "scraped_at", "row", *COUNTED, "scrape_time_guessed")
    for table, frame in ((incoming_videos, _described(rows)), (incoming_observations, counts)):
        table.create(connection)
        load(connection, table, _encode(frame))
    yield
    for table in (incoming_videos, incoming_observations):
        table.drop(connection)


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a video: for each column the newest known value, and when it was last described."""
    encoded = _hashtags_as_json(rows)
    if not encoded.select(KEY).is_duplicated().any():
        return encoded.select(*KEY, *DESCRIBED, pl.col("scraped_at").alias("described_at"))
    newest_known = [pl.col(name).drop_nulls().last() for name in DESCRIBED]
    oldest_first = encoded.sort("scraped_at", maintain_order=True).group_by(KEY, maintain_order=True)
    return oldest_first.agg(*newest_known, pl.col("scraped_at").last().alias("described_at"))


def _hashtags_as_json(frame: pl.DataFrame) -> pl.DataFrame:
    tag = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    inner = pl.col("hashtags").list.eval(tag.str.replace_all(r"[\x00-\x1f]", " ")).list.join('","')
    empty = pl.col("hashtags").list.len() == 0
    listed = pl.when(empty).then(pl.lit("[]")).otherwise(pl.concat_str(pl.lit('["'), inner, pl.lit('"]')))
    return frame.with_columns(pl.when(pl.col("hashtags").is_not_null()).then(listed).alias("hashtags"))


def _encode(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).dt.epoch("us") for name in TIMES if name in frame.columns)


# -- comparing


def _count(table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(table).where(condition)


def _is_stored() -> ColumnElement[bool]:
    return exists().where(same_key(videos, incoming_videos))


def _differs(first: Any, second: Any) -> ColumnElement[bool]:
    return or_(*(first.c[name].is_distinct_from(second.c[name]) for name in COMPARED))


def _same_observation() -> ColumnElement[bool]:
    at = epoch_us(observations.c.scraped_at) == incoming_observations.c.scraped_at
    return and_(same_key(observations, incoming_observations), at)


def _adds(names: tuple[str, ...]) -> ColumnElement[bool]:
    """The incoming row knows a count that the observation beside it lacks or contradicts."""
    known = (incoming_observations.c[name] for name in names)
    return or_(*(and_(count.is_not(None), count.is_distinct_from(observations.c[count.name])) for count in known))


def _conflicting_rows(*, changes_only: bool) -> Select[Any]:
    """Rows whose scrape time is taken by an observation that does not hold all that the row knows."""
    joined = incoming_observations.join(observations, _same_observation())
    adds = _adds(COMPARED if changes_only else COUNTED)
    return select(incoming_observations.c.row).select_from(joined).where(adds)


def _move_to(read_at: int) -> Any:
    """Where a table's times stand still while its counts move, the newest counts are of the time of reading."""
    other = incoming_observations.alias("other")
    newer = exists().where(
        same_key(other, incoming_observations), other.c.scraped_at > incoming_observations.c.scraped_at
    )
    taken = exists().where(_same_observation(), _adds(COMPARED))
    return (
        update(incoming_observations)
        .where(incoming_observations.c.scraped_at < read_at, taken, ~newer)
        .values(scraped_at=read_at, scrape_time_guessed=True)
    )


def _has_fewer_views_than_before() -> ColumnElement[bool]:
    at = from_epoch_us(incoming_observations.c.scraped_at)
    before = (
        select(observations.c.views)
        .where(same_key(observations, incoming_observations), observations.c.scraped_at < at)
        .where(observations.c.views.is_not(None))
        .order_by(observations.c.scraped_at.desc())
        .limit(1)
        .correlate(incoming_observations)
        .scalar_subquery()
    )
    return incoming_observations.c.views < before


def _is_fresh(*, changes_only: bool) -> ColumnElement[bool]:
    """No observation stands at that time, and where the time proves nothing, the counts differ from the latest."""
    other, latest = observations.alias("other"), observations.alias("latest")
    newest = select(func.max(other.c.scraped_at)).where(same_key(other, latest)).scalar_subquery()
    repeats = exists().where(
        same_key(latest, incoming_observations),
        latest.c.scraped_at == newest,
        ~_differs(latest, incoming_observations),
    )
    doubtful = literal(value=True) if changes_only else incoming_observations.c.scrape_time_guessed
    return and_(~exists().where(_same_observation()), ~and_(doubtful, repeats))


def _incoming(name: str) -> ColumnElement[Any]:
    column = incoming_videos.c[name]
    return from_epoch_us(column) if name in TIMES else column


def _merged(name: str) -> ColumnElement[Any]:
    """The newer scrape's word where it has one; an older scrape only fills what is unknown."""
    newer = incoming_videos.c.described_at >= epoch_us(videos.c.described_at)
    stated, stored = _incoming(name), videos.c[name]
    return case((newer, func.coalesce(stated, stored)), else_=func.coalesce(stored, stated))


def _changes_description() -> ColumnElement[bool]:
    return or_(*(_merged(name).is_distinct_from(videos.c[name]) for name in DESCRIBED))


def _count_updated() -> Select[Any]:
    """Stored videos that gain an observation or a changed description."""
    gains = exists().where(same_key(incoming_observations, incoming_videos))
    joined = incoming_videos.join(videos, same_key(videos, incoming_videos))
    return select(func.count()).select_from(joined).where(or_(_changes_description(), gains))


# -- merging


def _insert_into(table: Table, staged: Table, condition: ColumnElement[bool]) -> Any:
    names = [column.name for column in table.columns]
    values = [from_epoch_us(staged.c[name]) if name in TIMES else staged.c[name] for name in names]
    return insert(table).from_select(names, select(*values).select_from(staged).where(condition))


def _update_videos() -> Any:
    newer = incoming_videos.c.described_at > epoch_us(videos.c.described_at)
    described_at = case((newer, _incoming("described_at")), else_=videos.c.described_at)
    return (
        update(videos)
        .where(same_key(videos, incoming_videos), or_(newer, _changes_description()))
        .values({"described_at": described_at, **{name: _merged(name) for name in DESCRIBED}})
    )
