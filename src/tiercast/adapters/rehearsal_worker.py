"""What the gate's fresh process runs: load a staged release from its bytes, predict, answer, end."""

import json
import sys
from pathlib import Path

import numpy as np

from tiercast.core.release import MANIFEST_NAME, verify_release
from tiercast.learn import boosted, cumulative, logistic, ordinal  # noqa: F401  (loaded while the candidates train)
from tiercast.learn.models import Inputs
from tiercast.learn.predictor import Predictor


def answer(request: dict[str, object]) -> list[list[float]]:
    """Tier probabilities of the request's vectors from the release in its folder."""
    folder = Path(str(request["folder"]))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    release = verify_release(str(request["release"]), files.pop(MANIFEST_NAME), files)
    edges, start = (None if request[name] is None else np.array(request[name]) for name in ("edges", "start"))
    inputs = Inputs(np.array(request["X"], dtype=np.float64), edges, start)
    probabilities: list[list[float]] = Predictor.of(release).blend.probabilities(inputs).tolist()
    return probabilities


def main() -> None:
    """One request from standard input, one answer to standard output."""
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.read()))))
