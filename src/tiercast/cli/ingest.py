"""``tiercast ingest``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tiercast.adapters.files import expand, open_file
from tiercast.adapters.formats import format_names
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home, time_option
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.video import platform_name
from tiercast.flows.ingest import FileReport, IngestOptions, IngestReport, ingest_file, ingest_table
from tiercast.ports import Progress
from tiercast.render.ingest import show_failures, show_ingest
from tiercast.render.output import print_json, progress_bars
from tiercast.wiring import Wiring, now

DATABASE = "database"

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    files: Annotated[list[str], typer.Argument(help="Files and folders, or the word 'database'.")],
    format_name: Annotated[str | None, typer.Option("--format", help=f"One of {format_names()}.")] = None,
    platform: Annotated[str | None, typer.Option(help="Platform of rows that do not name theirs.")] = None,
    scraped_at: Annotated[str | None, typer.Option(help="Scrape time of rows that do not state theirs.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read scraper files into videos and observations; the same file twice adds nothing."""
    options = IngestOptions(now(), _platform(platform), time_option(scraped_at, "--scraped-at"))
    wiring = open_home(home)
    with progress_bars(quiet=as_json) as progress:
        if files == [DATABASE] and not Path(DATABASE).exists():
            report = IngestReport([_from_table(wiring, options, progress)])
        else:
            report = _Files(wiring, format_name, options).read(files, progress)
    if as_json:
        print_json(report.to_document())
    else:
        show_ingest(report)
    show_failures(report)
    if report.failed:
        raise typer.Exit(1)


def _platform(text: str | None) -> str | None:
    if text is None:
        return None
    name = platform_name(text)
    if name is None:
        raise InvalidInput(f"--platform {text!r} is no platform name; write tiktok, youtube or instagram.")
    return name


def _from_table(wiring: Wiring, options: IngestOptions, progress: Progress) -> FileReport:
    table = wiring.scraped_table
    if table is None:
        raise Missing(
            f"There is no table scraped_videos in {wiring.where}. Set database_url to the database that has it."
        )
    return ingest_table(table, wiring.videos, wiring.rejects, options=options, progress=progress)


@dataclass(frozen=True, slots=True)
class _Files:
    """What every file of one call shares."""

    wiring: Wiring
    format_name: str | None
    options: IngestOptions

    def read(self, paths: list[str], progress: Progress) -> IngestReport:
        """Each file on its own: one that cannot be read does not stop the others."""
        done: list[FileReport] = []
        failed: list[tuple[str, str]] = []
        for path in paths:
            try:
                files = expand([path])
            except InvalidInput as error:
                failed.append((path, str(error)))
                continue
            for file in files:
                try:
                    done.append(self._read_one(file, progress))
                except InvalidInput as error:
                    failed.append((str(file), str(error)))
        return IngestReport(done, failed)

    def _read_one(self, file: Path, progress: Progress) -> FileReport:
        source = open_file(file, self.format_name)
        wiring = self.wiring
        return ingest_file(source, wiring.videos, wiring.rejects, options=self.options, progress=progress)
