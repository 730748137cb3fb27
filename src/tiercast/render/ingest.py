"""What an ingest brought, as a table."""

from pathlib import PurePath
from typing import Final

from rich.console import Console
from rich.table import Table

from tiercast.flows.ingest import TABLE_NAME, FileReport, IngestReport
from tiercast.render.output import shown, stdout, warn

COLUMNS_SHOWN: Final = 12
"""As many as an error lists of a file's fields."""


def show_ingest(report: IngestReport) -> None:
    """One line a file, then what was refused and where it is kept."""
    console = stdout()
    if report.files:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("file", overflow="fold")
        for name in ("format", "read", "stored", "updated", "observations", "rejected"):
            table.add_column(name, justify="left" if name == "format" else "right")
        for file in report.files:
            table.add_row(shown(file.path), file.format, *_numbers(file))
        console.print(table)
    for file in report.files:
        _remarks(console, file)


def show_failures(report: IngestReport) -> None:
    """A sentence on standard error for each file that could not be read, or of which no row was accepted."""
    for _, error in report.failures:
        warn(f"Error: {error}")


def _numbers(file: FileReport) -> list[str]:
    if file.read_before:
        return ["read before", "-", "-", "-", "-"]
    return [f"{n:,}" for n in (file.read, file.stored, file.updated, file.observations, file.rejected)]


def _remarks(console: Console, file: FileReport) -> None:
    """What the reader of the table should know of one file."""
    name = shown(PurePath(file.path).name)
    if file.read_before:
        console.print(f"\n{name}: its content was read before, so nothing was added.")
    for reason, count in file.rejects.items():
        console.print(f"\n{name}: {count:,} rows rejected as {reason}, such as: {shown(file.examples[reason])}")
    if file.rejects_file:
        console.print(f"They are kept with their reasons: {shown(file.rejects_file)}", soft_wrap=True)
    for remark in (_guessed(file), _fell(file), _ignored(file)):
        if remark:
            console.print(f"\n{name}: {remark}")


def _guessed(file: FileReport) -> str:
    if not file.scrape_time_guessed:
        return ""
    if file.path == TABLE_NAME:
        return (
            f"{file.scrape_time_guessed:,} rows do not say when their counts were measured; when the row was inserted, "
            "or else the time of this reading, stands in."
        )
    return (
        f"{file.scrape_time_guessed:,} rows do not say when they were scraped; the file's own time, or when the row "
        "was inserted, stands in. Where that is wrong, read the file again with --scraped-at TIME."
    )


def _fell(file: FileReport) -> str:
    if not file.views_fell:
        return ""
    return (
        f"{file.views_fell:,} observations have fewer views than the one before them of the same video. Views never "
        "fall, so one of the two is a fault of the scraper or of its time; both are stored."
    )


def _ignored(file: FileReport) -> str:
    if not file.ignored_columns:
        return ""
    told = [
        shown(column) + (f" (did you mean {meant}?)" if meant else "") for column, meant in file.ignored_columns.items()
    ]
    more = f" and {len(told) - COLUMNS_SHOWN} more" if len(told) > COLUMNS_SHOWN else ""
    return f"columns that are not read: {', '.join(told[:COLUMNS_SHOWN])}{more}."
