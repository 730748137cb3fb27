"""What the gate's fresh process runs: load a staged release from its bytes, predict, answer, end.

It refuses scikit-learn for itself, so every promotion proves again that predicting does not need it.
"""

import json
import sys
from pathlib import Path

sys.modules["sklearn"] = None  # type: ignore[assignment]

import numpy as np  # noqa: E402

from tiercast.core.release import MANIFEST_NAME, verify_release  # noqa: E402
from tiercast.learn import boosted, softmax  # noqa: E402, F401  (imported while the candidates train)
from tiercast.learn.predictor import Predictor  # noqa: E402


def answer(request: dict[str, object]) -> list[list[float]]:
    """Tier probabilities of the request's vectors from the release in its folder."""
    folder = Path(str(request["folder"]))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    release = verify_release(str(request["release"]), files.pop(MANIFEST_NAME), files)
    X = np.array(request["X"], dtype=np.float64)
    probabilities: list[list[float]] = Predictor.of(release).model.probabilities(X).tolist()
    return probabilities


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.read()))))
