"""``tiercast runs``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.flows.runs import find_runs, told
from tiercast.ports.runs import RunLog
from tiercast.render.output import print_json, warn
from tiercast.render.report import write_report
from tiercast.render.run import show_run, show_runs
from tiercast.wiring import Wiring

Answer = TypeVar("Answer")

RUN: Final = "A run's id or the start of it, or the id of a retrain of several moments; default: list the newest."

app = typer.Typer(add_completion=False)


@app.command()
def runs(
    run: Annotated[str | None, typer.Argument(help=RUN)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 20,
    report: Annotated[Path | None, typer.Option(help="Write the run as a page to this .html file.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List past runs, or show one whole."""
    _check(run, report)
    wiring = open_home(home)
    if run is None:
        records = _read(wiring, lambda log: log.recent(limit))
        if as_json:
            print_json({"runs": [record.document for record in records]})
        else:
            show_runs(records)
        return
    name = run
    records = _read(wiring, lambda log: find_runs(log, name))
    if report is not None:
        if len(records) > 1:
            told_apart = ", ".join(record.run for record in records)
            raise InvalidInput(f"A page holds one run, and {name} is several: name one of {told_apart}.")
        write_report(records[0].document, report)
        warn(f"The run is now a page: {report}")
    if as_json:
        print_json(told(records))
    elif report is None:
        for record in records:
            show_run(record.document)


def _check(run: str | None, report: Path | None) -> None:
    if report is None:
        return
    if run is None:
        raise typer.BadParameter("name the RUN to write; 'tiercast runs' lists them", param_hint="--report")
    if report.suffix.lower() != ".html":
        raise typer.BadParameter(f"{report} does not end in .html, as a page has to", param_hint="--report")


def _read(wiring: Wiring, ask: Callable[[RunLog], Answer]) -> Answer:
    """What the runs say; where their table cannot be read, those in the home's folder alone, and a warning."""
    try:
        return ask(wiring.runs)
    except Unavailable as error:
        warn(f"Warning: only runs kept in {wiring.settings.home / 'runs'} are known, not those of the table. {error}")
        return ask(wiring.run_folder)
