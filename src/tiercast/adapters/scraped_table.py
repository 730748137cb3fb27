"""An existing ``scraped_videos`` table (Supabase), read whole and never altered."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from sqlalchemy import Column, Engine, MetaData, Table, inspect, select, text

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.formats import scraped_videos
from tiercast.ports.videos import RawBatch

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
                items = [{name: _plain(value) for name, value in row.items()} for row in page]
                yield scraped_videos.batch(items)


def _plain(value: object) -> object:
    """A ``numeric`` as the int or float it is; anything else as the driver gives it."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


def find_scraped_table(engine: Engine, *, schemas: tuple[str | None, ...], where: str) -> SqlScrapedTable | None:
    """The table in the first of these schemas that has it, with the columns it really has; None without one."""
    with plain_errors(where), engine.connect() as connection:
        inspector = inspect(connection)
        for schema in schemas:
            if inspector.has_table(TABLE, schema=schema):
                table = Table(TABLE, MetaData(), schema=schema)
                names = connection.execute(select(text("*")).select_from(table).limit(0)).keys()
                for name in names:
                    if name in scraped_videos.COLUMNS:
                        table.append_column(Column(name))  # without a type: values pass as the driver gives them
                return SqlScrapedTable(engine, table, where)
    return None
