"""``tiercast ingest``."""

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tiercast.adapters.files import expand, open_file
from tiercast.adapters.formats import format_names
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.errors import InvalidInput, Missing, TiercastError
from tiercast.flows.ingest import FileReport, IngestOptions, IngestReport, ingest_file, ingest_table
from tiercast.intake.stated import stated_platform, stated_time
from tiercast.ports.runs import Progress
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
    options = IngestOptions(now(), stated_platform(platform, "--platform"), stated_time(scraped_at, "--scraped-at"))
    wiring = open_home(home)
    with progress_bars(quiet=as_json) as progress:
        if files == [DATABASE] and not Path(DATABASE).exists():
            report = IngestReport([_from_table(wiring, options, progress)])
        else:
            report = _Files(wiring, format_name, options, debug).read(files, progress)
    if as_json:
        print_json(report.to_document())
    else:
        show_ingest(report)
    show_failures(report)
    if report.failures:
        raise typer.Exit(1)


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
    debug: bool

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
                except TiercastError:
                    raise  # a full disk or a lost database stops every file
                except Exception as error:  # noqa: BLE001 -- the process edge: such a file stops no other
                    failed.append((str(file), self._unforeseen(file, error)))
        return IngestReport(done, failed)

    def _unforeseen(self, file: Path, error: Exception) -> str:
        if self.debug:
            sys.stderr.write("".join(traceback.format_exception(error)))
        told = next(iter(f"{type(error).__name__}: {error}".splitlines()))
        return f"{file} failed in a way nobody foresaw ({told[:200]}). Run it again with --debug and report it."

    def _read_one(self, file: Path, progress: Progress) -> FileReport:
        source = open_file(file, self.format_name)
        wiring = self.wiring
        return ingest_file(source, wiring.videos, wiring.rejects, options=self.options, progress=progress)
