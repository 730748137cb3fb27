"""Handing many rows to a database at once, each database in its fastest way."""

from collections.abc import Callable
from typing import Final

import polars as pl
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

Load = Callable[[Connection, Table, pl.DataFrame], None]

NULL: Final = r"\N"


def insert_rows(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """One INSERT, run for every row by the driver itself (SQLite)."""
    columns, marks = _columns(connection, rows), ", ".join("?" * rows.width)
    insert = f"INSERT INTO temp.{_name(connection, table)} ({columns}) VALUES ({marks})"  # noqa: S608
    connection.exec_driver_sql(insert, rows.rows())


def copy_rows(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """One COPY from CSV (Postgres); text is quoted, so that a caption of ``\\N`` stays a caption."""
    into = f"pg_temp.{_name(connection, table)} ({_columns(connection, rows)})"
    content = rows.write_csv(include_header=False, null_value=NULL, quote_style="non_numeric").encode()
    driver = connection.connection.driver_connection
    assert driver is not None  # a connection in a transaction has its driver's connection
    statement = f"COPY {into} FROM STDIN (FORMAT csv, NULL '{NULL}')"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(content)
    except connection.dialect.loaded_dbapi.Error as error:  # SQLAlchemy wraps only what it sends itself
        raise DBAPIError(statement, None, error) from error


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.quote(table.name)


def _columns(connection: Connection, rows: pl.DataFrame) -> str:
    return ", ".join(map(connection.dialect.identifier_preparer.quote, rows.columns))
