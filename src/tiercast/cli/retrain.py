"""``tiercast retrain``."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import structlog
import typer

from tiercast.adapters.handover import CHOSEN, Handed, handed_over
from tiercast.adapters.time_limit import TimeLimit
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.errors import TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.forecast_rows import ForecastPlan
from tiercast.flows.moments import (
    Retrained,
    Wanted,
    none_began,
    record_interrupted,
    retrain_moments,
    why_none_began,
)
from tiercast.flows.notify import Noting, notify
from tiercast.flows.order import Order
from tiercast.flows.report import RunReport, recorded, run_id
from tiercast.flows.retrain import Frame, World
from tiercast.flows.training_set import TrainingPlan
from tiercast.ports.runs import Progress, RunRecord
from tiercast.render.logs import log_to_stderr
from tiercast.render.output import print_json, progress_bars, warn
from tiercast.render.run import show_run
from tiercast.settings import Settings
from tiercast.wiring import Wiring, actor, libraries, now

EXIT_OF = {"promoted": 0, "held": 3, "rejected": 3, "failed": 1}

DRY_RUN: Final = (
    "Judge only: publish nothing and record no run. What changed in a scraped_videos table is noted all the same."
)

REPLACE: Final = (
    "The champion, named by its first digits, that may be replaced though it cannot be compared with the candidate."
)

LOGGED: Final = (
    "run", "moment", "status", "source", "reason", "dry_run", "videos", "test_accuracy", "candidate", "champion_before",
    "champion_after", "warnings", "seconds",
)  # fmt: skip

app = typer.Typer(add_completion=False)


@app.command(name="retrain")
def command(
    moment: Annotated[
        Moment | None, typer.Option(help="Default: retrain.moments, which by itself is all that the data allow.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=DRY_RUN)] = False,
    replacing: Annotated[str | None, typer.Option("--replace", metavar="RELEASE", help=REPLACE)] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Train on the newest videos, judge the candidate, publish it only if it passes."""
    log_to_stderr(debug=debug)
    if replacing is not None and not re.fullmatch(r"[0-9a-f]{8,64}", replacing):
        raise typer.BadParameter(
            "name the champion by 8 digits or more, as `tiercast models` shows", param_hint="--replace"
        )
    handed = handed_over()
    wiring = open_home(home)
    chosen = wiring.settings.retrain.moments if moment is None else (moment,)
    wanted = chosen if chosen == "auto" else list(dict.fromkeys(chosen))
    orders = {each: order_of(wiring.settings, each, dry_run=dry_run, replacing=replacing) for each in Moment}
    noted: list[RunRecord] = []
    try:
        with progress_bars(quiet=as_json) as progress:
            done = _retrain(wiring, orders, wanted, handed=handed, noted=noted, progress=progress)
        _show(done, as_json=as_json)
    finally:  # an interrupted run failed too; by now its lease is given back and its answer is out
        _notify(wiring, noted)
    _exit(done.reports)


def _retrain(
    wiring: Wiring,
    orders: Mapping[Moment, Order],
    wanted: Wanted,
    *,
    handed: Handed,
    noted: list[RunRecord],
    progress: Progress,
) -> Retrained:
    frame = Frame(handed.run or run_id(now()), limit=_limit(wiring.settings.retrain.max_seconds))
    try:
        world = world_of(wiring)
    except TiercastError as error:  # a database that cannot be read is a failed run, and never a fallback
        failed = none_began(orders, wanted, run=str(frame.run), at=now(), reason=str(error))
        return Retrained([recorded(report, Noting(wiring.run_folder, noted)) for report in failed])
    except BaseException as error:
        reason = why_none_began(error, wanted)
        lost = none_began(orders, wanted, run=str(frame.run), at=now(), reason=reason)
        record_interrupted(Noting(wiring.run_folder, noted), lost)
        raise
    lease = partial(wiring.lease, token=handed.token)
    world = replace(world, lease=lease, runs=Noting(wiring.runs, noted))
    on_chosen = partial(_tell_chosen, handed)
    return retrain_moments(world, orders, wanted, progress=progress, frame=frame, on_chosen=on_chosen)


def _tell_chosen(handed: Handed, runs: Mapping[str, Moment]) -> None:
    """To the server that started this process: it records those that this process cannot."""
    if handed.run is not None:
        told = {run: moment.value for run, moment in runs.items()}
        structlog.get_logger().info(CHOSEN, run=handed.run, runs=told)


def _limit(seconds: int) -> TimeLimit:
    return TimeLimit(
        seconds,
        f"The retrain took longer than retrain.max_seconds allows ({seconds} s) and was ended; `tiercast models` shows "
        "which release serves. Raise retrain.max_seconds, or lower retrain.max_videos or features.history_videos.",
    )


def _show(done: Retrained, *, as_json: bool) -> None:
    for report in done.reports:
        _log(report, machine=as_json)
    if as_json:
        print_json(done.to_document())
        sys.stdout.flush()  # whoever started this process reads it before any notice is sent
        return
    for report in done.reports:
        show_run(report.to_document())
    for skipped, why in (done.skipped or {}).items():
        warn(f"{skipped.value}: not trained. {why}")


def _notify(wiring: Wiring, noted: Sequence[RunRecord]) -> None:
    """Tell of what did not promote; a notice that does not arrive changes nothing about the run."""
    trouble = notify(noted, wiring.notifier)
    if trouble:
        structlog.get_logger().warning("notice", trouble=trouble)


def order_of(
    settings: Settings, moment: Moment, *, dry_run: bool = False, replacing: str | None = None
) -> Order:  # fmt: skip
    """What the settings ask of a retrain of this moment."""
    chosen = settings.retrain
    plan = TrainingPlan(
        max_videos=chosen.max_videos,
        min_videos=chosen.min_videos,
        test_share=chosen.test_share,
        seed=chosen.seed,
        save_per_like=chosen.save_per_like,
    )
    gate = settings.gate
    return Order(
        moment, plan, forecast_plan(settings), gate.bars(moment), dry_run, warn_only=gate.warn_only, replace=replacing
    )


def forecast_plan(settings: Settings) -> ForecastPlan:
    """What the settings say of forecasts."""
    features, labels, moments, tiers = settings.features, settings.labels, settings.moments, settings.tiers
    return ForecastPlan(
        history=features.history,
        embargo_days=features.embargo_days,
        history_videos=features.history_videos,
        label_at=labels.at,
        horizon_days=labels.horizon_days,
        maturity_days=labels.maturity_days,
        max_age_days=None if labels.max_age_days == "unlimited" else labels.max_age_days,
        min_days_after=labels.min_days_after,
        known_at=labels.known_at,
        early_max_age_hours=moments.early_max_age_hours,
        early_rows=moments.early_rows,
        relative_to=tiers.relative_to,
        min_cohort=tiers.min_cohort,
        min_posts=tiers.min_posts,
    )


def world_of(wiring: Wiring) -> World:
    """Everything a retrain reaches, opened; raises Unavailable where the database is not there."""
    return World(
        videos=wiring.videos,
        history=wiring.history,
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
        served=wiring.served,
    )


def _log(report: RunReport, *, machine: bool) -> None:
    """The result as one log line, for whoever collects standard error; `tiercast runs RUN --json` has it whole."""
    if machine or not sys.stderr.isatty():
        told = report.to_document()
        structlog.get_logger().info("retrain", **{name: told[name] for name in LOGGED})


def _exit(reports: Sequence[RunReport]) -> None:
    for report in reports:
        if report.status == "failed":
            warn(f"Error: {report.reason}")
    statuses = {report.status for report in reports}
    raise typer.Exit(1 if "failed" in statuses else max(EXIT_OF[status] for status in statuses))
