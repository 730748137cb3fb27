"""Predictions as a table on the screen, or as a file."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.console import Console
from rich.table import Table

from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.champions import Serving
from tiercast.render.output import shown, stdout, warn

SHOWN: Final = 20
ENDINGS: Final = (".csv", ".parquet", ".jsonl")


def show_predictions(predictions: Sequence[dict[str, Any]], servings: Mapping[Moment, Serving]) -> None:
    """The first twenty, with the chance of each tier, and below them why, where that was asked."""
    console = stdout()
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("video", overflow="fold", min_width=19)
    table.add_column("moment", no_wrap=True)
    for name in ("tier", "score", *(f"P({tier})" for tier in range(1, 6)), "views, 80 %", "x usual"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for prediction in predictions[:SHOWN]:
        table.add_row(*_cells(prediction))
    console.print(table)
    if len(predictions) > SHOWN:
        console.print(f"... and {len(predictions) - SHOWN:,} more; -o FILE.csv, .parquet or .jsonl keeps them all.")
    for prediction in predictions[:SHOWN]:
        _show_reasons(console, prediction)
    for moment in dict.fromkeys(prediction["moment"] for prediction in predictions):
        _show_release(servings[Moment(moment)])


def _cells(prediction: Mapping[str, Any]) -> Iterator[str]:
    yield shown(prediction["video_id"])
    yield prediction["moment"]
    yield str(prediction["tier"])
    yield str(prediction["score"])
    yield from (f"{share:.2f}" for share in prediction["probabilities"])
    interval, multiple = prediction["views_interval"], prediction["creator_relative"]
    yield "" if interval is None else f"{short(interval[0])} - {short(interval[1])}"
    yield "" if multiple is None else f"{multiple:.1f}"
    new = prediction["moment"] != Moment.OBSERVED and "creator_recent" in prediction["missing"]
    yield " ".join(word for word, told in (("confident", prediction["confident"]), ("new creator", new)) if told)


def short(views: int) -> str:
    """A count in three characters or so.

    >>> short(950), short(12_300), short(4_560_000)
    ('950', '12k', '4.6M')
    """
    if views < 1_000:
        return str(views)
    number, unit = (views / 1e6, "M") if views >= 999_500 else (views / 1e3, "k")
    return f"{number:.1f}{unit}" if number < 9.95 else f"{number:.0f}{unit}"


def _show_reasons(console: Console, prediction: Mapping[str, Any]) -> None:
    for title, key in (("can still be changed", "changeable"), ("cannot be changed", "given")):
        for reason in prediction.get("reasons", {}).get(key, ()):
            value, usual = in_words(reason["value"], reason["unit"]), in_words(reason["usual"], reason["unit"])
            told = f"{reason['effect']:+.1f} points: {reason['meaning']}: {value}, usual {usual} ({title})"
            console.print(f"{shown(prediction['video_id'])}  {shown(told)}", soft_wrap=True)


def in_words(value: float | None, unit: str) -> str:
    """A feature's value as people say it, logarithms undone.

    >>> in_words(7.02, "ln(views + 1)"), in_words(0.69, "ln of views over views"), in_words(None, "hours")
    ('1,118 views', 'x 2', 'unknown')
    """
    if value is None:
        return "unknown"
    if counted := re.fullmatch(r"ln\((.+) \+ 1\)", unit):
        return f"{math.expm1(value):,.0f} {counted[1]}"
    if unit.startswith("ln of") and " over " in unit:
        return f"x {math.exp(value):.2g}"
    if unit == "ln of share of views":
        return f"{math.exp(value):.2%} of views"
    if logarithm := re.fullmatch(r"ln\((.+)\)", unit):
        return f"{math.exp(value):,.3g} {logarithm[1]}"
    return f"{value:.3g} {unit}"


def _show_release(serving: Serving) -> None:
    manifest = serving.release.manifest
    newest = manifest.newest_training_video_at
    learned = f", learned from videos up to {newest[:10]}" if newest else ""
    marks = f" ({', '.join(manifest.marks)})" if manifest.marks else ""
    warn(f"{serving.moment.value}: release {serving.release.id[:12]}{learned}{marks}.")


def check_ending(path: Path) -> None:
    """Raise InvalidInput unless the file's ending says a format that can be written."""
    if path.suffix not in ENDINGS:
        raise InvalidInput(
            f"-o {path} ends in {path.suffix or 'nothing'}; write to a file ending in {', '.join(ENDINGS)}."
        )


def write_predictions(predictions: Sequence[dict[str, Any]], path: Path) -> None:
    """One row a prediction in CSV or Parquet (probability_1 .. probability_5), or the JSON lines themselves."""
    try:
        if path.suffix == ".jsonl":
            lines = (json.dumps(each, ensure_ascii=False, allow_nan=False) + "\n" for each in predictions)
            path.write_text("".join(lines), encoding="utf-8")
            return
        frame = pl.DataFrame([_flat(prediction) for prediction in predictions], infer_schema_length=None)
        if path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error.strerror or error}).") from error


def _flat(prediction: dict[str, Any]) -> dict[str, Any]:
    chances = {f"probability_{tier}": share for tier, share in enumerate(prediction["probabilities"], 1)}
    kept = (
        "platform",
        "video_id",
        "moment",
        "tier",
        "score",
        "confident",
        "creator_relative",
        "relative_to",
        "release",
        "label",
        "newest_training_video_at",
    )
    low, high = prediction["views_interval"] or (None, None)
    ranged = {"views_low": low, "views_high": high}
    return {name: prediction[name] for name in kept} | chances | ranged | {"missing": " ".join(prediction["missing"])}
