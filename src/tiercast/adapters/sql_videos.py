"""Videos and observations in SQL: one set of statements for SQLite and Postgres."""

from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, delete, exists, func, insert, literal, select

from tiercast.adapters.bulk import Load
from tiercast.adapters.databases import plain_errors
from tiercast.adapters.sql_reads import IDS_A_QUERY, fetched, wire
from tiercast.adapters.sql_writes import Reading, add_batch
from tiercast.adapters.tables import (
    KEY,
    epoch_us,
    erasures,
    files_read,
    from_epoch_us,
    microseconds,
    observations,
    same_key,
    videos,
)
from tiercast.intake.schema import SCHEMA
from tiercast.ports.videos import Added, Erased

BATCH: Final = 20_000
"""Rows handed to the driver at once: keeps 100,000 videos under some hundred megabytes."""


class SqlVideoStore:
    """A VideoStore on an engine whose tables exist."""

    def __init__(self, engine: Engine, where: str, *, load: Load) -> None:
        self._engine = engine
        self._where = where
        self._load = load

    def add(self, rows: pl.DataFrame, *, changes_only: bool, read_at: datetime | None = None) -> Added:
        """Store clean rows; see the port."""
        with plain_errors(self._where), self._engine.execution_options(writes=True).begin() as connection:
            total = Added(0, 0, 0, ())
            for part in rows.iter_slices(BATCH):
                when = Reading(changes_only, read_at)
                total = _sum(total, add_batch(connection, part, when, load=self._load))
            return total

    def platforms_of(self, video_ids: list[str]) -> dict[str, str]:
        """Platform by id; an id that two platforms share is left out."""
        found: dict[str, set[str]] = {}
        with plain_errors(self._where), self._engine.connect() as connection:
            for start in range(0, len(video_ids), IDS_A_QUERY):
                part = video_ids[start : start + IDS_A_QUERY]
                query = select(videos.c.video_id, videos.c.platform).where(videos.c.video_id.in_(part))
                for video_id, platform in connection.execute(query):
                    found.setdefault(video_id, set()).add(platform)
        return {video_id: next(iter(names)) for video_id, names in found.items() if len(names) == 1}

    def latest(self, *, limit: int | None, likes_known: bool) -> pl.DataFrame:
        """Newest usable videos, ordered here and never by the database's collation."""
        with plain_errors(self._where), self._engine.connect() as connection:
            query = _latest_rows(likes_known=likes_known)
            oldest = _oldest_wanted(connection, limit, likes_known=likes_known)
            if oldest is not None:
                query = query.where(videos.c.published_at >= from_epoch_us(literal(oldest)))
            frame = fetched(connection, query)
        ordered = frame.sort("published_at", *KEY, descending=[True, False, False], nulls_last=True)
        return ordered if limit is None else ordered.head(limit)

    def erase(self, *, author: str | None, video_id: str | None) -> Erased:
        """Remove an author's videos or one video, and their observations."""
        wanted = videos.c.author == author if author is not None else videos.c.video_id == video_id
        keys = select(*(videos.c[name] for name in KEY)).where(wanted).subquery()
        mine = exists().where(*(observations.c[name] == keys.c[name] for name in KEY))
        with plain_errors(self._where), self._engine.execution_options(writes=True).begin() as connection:
            seen = connection.execute(delete(observations).where(mine)).rowcount
            gone = connection.execute(delete(videos).where(wanted)).rowcount
            record = {
                "what": "author" if author is not None else "video",
                "videos": gone,
                "observations": seen,
                "erased_at": _time(datetime.now(UTC)),
            }
            connection.execute(insert(erasures).values(record))
        return Erased(gone, seen)

    def was_read(self, content: str) -> bool:
        """Whether this content was ingested whole."""
        query = select(literal(1)).where(exists().where(files_read.c.content == content))
        with plain_errors(self._where), self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def mark_read(self, content: str, at: datetime) -> None:
        """Remember the content; the same content twice is fine."""
        with plain_errors(self._where), self._engine.execution_options(writes=True).begin() as connection:
            known = connection.execute(select(files_read.c.content).where(files_read.c.content == content)).first()
            if known is None:
                connection.execute(insert(files_read).values(content=content, read_at=_time(at)))

    def count(self) -> tuple[int, int]:
        """Videos and observations stored."""
        with plain_errors(self._where), self._engine.connect() as connection:
            stored = connection.execute(select(func.count()).select_from(videos)).scalar_one()
            seen = connection.execute(select(func.count()).select_from(observations)).scalar_one()
        return stored, seen


def _time(at: datetime) -> ColumnElement[Any]:
    return from_epoch_us(literal(microseconds(at)))


def _sum(first: Added, second: Added) -> Added:
    return Added(
        first.stored + second.stored,
        first.updated + second.updated,
        first.observations + second.observations,
        first.conflicts + second.conflicts,
        first.views_fell + second.views_fell,
    )


# -- reading


def _usable(table: Any, *, likes_known: bool) -> ColumnElement[bool]:
    known = table.c.views > 0
    return and_(known, table.c.likes.is_not(None)) if likes_known else known


def _oldest_wanted(connection: Connection, limit: int | None, *, likes_known: bool) -> int | None:
    """Posting time of the last of the ``limit`` newest videos; None where all have to be read."""
    if limit is None:
        return None
    usable = exists().where(same_key(observations, videos), _usable(observations, likes_known=likes_known))
    newest_first = videos.c.published_at.desc().nulls_last()
    query = select(epoch_us(videos.c.published_at)).where(usable).order_by(newest_first).offset(limit - 1).limit(1)
    oldest = connection.execute(query).scalar()
    return None if oldest is None else int(oldest)


def _latest_rows(*, likes_known: bool) -> Select[Any]:
    other = observations.alias("other")
    newest = (
        select(func.max(other.c.scraped_at))
        .where(same_key(other, videos), _usable(other, likes_known=likes_known))
        .correlate(videos)
        .scalar_subquery()
    )
    joined = videos.join(observations, and_(same_key(observations, videos), observations.c.scraped_at == newest))
    return select(*(wire(name) for name in SCHEMA)).select_from(joined)
