"""``tiercast predict``."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from tiercast.adapters.files import open_bytes, open_file
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, JsonLines, open_home, platform_option
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.video import published_at_from_tiktok_id
from tiercast.flows.predict import UNKNOWN, Serving, latest_of_each, load_champion, predict
from tiercast.intake.clean import Context, clean
from tiercast.intake.schema import SCHEMA
from tiercast.ports import SourceFile
from tiercast.render.output import warn
from tiercast.render.predictions import check_ending, show_predictions, write_predictions
from tiercast.wiring import Wiring, now

app = typer.Typer(add_completion=False)


@app.command(name="predict")
def command(
    source: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Any ingest format; - is stdin.")] = None,
    moment: Annotated[Moment, typer.Option(help="The moment to predict for.")] = Moment.OBSERVED,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.csv, .parquet or .jsonl.")] = None,
    stored: Annotated[bool, typer.Option("--stored", help="Predict every video in the store.")] = False,
    platform: Annotated[str | None, typer.Option(help="Platform of rows that do not name theirs.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: JsonLines = False,
    debug: Debug = False,
) -> None:
    """Predict the tier of videos with the champion: videos in, one prediction a video out."""
    if (source is None) != stored:
        raise typer.BadParameter("give a file (or - for standard input), or --stored, and not both")
    if output is not None:
        check_ending(output)
    wiring = open_home(home)
    serving = load_champion(wiring.objects, wiring.read_log(), moment)
    for warning in serving.warnings:
        warn(warning)
    if serving.release.manifest.label == "given":
        warn("The champion is provisional: it learned the labels of a fallback file, not the views of your videos.")
    rows = _stored(wiring) if stored else _given(str(source), platform_option(platform))
    predictions = predict(rows, serving)
    _deliver(predictions, serving, output=output, as_json=as_json)


def _stored(wiring: Wiring) -> pl.DataFrame:
    rows = wiring.videos.latest(limit=None, likes_known=False)
    if rows.is_empty():
        raise InvalidInput("The store holds no video with views above 0. Ingest some, or name a file.")
    return rows


def _given(name: str, platform: str | None) -> pl.DataFrame:
    """Clean rows of a file, one a video; the time of a scrape matters to no feature, so a missing one is now."""
    source: SourceFile = (
        open_bytes(sys.stdin.buffer.read(), "standard input", None) if name == "-" else open_file(Path(name), None)
    )
    kept: list[pl.DataFrame] = []
    refused: list[str] = []
    for batch in source.batches():
        context = Context(now(), None, now(), platform or UNKNOWN, _tiktok_ids(batch.rows))
        cleaned = clean(batch.rows, context)
        kept.append(cleaned.rows.drop("row"))
        refused += [piece.detail for piece in batch.unreadable] + [reject.detail for reject in cleaned.rejects]
    return _predictable(latest_of_each(pl.concat(kept)) if kept else pl.DataFrame(schema=SCHEMA), refused)


def _tiktok_ids(rows: pl.DataFrame) -> dict[str, str]:
    """Ids that hold a TikTok posting time: such a row is TikTok's, and training read its hour from there too."""
    ids = {str(video_id).strip() for video_id in rows["video_id"].to_list()} if "video_id" in rows.columns else set()
    return {video_id: "tiktok" for video_id in ids if published_at_from_tiktok_id(video_id, now())}


def _predictable(rows: pl.DataFrame, refused: list[str]) -> pl.DataFrame:
    """Rows with views, since the moment observes them; what is left out is said."""
    usable = rows.filter(pl.col("views") > 0)
    if usable.height < rows.height:
        without = rows.height - usable.height
        warn(
            f"{without:,} videos have no views (unknown or 0), which the moment observed needs; they get no prediction."
        )
    if refused:
        warn(f"{len(refused):,} rows were refused and get no prediction. The first: {refused[0]}")
    if usable.is_empty():
        raise InvalidInput("No row of the input can be predicted; each needs a video_id and views above 0.")
    return usable


def _deliver(predictions: list[dict[str, Any]], serving: Serving, *, output: Path | None, as_json: bool) -> None:
    if output is not None:
        write_predictions(predictions, output)
    if as_json:
        for prediction in predictions:
            sys.stdout.write(json.dumps(prediction, ensure_ascii=False, allow_nan=False) + "\n")
    elif output is None:
        show_predictions(predictions, serving)
    else:
        warn(f"{len(predictions):,} predictions written to {output}.")
