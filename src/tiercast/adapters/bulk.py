"""Handing many rows to a database at once, each database in its fastest way."""

from collections.abc import Callable
from typing import Final

import polars as pl
from sqlalchemy import Connection, Table, insert

Load = Callable[[Connection, Table, pl.DataFrame], None]

NULL: Final = r"\N"


def insert_rows(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """One prepared INSERT, run for every row (SQLite)."""
    connection.execute(insert(table), rows.to_dicts())


def copy_rows(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """One COPY from CSV (Postgres); text is quoted, so that a caption of ``\\N`` stays a caption."""
    name = connection.dialect.identifier_preparer.quote(table.name)
    columns = ", ".join(connection.dialect.identifier_preparer.quote(column) for column in rows.columns)
    content = rows.write_csv(include_header=False, null_value=NULL, quote_style="non_numeric").encode()
    driver = connection.connection.driver_connection
    assert driver is not None  # a connection in a transaction has its driver's connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY pg_temp.{name} ({columns}) FROM STDIN (FORMAT csv, NULL '{NULL}')") as copy,
    ):
        copy.write(content)
