"""The real program in a process of its own, and the files that tests give it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tiercast.learn.features import OBSERVED
from tiercast.learn.generated import generate

NOW = datetime(2025, 6, 2, tzinfo=UTC)
"""When the generated videos were last scraped: before any clock that runs these tests."""
N_VIDEOS = 800
LENIENT = {
    "TIERCAST_GATE__OBSERVED__MIN_COMPARED_ROWS": "1",
    "TIERCAST_GATE__OBSERVED__MIN_COMPARED_CREATORS": "1",
    "TIERCAST_GATE__OBSERVED__ACCURACY_MARGIN": "1",
    "TIERCAST_GATE__OBSERVED__LOG_LOSS_MARGIN": "10",
    "TIERCAST_GATE__OBSERVED__SLICE_MARGIN": "1",
    "TIERCAST_GATE__OBSERVED__MAX_CALIBRATION_LOSS": "1",
    "TIERCAST_GATE__OBSERVED__MAX_NEWEST_AGE_DAYS": "100000",
}
"""A gate that a second candidate passes, though a few hundred old videos prove nothing."""
OTHER = {"TIERCAST_RETRAIN__MIN_VIDEOS": "400"}
"""Settings that change no row and no model, and yet give another release."""
FROZEN_NAMES = [feature.frozen_name for feature in OBSERVED]


def refuse(constant: str) -> None:
    """JSON knows no NaN and no infinity."""
    raise AssertionError(f"{constant} on standard output")


@dataclass(frozen=True)
class Answer:
    """How one call of the program ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as exactly one JSON document without NaN."""
        return json.loads(self.out, parse_constant=refuse)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines without NaN."""
        return [json.loads(line, parse_constant=refuse) for line in self.out.splitlines()]

    @property
    def errors(self) -> list[str]:
        """The sentences on standard error that say what failed."""
        return [line for line in self.err.splitlines() if line.startswith("Error: ")]


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without settings of Tiercast, warnings as errors, and these settings.

    A plain retrain trains ``observed`` alone, which most tests are about; those of forecasts name their moments.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERCAST_")}
    return {**kept, "PYTHONWARNINGS": "error", "TIERCAST_RETRAIN__MOMENTS": '["observed"]', **settings}


def command(*arguments: object, home: Path | None) -> list[str]:
    """The command line of one call."""
    place = [] if home is None else ["--home", str(home)]
    return [sys.executable, "-m", "tiercast", *map(str, arguments), *place]


def tiercast(
    *arguments: object, home: Path | None, stdin: bytes = b"", cwd: Path | None = None, **settings: str
) -> Answer:
    """Run the program to its end; settings are environment variables."""
    ended = subprocess.run(
        command(*arguments, home=home),
        input=stdin,
        capture_output=True,
        cwd=cwd or (home.parent if home else None),
        env=environment(**settings),
        timeout=600,
        check=False,
    )
    return Answer(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@contextmanager
def started(*arguments: object, home: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program while it runs."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    env = environment(**settings)
    with subprocess.Popen(command(*arguments, home=home), **pipes, cwd=home.parent, env=env) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[bytes]") -> Answer:
    """How a started program ended."""
    out, err = process.communicate(timeout=600)
    return Answer(process.returncode, out.decode(), err.decode())


def assert_failed(answer: Answer, *words: str) -> None:
    """Exit 1, one clear sentence on standard error with these words, no traceback, no other document."""
    assert answer.code == 1, answer
    assert len(answer.errors) == 1, answer.err
    assert "Traceback" not in answer.err
    assert "nobody foresaw" not in answer.err
    sentence = answer.errors[0]
    assert len(sentence) < 800
    assert sentence.rstrip().endswith((".", ")"))
    for word in words:
        assert word in sentence


def rows(n: int = N_VIDEOS, *, seed: int = 7) -> pl.DataFrame:
    """Scrapes of generated videos, in the canonical columns."""
    return generate(n, seed=seed, now=NOW).rows


def write_rows(path: Path, frame: pl.DataFrame) -> Path:
    """The rows as a Parquet or a JSON Lines file."""
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_ndjson(path)
    return path


def item(video_id: str = "7500000000000000001", **values: object) -> dict[str, object]:
    """One sound table row, with some values replaced."""
    sound = {"platform": "tiktok", "video_id": video_id, "views": 1000, "likes": 50, "shares": 5, "comments": 3}
    return {**sound, "scraped_at": "2025-06-01T00:00:00Z", **values}


def write_items(path: Path, items: list[Mapping[str, object]]) -> Path:
    """Items as JSON Lines; NaN and Infinity as Python's json writes them."""
    path.write_text("".join(json.dumps(each) + "\n" for each in items), encoding="utf-8")
    return path


def write_frozen(path: Path, *, noise: bool = False, seed: int = 3) -> Path:
    """A frozen training set of 400 + 100 vectors whose labels follow the like rate, or nothing at all."""
    rng = np.random.default_rng(seed)
    X = rng.random((500, len(OBSERVED))).round(4)
    follows = rng.random(500) if noise else X[:, 2]
    labels = 1 + np.searchsorted(np.quantile(follows, [0.2, 0.4, 0.6, 0.8]), follows)
    parts = {
        name: {"features": X[side].tolist(), "labels": labels[side].tolist()}
        for name, side in (("trainSet", slice(400)), ("testSet", slice(400, None)))
    }
    path.write_text(json.dumps({"featureNames": FROZEN_NAMES, **parts}), encoding="utf-8")
    return path


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def totals(home: Path) -> tuple[int, int]:
    """Videos and observations, as the doctor counts them."""
    parts = {part["name"]: part["detail"] for part in tiercast("doctor", "--json", home=home).document["parts"]}
    videos, observations = parts["database"].rsplit(": ", 1)[1].split(", ")[:2]
    return int(videos.split()[0].replace(",", "")), int(observations.split()[0].replace(",", ""))
