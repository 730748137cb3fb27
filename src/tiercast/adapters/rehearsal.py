"""The gate's fresh process: started early, given staged bytes late, asked once."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.errors import Unavailable
from tiercast.core.release import MANIFEST_NAME, Release
from tiercast.ports.models import Question

TIMEOUT_SECONDS: Final = 60
"""It starts in under a second; a minute is a machine in trouble."""

PROGRAM: Final = (
    "import sys; sys.modules['sklearn'] = None; from tiercast.adapters.rehearsal_worker import main; main()"
)
"""It refuses scikit-learn for itself, so every promotion proves again that predicting does not need it."""


class FreshProcess:
    """A Rehearsal: a Python process of its own that loads what was staged and knows nothing of the training."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM],  # -P: no module of the working directory is ever imported
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C ends the parent, which ends the child, which then prints nothing
        )

    def predict(self, release: Release, question: Question) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) from the staged files; raises Unavailable without an answer."""
        try:
            with TemporaryDirectory(prefix="tiercast-staged-") as folder:
                _write(Path(folder), release)
                request = {"folder": folder, "release": release.id, **_plain(question)}
                answer, complaint = self._process.communicate(json.dumps(request).encode(), TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"the fresh process did not answer within {TIMEOUT_SECONDS} seconds") from error
        except OSError as error:
            raise Unavailable(f"the candidate could not be staged for the fresh process ({error})") from error
        if self._process.returncode != 0:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["without a word"]
            raise Unavailable(f"the fresh process ended with {self._process.returncode}: {last[0]}")
        return np.array(json.loads(answer), dtype=np.float64)

    def close(self) -> None:
        """End the process, asked or not."""
        self._process.kill()
        self._process.communicate()


def _plain(question: Question) -> dict[str, object]:
    """The arrays as lists, NaN as null."""
    X = np.where(np.isnan(question.X), None, question.X).tolist()  # type: ignore[call-overload]
    edges = None if question.edges is None else question.edges.tolist()
    return {"X": X, "edges": edges, "start": None if question.start is None else question.start.tolist()}


def _write(folder: Path, release: Release) -> None:
    for name, content in {**release.files, MANIFEST_NAME: release.manifest_bytes}.items():
        (folder / name).write_bytes(content)
