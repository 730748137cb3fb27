"""Every observation of stored videos: descriptions and counts come apart, so that a caption travels once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, bindparam, select

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.sql_reads import IDS_A_QUERY, fetched, wire
from tiercast.adapters.tables import KEY, epoch_us, from_epoch_us, observations, same_key, videos
from tiercast.core.video import COUNTS, DESCRIPTION, SCRAPE
from tiercast.intake.schema import SCHEMA


class SqlVideoHistory:
    """A VideoHistory on an engine whose tables exist."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        """The newest dated videos; see the port. Ordered here and never by the database's collation."""
        with plain_errors(self._where), self._engine.connect() as connection:
            oldest = _oldest_wanted(connection, limit)
            read = _Read.of(connection, _ALL) if oldest is None else _Read.of(connection, _SINCE, {"oldest": oldest})
        newest = read.described.sort("published_at", *KEY, descending=[True, False, False])
        return _joined(newest if limit is None else newest.head(limit), read.measured)

    def of_creators(self, creators: Sequence[tuple[str, str]]) -> pl.DataFrame:
        """The dated videos of these creators; see the port."""
        with plain_errors(self._where), self._engine.connect() as connection:
            parts = [_Read.of(connection, _OF_CREATORS, few) for few in _few_at_a_time(creators)]
        if not parts:
            return pl.DataFrame(schema=SCHEMA)
        return _joined(pl.concat([part.described for part in parts]), pl.concat([part.measured for part in parts]))

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        """Platform by handle; one that two platforms share is left out."""
        found: dict[str, set[str]] = {}
        with plain_errors(self._where), self._engine.connect() as connection:
            for start in range(0, len(authors), IDS_A_QUERY):
                part = list(authors[start : start + IDS_A_QUERY])
                query = select(videos.c.author, videos.c.platform).where(videos.c.author.in_(part)).distinct()
                for author, platform in connection.execute(query):
                    found.setdefault(author, set()).add(platform)
        return {author: next(iter(names)) for author, names in found.items() if len(names) == 1}

    def everything(self) -> pl.DataFrame:
        """Every observation, also of undated videos; see the port."""
        with plain_errors(self._where), self._engine.connect() as connection:
            read = _Read.of(connection, _Queries(_DESCRIBED, _MEASURED))
        return _joined(read.described, read.measured)


# -- asking


@dataclass(frozen=True, slots=True)
class _Queries:
    """Two queries of the same videos: what they are, and what was measured of them."""

    described: Select[Any]
    measured: Select[Any]


_DESCRIBED: Final = select(*(wire(name) for name in (*KEY, *(column.name for column in DESCRIPTION))))
_MEASURED: Final = select(
    *(observations.c[name] for name in KEY), *(wire(column.name) for column in (*COUNTS, *SCRAPE))
)
_DATED: Final = videos.c.published_at.is_not(None)


def _where(condition: ColumnElement[bool]) -> _Queries:
    both = videos.join(observations, same_key(observations, videos))
    return _Queries(_DESCRIBED.where(condition), _MEASURED.select_from(both).where(condition))


_ALL: Final = _Queries(_DESCRIBED.where(_DATED), _MEASURED)
_SINCE: Final = _where(videos.c.published_at >= from_epoch_us(bindparam("oldest")))
_OF_CREATORS: Final = _where(
    and_(
        videos.c.author.in_(bindparam("authors", expanding=True)),
        videos.c.platform == bindparam("platform"),
        _DATED,
    )
)


def _oldest_wanted(connection: Connection, limit: int | None) -> int | None:
    """Posting time of the last of the ``limit`` newest dated videos; None where that leaves no dated video out."""
    if limit is None:
        return None
    newest_first = videos.c.published_at.desc().nulls_last()  # as the index has it
    dated = select(epoch_us(videos.c.published_at)).where(_DATED).order_by(newest_first)
    last_and_next = connection.execute(dated.offset(limit - 1).limit(2)).scalars().all()
    return int(last_and_next[0]) if len(last_and_next) == 2 else None


def _few_at_a_time(creators: Sequence[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
    """The creators as parameters of ``_OF_CREATORS``, each creator once."""
    authors: dict[str, dict[str, None]] = {}
    for platform, author in creators:
        authors.setdefault(platform, {})[author] = None
    for platform, names in authors.items():
        for start in range(0, len(names), IDS_A_QUERY):
            yield {"platform": platform, "authors": list(names)[start : start + IDS_A_QUERY]}


# -- joining


@dataclass(frozen=True, slots=True)
class _Read:
    """Videos, one row each, and observations, which may also be of other videos."""

    described: pl.DataFrame
    measured: pl.DataFrame

    @classmethod
    def of(cls, connection: Connection, queries: _Queries, values: Mapping[str, Any] | None = None) -> "_Read":
        """What the two queries answer."""
        return cls(fetched(connection, queries.described, values), fetched(connection, queries.measured, values))


def _joined(described: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """One row an observation of the described videos, in canonical order."""
    rows = described.join(measured, on=KEY).sort("published_at", *KEY, "scraped_at", nulls_last=True)
    return rows[list(SCHEMA)]
