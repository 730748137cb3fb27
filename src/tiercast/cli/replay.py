"""``tiercast replay``."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer

from tiercast.adapters.frame_videos import FrameVideos
from tiercast.adapters.objects import FolderObjects
from tiercast.adapters.replay_folder import ReplayFolder
from tiercast.adapters.scratch import ForgottenRuns, FreeLease, InProcess, MemoryLog, NoRejects
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.cli.retrain import order_of
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.order import Order
from tiercast.flows.replay import Scene, Walk, ordered, releases_of, walk_through
from tiercast.flows.replay_document import replay_document
from tiercast.flows.replay_questions import Examiner, Questions
from tiercast.flows.replay_report import Replayed, graded
from tiercast.flows.retrain import World
from tiercast.intake.values import parse_time
from tiercast.ports.runs import Progress
from tiercast.render.output import Silence, print_json, progress_bars, warn
from tiercast.render.replay import show_replay
from tiercast.render.replay_page import write_replay
from tiercast.settings import Settings
from tiercast.wiring import Wiring, libraries

UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

app = typer.Typer(add_completion=False)


@app.command(name="replay")
def command(
    begins: Annotated[str, typer.Option("--from", help="First retrain: a day (its beginning, UTC) or a time.")],
    ends: Annotated[str, typer.Option("--to", help="No retrain after it.")],
    every: Annotated[str, typer.Option(help="Between two retrains: hours, days or weeks, as 12h, 7d or 2w.")] = "7d",
    moment: Annotated[
        Moment | None, typer.Option(help="Default: what retrain.moments names first; auto: draft.")
    ] = None,
    as_scraped: Annotated[
        bool,
        typer.Option(
            "--as-scraped",
            help="For a store scraped once: a video and its label are known labels.horizon_days after posting.",
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where the page goes, a name in .html.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What retrains would have done in the past, each seeing only what was there by then; they write to no store."""
    walk = _walk(begins, ends, every, as_scraped=as_scraped)
    if out is not None and out.suffix != ".html":
        raise typer.BadParameter(f"{out} does not end in .html, as a page has to", param_hint="--out")
    wiring = open_home(home)
    chosen = moment or _first_moment(wiring.settings)
    order = ordered(order_of(wiring.settings, chosen), as_scraped=as_scraped)
    with progress_bars(quiet=as_json, to_go=True) as progress:
        replayed, folder = replay_home(wiring, walk, order, progress)
    document, page = replay_document(replayed), out or folder.path / "replay.html"
    write_replay(document, page)
    if as_json:
        print_json({**document, "page": str(page)})
    else:
        show_replay(document, page)


def replay_home(wiring: Wiring, walk: Walk, order: Order, progress: Progress) -> tuple[Replayed, ReplayFolder]:
    """Replay a home's past, and where its steps are kept; raises Missing where the range holds none."""
    progress.stage("reading the store")
    frame = FrameVideos.of(wiring.history.everything(), _visible_at(walk, order))
    _refuse_nothing(frame, walk)
    folder = ReplayFolder(wiring.settings.home, _depends_on(walk, order, frame))
    resumed = len(folder.finished())
    _tell(folder, walk, resumed)
    scene = _scene(folder, frame, libraries())
    steps = walk_through(walk, order, scene, progress=progress, within=Silence())
    videos, history = frame.whole()
    range_asked = (walk.steps()[0], walk.steps()[-1] + walk.every)
    questions = Questions.of((videos, history), order.moment, order.forecast, range_asked)
    examiner = Examiner.of(questions, history.recent(limit=None))
    releases = releases_of(scene, steps, order.moment)
    replayed = graded(walk, steps, examiner, releases, seed=order.plan.seed, progress=progress)
    return replace(replayed, resumed=min(resumed, len(steps))), folder


def _scene(folder: ReplayFolder, frame: FrameVideos, versions: Mapping[str, str]) -> Scene:
    log, models = MemoryLog(), FolderObjects(folder.path / "models")

    def world_at(at: datetime, staged: Callable[[Release], None]) -> World:
        videos, history = frame.at(at)
        return World(
            videos=videos,
            history=history,
            scraped_table=None,
            rejects=NoRejects(),
            fallback=None,
            objects=models,
            read_log=lambda: log,
            write_log=lambda: log,
            runs=ForgottenRuns(),
            lease=FreeLease,
            rehearsal=lambda: InProcess(staged),
            now=lambda: at,
            libraries=versions,
            actor="replay",
            served=None,
        )

    return Scene(world_at, log, models, FolderObjects(folder.path / "refused"), folder)


# -- what is asked


def _walk(begins: str, ends: str, every: str, *, as_scraped: bool) -> Walk:
    begins_at, ends_at = _time(begins, "--from"), _time(ends, "--to", end_of_day=True)
    if begins_at > ends_at:
        raise typer.BadParameter(f"{begins} is after --to {ends}; the range has to run forwards", param_hint="--from")
    found = re.fullmatch(r"(\d+)([hdw])", every.strip())
    if found is None or int(found[1]) == 0:
        told = f"{every!r} is no time between two retrains; write hours, days or weeks above 0, as 12h, 7d or 2w"
        raise typer.BadParameter(told, param_hint="--every")
    return Walk(begins_at, ends_at, int(found[1]) * UNITS[found[2]], as_scraped)


def _time(text: str, name: str, *, end_of_day: bool = False) -> datetime:
    parsed = None
    with suppress(ValueError):
        parsed = parse_time(text)
    if parsed is None:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-01 or 2026-11-01T06:00:00Z", param_hint=name)
    return parsed.at + timedelta(hours=23, minutes=59, seconds=59) if end_of_day and parsed.date_only else parsed.at


def _first_moment(settings: Settings) -> Moment:
    return Moment.DRAFT if settings.retrain.moments == "auto" else settings.retrain.moments[0]


def _visible_at(walk: Walk, order: Order) -> pl.Expr:
    if not walk.as_scraped:
        return pl.col("scraped_at")
    horizon = timedelta(days=order.forecast.horizon_days)
    return pl.coalesce(pl.col("published_at") + horizon, "scraped_at")


def _refuse_nothing(frame: FrameVideos, walk: Walk) -> None:
    """Raise Missing where nothing was there by the end of the range, or nothing new came in all of it."""
    span = frame.span()
    if span is None:
        raise Missing("The store holds no videos, so there is no past to replay. Ingest some first.")
    first, last = (f"{time:%Y-%m-%d %H:%M} UTC" for time in span)
    if walk.ends_at >= span[0] and walk.begins_at - walk.every <= span[1]:
        return
    told = f"The range from {walk.begins_at:%Y-%m-%d} to {walk.ends_at:%Y-%m-%d} holds no data: "
    if walk.as_scraped:
        raise Missing(f"{told}as scraped, videos of this store are known from {first} to {last}.")
    raise Missing(
        f"{told}the observations of this store were made from {first} to {last}. Where videos are older than their "
        "only scrape, --as-scraped takes each as known labels.horizon_days after its posting."
    )


# -- going on


def _depends_on(walk: Walk, order: Order, frame: FrameVideos) -> dict[str, object]:
    """Everything that a step depends on; not the end of the range, so a longer one goes on where this one ended."""
    return {
        "walk": {
            "moment": order.moment.value,
            "from": walk.begins_at.isoformat(),
            "every_seconds": int(walk.every.total_seconds()),
            "as_scraped": walk.as_scraped,
        },
        "settings": asdict(order),
        "store": frame.fingerprint(),
        "libraries": libraries(),
    }


def _tell(folder: ReplayFolder, walk: Walk, resumed: int) -> None:
    """Whether this replay goes on or starts afresh, and why, where another of the same walk is there."""
    total = len(walk.steps())
    if resumed:
        warn(f"Going on: {min(resumed, total)} of {total} steps were finished before ({folder.path}).")
        return
    changed = folder.changed()
    why = f"; since the last replay of it {' and '.join(changed)} changed" if changed else ""
    warn(f"Starting afresh: {total} steps{why} ({folder.path}).")
