"""``tiercast runs``."""

from pathlib import Path
from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.render.output import print_json, warn
from tiercast.render.report import write_report
from tiercast.render.run import show_run, show_runs

app = typer.Typer(add_completion=False)


@app.command()
def runs(
    run: Annotated[str | None, typer.Argument(help="A run's id or the start of it; default: list the newest.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 20,
    report: Annotated[Path | None, typer.Option(help="Write the run as a page to this .html file.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List past runs, or show one whole."""
    log = open_home(home).runs
    if run is None:
        records = log.recent(limit)
        if as_json:
            print_json({"runs": [record.document for record in records]})
        else:
            show_runs(records)
        return
    record = log.get(run)
    if report is not None:
        write_report(record.document, report)
        warn(f"The run is now a page: {report}")
    if as_json:
        print_json(record.document)
    elif report is None:
        show_run(record.document)
