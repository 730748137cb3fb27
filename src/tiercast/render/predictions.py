"""Predictions as a table on the screen, or as a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.table import Table

from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.flows.predict import Serving
from tiercast.render.output import shown, stdout, warn

SHOWN: Final = 20
ENDINGS: Final = (".csv", ".parquet", ".jsonl")


def show_predictions(predictions: Sequence[dict[str, Any]], serving: Serving) -> None:
    """The first twenty, with the chance of each tier."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("video")
    for name in ("tier", "score", *(f"P({tier})" for tier in range(1, 6))):
        table.add_column(name, justify="right")
    table.add_column("unknown features")
    for prediction in predictions[:SHOWN]:
        chances = (f"{share:.2f}" for share in prediction["probabilities"])
        unknown = ", ".join(prediction["missing"])
        table.add_row(
            shown(prediction["video_id"]), str(prediction["tier"]), str(prediction["score"]), *chances, unknown
        )
    console = stdout()
    console.print(table)
    if len(predictions) > SHOWN:
        console.print(f"... and {len(predictions) - SHOWN:,} more; -o FILE.csv, .parquet or .jsonl keeps them all.")
    newest = serving.release.manifest.newest_training_video_at
    warn(f"Release {serving.release.id[:12]}" + (f", learned from videos up to {newest[:10]}." if newest else "."))


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
        "release",
        "label",
        "newest_training_video_at",
    )
    return {name: prediction[name] for name in kept} | chances | {"missing": " ".join(prediction["missing"])}
