"""An existing ``scraped_videos`` table (Supabase), read whole and never altered."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Column, Engine, MetaData, Table, inspect, select

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.formats import scraped_videos
from tiercast.ports import RawBatch

TABLE: Final = "scraped_videos"
PAGE: Final = 5_000
"""Rows fetched at once; every page is read until none is left."""


class SqlScrapedTable:
    """A ScrapedTable; columns that the table lacks are unknown."""

    def __init__(self, engine: Engine, table: Table, where: str) -> None:
        self._engine = engine
        self._table = table
        self._where = where

    def batches(self) -> Iterator[RawBatch]:
        """Every row, page after page, under canonical names."""
        query = select(self._table).execution_options(stream_results=True, yield_per=PAGE)
        with plain_errors(self._where), self._engine.connect() as connection:
            for page in connection.execute(query).mappings().partitions():
                items = [dict(row) for row in page]
                yield scraped_videos.batch(items)


def find_scraped_table(engine: Engine, *, schemas: tuple[str | None, ...], where: str) -> SqlScrapedTable | None:
    """The table in the first of these schemas that has it, with the columns it really has; None without one."""
    with plain_errors(where):
        inspector = inspect(engine)
        for schema in schemas:
            if inspector.has_table(TABLE, schema=schema):
                known = {*scraped_videos.COLUMNS}
                present = [c for c in inspector.get_columns(TABLE, schema=schema) if c["name"] in known]
                columns = [Column(c["name"], c["type"]) for c in present]
                return SqlScrapedTable(engine, Table(TABLE, MetaData(), *columns, schema=schema), where)
    return None
