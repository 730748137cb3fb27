"""``tiercast predict``."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from tiercast.adapters.files import open_bytes, open_file
from tiercast.adapters.formats import drafts, table
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, JsonLines, open_home
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.flows.answers import UNKNOWN
from tiercast.flows.asked import NEEDS, UNSERVED, Request, moments_of, usable_rows
from tiercast.flows.champions import Roster, Serving
from tiercast.flows.given import cleaned, early_max_age_hours
from tiercast.flows.predict import predict_at, with_platforms_of_creators
from tiercast.intake.schema import SCHEMA, slips
from tiercast.intake.stated import stated_platform
from tiercast.ports.videos import SourceFile
from tiercast.render.output import warn
from tiercast.render.predictions import check_ending, show_predictions, write_predictions
from tiercast.wiring import Wiring, now

app = typer.Typer(add_completion=False)


@app.command(name="predict")
def command(
    source: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Any ingest format; - is stdin.")] = None,
    moment: Annotated[Moment | None, typer.Option(help="Default: for each video the richest it allows.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.csv, .parquet or .jsonl.")] = None,
    stored: Annotated[bool, typer.Option("--stored", help="Predict every video in the store.")] = False,
    reasons: Annotated[bool, typer.Option("--reasons", help="The five features that moved it; 100 videos.")] = False,
    platform: Annotated[str | None, typer.Option(help="Platform of rows that do not name theirs.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: JsonLines = False,
    debug: Debug = False,
) -> None:
    """Predict the tier of videos with the champions: videos in, one prediction a video out."""
    if (source is None) != stored:
        raise typer.BadParameter("give a file (or - for standard input), or --stored, and not both")
    if output is not None:
        check_ending(output)
    wiring = open_home(home)
    servings = roster_of(wiring, moment).answering(moment)
    at = now()
    rows, refused = _stored(wiring) if stored else _given(str(source), stated_platform(platform, "--platform"), at)
    if any(each.forecasts for each in servings) and not stored:
        rows = _with_known_platforms(rows, wiring)
    request = Request(rows, at, early_max_age_hours(servings, wiring.settings.moments.early_max_age_hours))
    if refused:
        warn(f"Refused, so without prediction: {len(refused):,}. The first: {refused[0]}")
    _say_what_is_left_out(request, servings, moment)
    predictions = predict_at(moment, request, servings, with_reasons=reasons)
    _deliver(predictions, servings, output=output, as_json=as_json)


def roster_of(wiring: Wiring, moment: Moment | None) -> Roster:
    """The champions of that moment, or all; says what stands in the way of newer ones."""
    moments = Moment if moment is None else (moment,)
    roster = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history, moments)
    for damage in roster.damage.values():
        warn(damage)
    for serving in roster.servings.values():
        for warning in serving.warnings:
            warn(warning)
        if serving.release.manifest.label == "given":
            warn("The champion is provisional: it learned the labels of a fallback file, not the views of your videos.")
    return roster


def _stored(wiring: Wiring) -> tuple[pl.DataFrame, list[str]]:
    """Every observation of dated videos, and the latest of those without a posting time."""
    dated = wiring.history.recent(limit=None)
    latest = wiring.videos.latest(limit=None, likes_known=False).filter(pl.col("published_at").is_null())
    rows = pl.concat([dated, latest.select(dated.columns)])
    if rows.is_empty():
        raise InvalidInput("The store holds no video. Ingest some, or name a file.")
    return rows, []


def _given(name: str, platform: str | None, at: datetime) -> tuple[pl.DataFrame, list[str]]:
    """Clean rows of a file and the sentences about those that were refused.

    Where a row does not say when it was scraped, the file's time stands in.
    """
    source = _opened(name)
    kept: list[pl.DataFrame] = []
    refused: list[str] = []
    for batch in source.batches():
        sound = cleaned(batch.rows, now=at, guessed_at=source.modified_at, platform=platform)
        _warn_of_ignored(batch.ignored)
        kept.append(sound.rows.drop("row"))
        refused += [piece.detail for piece in batch.unreadable] + [reject.detail for reject in sound.rejects]
    return pl.concat(kept) if kept else pl.DataFrame(schema=SCHEMA), refused


def _warn_of_ignored(columns: Sequence[str]) -> None:
    for column, near in slips(columns).items():
        warn(f"The column {column!r} is not read; did you mean {near}?")


def _with_known_platforms(rows: pl.DataFrame, wiring: Wiring) -> pl.DataFrame:
    """The rows with the platforms of stored creators; says whose earlier posts cannot be looked up."""
    named = with_platforms_of_creators(rows, wiring.history)
    nameless = named.filter(pl.col("platform") == UNKNOWN).select("video_id").n_unique()
    if nameless:
        warn(
            f"Without a platform, and by a creator who is not in the store: {nameless:,}. Nothing is known of their "
            "earlier posts or of their platform; name it in a column platform, or with --platform."
        )
    return named


def _opened(name: str) -> SourceFile:
    """Any ingest format, else our own columns with or without views, so that posts to come are read too."""
    content = sys.stdin.buffer.read() if name == "-" else None

    def opened(form: str | None) -> SourceFile:
        return open_file(Path(name), form) if content is None else open_bytes(content, "standard input", form)

    try:
        found = opened(None)
        return opened(drafts.name) if found.format == table.name else found
    except InvalidInput as unknown:
        try:
            return opened(drafts.name)
        except InvalidInput:
            raise unknown from None


def _say_what_is_left_out(request: Request, servings: Mapping[Moment, Serving], moment: Moment | None) -> None:
    """How many videos get no prediction, and what they lack; raises InvalidInput where all do."""
    if moment is None:
        placed = moments_of(request, servings)
        left, total = _unserved(placed.filter(pl.col("moment").is_null()), request), placed.height
    else:
        left, total = _unusable(request, moment), request.latest().height
    if sum(left.values()) == total:
        told = " ".join(f"{count:,} videos {why}." for why, count in left.items())
        raise InvalidInput(f"No row of the input can be predicted. {told or 'None is a sound row with a video_id.'}")
    for why, count in left.items():
        warn(f"{count:,} videos {why}.")
    if moment is None:
        poorer = placed.filter((pl.col("moment") == Moment.DRAFT) & (pl.col("naturally") != Moment.DRAFT)).height
        if poorer:
            warn(f"{poorer:,} videos have views, but only draft is served; it does not look at them.")


def _unserved(rows: pl.DataFrame, request: Request) -> dict[str, int]:
    """Videos by why no champion answers them."""
    hours = request.early_max_age_hours
    counts = rows.group_by("naturally", maintain_order=True).len().rows()
    return {UNSERVED[Moment(natural)].format(hours=hours): count for natural, count in counts}


def _unusable(request: Request, moment: Moment) -> dict[str, int]:
    """The same where one moment was asked for."""
    latest = request.latest()
    left = latest.join(usable_rows(request, moment), on=["platform", "video_id"], how="anti")
    needed = NEEDS[moment].format(hours=request.early_max_age_hours)
    why = f"get no prediction: the moment {moment.value} needs {needed}{_came_too_late(request, left, moment)}"
    return {why: left.height} if left.height else {}


def _came_too_late(request: Request, left: pl.DataFrame, moment: Moment) -> str:
    """For ``early``, how old the youngest observation of these videos is, and who would answer them."""
    age = pl.col("scraped_at") - pl.col("published_at")
    seen = request.rows.join(left, on=["platform", "video_id"], how="semi").filter(pl.col("views") > 0)
    ages = seen.select(age.dt.total_seconds() / 3600).drop_nulls().to_series().to_list()
    if moment is not Moment.EARLY or not ages:
        return ""
    return f"; the youngest that was given is {min(ages):.0f} hours old. Ask for observed, or leave --moment out"


def _deliver(
    predictions: list[dict[str, Any]], servings: Mapping[Moment, Serving], *, output: Path | None, as_json: bool
) -> None:
    if output is not None:
        write_predictions(predictions, output)
    if as_json:
        for prediction in predictions:
            sys.stdout.write(json.dumps(prediction, ensure_ascii=False, allow_nan=False) + "\n")
    elif output is None:
        show_predictions(predictions, servings)
    else:
        warn(f"{len(predictions):,} predictions written to {output}.")
