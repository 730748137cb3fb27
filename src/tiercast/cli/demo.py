"""``tiercast demo``."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import polars as pl
import typer

from tiercast.adapters.bulk import insert_rows
from tiercast.adapters.databases import open_sqlite
from tiercast.adapters.files import open_file
from tiercast.adapters.sql_videos import SqlVideoStore
from tiercast.cli.options import Debug, Json
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.demo import Demonstration, Stage, demonstrate
from tiercast.flows.ingest import FileReport, IngestOptions, ingest_file
from tiercast.learn.generated import REGULAR, generate
from tiercast.ports.runs import Progress
from tiercast.ports.videos import VideoStore
from tiercast.render.demo import show_demo
from tiercast.render.output import print_json, progress_bars, warn
from tiercast.render.report import write_report
from tiercast.settings import Settings
from tiercast.wiring import Wiring, now

HOME: Final = "tiercast-demo"
N_VIDEOS: Final = 8_000
"""Enough for every tier to have 300 test videos, few enough for a demo to end within seconds."""
SEED: Final = 42
GENERATED: Final = f"Generated videos, no real ones: {N_VIDEOS:,} invented posts with a known best possible accuracy."

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    home: Annotated[
        Path | None, typer.Option("--home", envvar="TIERCAST_HOME", help="A fresh folder; default: tiercast-demo.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """The whole loop on generated videos: ingest, retrain, publish, a damaged week that is refused, and forecasts."""
    place = _fresh(home)
    if not as_json:
        warn(GENERATED + "\n")
    wiring = Wiring(
        Settings(home=place, database_url=f"sqlite:///{place}/videos.db", model_store_url=(place / "models").as_uri())
    )
    with TemporaryDirectory(prefix="tiercast-demo-") as spare, progress_bars(quiet=as_json) as progress:
        shown = _play(wiring, Path(spare), progress)
    report = place / "report.html"
    write_report(shown.forecasts[0].to_document(), report, note=GENERATED)
    if as_json:
        print_json(_document(shown, place, report))
    else:
        show_demo(shown, place, report)
    told = [shown.honest, shown.damaged, *shown.forecasts]
    if [report.status for report in told] != ["promoted", "rejected", "promoted", "promoted"]:
        seen = "; ".join(f"{report.moment.value} {report.status} ({report.reason})" for report in told)
        raise Unavailable(f"The demo expects promoted, rejected, promoted, promoted, but saw {seen} Please report it.")


def _fresh(home: Path | None) -> Path:
    """A folder that is empty or not there yet; the demo never mixes its videos with anybody's own."""
    if home is None:
        names = (Path(HOME if n == 1 else f"{HOME}-{n}") for n in count(1))
        home = next(path for path in names if not path.exists())
    elif home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InvalidInput(f"The demo needs a fresh home and {home} is not empty. Name another with --home.")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"The folder {home} cannot be made ({error.strerror}). Name another with --home.") from error
    return home.absolute()


def _play(wiring: Wiring, spare: Path, progress: Progress) -> Demonstration:
    progress.stage("generating videos")
    generated = generate(N_VIDEOS, seed=SEED, now=now(), world=REGULAR)

    def ingest(rows: pl.DataFrame, name: str, store: VideoStore) -> FileReport:
        path = (wiring.settings.home if store is wiring.videos else spare) / name
        rows.write_parquet(path)
        source = open_file(path, None)
        return ingest_file(source, store, wiring.rejects, options=IngestOptions(now()), progress=progress)

    spare_store = SqlVideoStore(open_sqlite(spare / "videos.db"), "the demo's spare database", load=insert_rows)
    orders = {moment: order_of(wiring.settings, moment) for moment in Moment}
    return demonstrate(generated, Stage(world_of(wiring), spare_store, ingest), orders, progress=progress)


def _document(shown: Demonstration, home: Path, report: Path) -> dict[str, object]:
    return {
        "home": str(home),
        "report": str(report),
        "generated_videos": N_VIDEOS,
        "best_possible_accuracy": shown.ideal.expected_accuracy,
        "honest": shown.honest.to_document(),
        "damaged": shown.damaged.to_document(),
        "forecasts": [report.to_document() for report in shown.forecasts],
        "best_possible_accuracy_before_posting": shown.ideal_draft.expected_accuracy if shown.ideal_draft else None,
    }
