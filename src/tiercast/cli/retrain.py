"""``tiercast retrain``."""

import sys
from typing import Annotated, Final

import structlog
import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.errors import TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.publish import Order
from tiercast.flows.report import RunReport, failed_before_it_began, recorded
from tiercast.flows.retrain import World, retrain
from tiercast.flows.training_set import TrainingPlan
from tiercast.ports import Progress
from tiercast.render.logs import log_to_stderr
from tiercast.render.output import print_json, progress_bars, warn
from tiercast.render.run import show_run
from tiercast.settings import Settings
from tiercast.wiring import Wiring, actor, libraries, now

EXIT_OF = {"promoted": 0, "held": 3, "rejected": 3, "failed": 1}

DRY_RUN: Final = (
    "Judge only: publish nothing and record no run. What changed in a scraped_videos table is noted all the same."
)

app = typer.Typer(add_completion=False)


@app.command(name="retrain")
def command(
    moment: Annotated[Moment | None, typer.Option(help="Default: every moment of retrain.moments.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=DRY_RUN)] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Train on the newest videos, judge the candidate, publish it only if it passes."""
    log_to_stderr(debug=debug)
    wiring = open_home(home)
    moments = [moment] if moment else list(wiring.settings.retrain.moments)
    with progress_bars(quiet=as_json) as progress:
        reports = [_retrain_one(wiring, each, progress, dry_run=dry_run) for each in moments]
    for report in reports:
        _log(report, machine=as_json)
    if as_json:
        documents = [report.to_document() for report in reports]
        print_json(documents[0] if len(documents) == 1 else {"runs": documents})
    else:
        for report in reports:
            show_run(report.to_document())
    _exit({report.status for report in reports}, reports)


def _retrain_one(wiring: Wiring, moment: Moment, progress: Progress, *, dry_run: bool) -> RunReport:
    order = order_of(wiring.settings, moment, dry_run=dry_run)
    try:
        world = world_of(wiring)
    except TiercastError as error:  # a database that cannot be read is a failed run, and never a fallback
        return recorded(failed_before_it_began(moment, now(), str(error), dry_run=dry_run), wiring.run_folder)
    return retrain(world, order, progress=progress)


def order_of(settings: Settings, moment: Moment, *, dry_run: bool = False) -> Order:
    """What the settings ask of a retrain of this moment."""
    chosen = settings.retrain
    plan = TrainingPlan(
        max_videos=chosen.max_videos,
        min_videos=chosen.min_videos,
        test_share=chosen.test_share,
        seed=chosen.seed,
        save_per_like=chosen.save_per_like,
    )
    return Order(moment, plan, settings.gate.min_accuracy_of(moment), dry_run)


def world_of(wiring: Wiring) -> World:
    """Everything a retrain reaches, opened; raises Unavailable where the database is not there."""
    return World(
        videos=wiring.videos,
        scraped_table=wiring.scraped_table,
        rejects=wiring.rejects,
        fallback=wiring.fallback,
        objects=wiring.objects,
        read_log=wiring.read_log,
        write_log=wiring.write_log,
        runs=wiring.runs,
        lease=wiring.lease,
        rehearsal=wiring.rehearsal,
        now=now,
        libraries=libraries(),
        actor=actor(),
    )


def _log(report: RunReport, *, machine: bool) -> None:
    """The whole result as one log line, for whoever collects standard error; who sits there sees the tables."""
    if machine or not sys.stderr.isatty():
        structlog.get_logger().info("retrain", **report.to_document())


def _exit(statuses: set[str], reports: list[RunReport]) -> None:
    for report in reports:
        if report.status == "failed":
            warn(f"Error: {report.reason}")
    code = 1 if "failed" in statuses else max(EXIT_OF[status] for status in statuses)
    raise typer.Exit(code)
