"""What an ingest brought, as a table."""

from pathlib import PurePath

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tiercast.flows.ingest import FileReport, IngestReport
from tiercast.render.output import stdout, warn


def show_ingest(report: IngestReport) -> None:
    """One line a file, then what was refused and where it is kept."""
    console = stdout()
    if report.files:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("file", overflow="fold")
        for name in ("format", "read", "stored", "updated", "observations", "rejected"):
            table.add_column(name, justify="left" if name == "format" else "right")
        for file in report.files:
            numbers = (file.read, file.stored, file.updated, file.observations, file.rejected)
            table.add_row(escape(file.path), file.format, *(f"{number:,}" for number in numbers))
        console.print(table)
    for file in report.files:
        _remarks(console, file)


def show_failures(report: IngestReport) -> None:
    """A sentence on standard error for each file that could not be read."""
    for _, error in report.failed:
        warn(f"Error: {error}")


def _remarks(console: Console, file: FileReport) -> None:
    """What the reader of the table should know of one file."""
    name = escape(PurePath(file.path).name)
    if file.read_before:
        console.print(f"\n{name}: its content was read before, so nothing was added.")
    for reason, count in file.rejects.items():
        console.print(f"\n{name}: {count:,} rows rejected as {reason}, such as: {escape(file.examples[reason])}")
    if file.rejects_file:
        console.print(f"They are kept with their reasons: {escape(file.rejects_file)}", soft_wrap=True)
    if file.scrape_time_guessed:
        console.print(
            f"\n{name}: {file.scrape_time_guessed:,} rows do not say when they were scraped; the file's own time "
            "stands in. State it with --scraped-at where that is wrong."
        )
