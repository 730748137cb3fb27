"""A replay on disk: each finished step in files of its own, so that one that was interrupted goes on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np

from tiercast.core.canonical import canonical_json, sha256_hex
from tiercast.core.errors import Unavailable
from tiercast.ports.runs import ReplayedStep

PARTS = "replay.json"
KEY_DIGITS = 16


class ReplayFolder:
    """A ReplaySteps below ``replays`` in a home, under a name made of everything that its steps depend on.

    ``parts`` says by name what that is; ``walk`` is which past is replayed, and by what steps.
    """

    def __init__(self, home: Path, parts: Mapping[str, object]) -> None:
        self._replays = home.absolute() / "replays"
        self._parts = canonical_json(parts)
        self.path = self._replays / sha256_hex(self._parts)[:KEY_DIGITS]

    def finished(self) -> list[ReplayedStep]:
        """Every finished step, oldest first; one that is damaged, and what came after it, is replayed again."""
        steps: list[ReplayedStep] = []
        for path in sorted(self.path.glob("steps/*.json")):
            try:
                steps.append(_read(path))
            except (OSError, ValueError, KeyError):
                return steps
        return steps

    def save(self, step: ReplayedStep) -> None:
        """Keep a step, whole or not at all; raises Unavailable."""
        place = self.path / "steps" / f"{step.at:%Y%m%dT%H%M%S}.json"
        with _faults(self.path):
            place.parent.mkdir(parents=True, exist_ok=True)
            (self.path / PARTS).write_bytes(self._parts)
            arrays = BytesIO()
            np.savez_compressed(arrays, **step.arrays)  # type: ignore[arg-type]
            place.with_suffix(".npz").write_bytes(arrays.getvalue())
            document = {**asdict(step), "at": step.at.isoformat(), "sha256": sha256_hex(arrays.getvalue())}
            del document["arrays"]
            document["entries"] = {number: entry.decode() for number, entry in step.entries.items()}
            growing = place.with_suffix(".growing")
            growing.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
            growing.replace(place)

    def changed(self) -> list[str]:
        """What differs from the newest other replay of the same walk, by the names of the parts; none without one."""
        own = json.loads(self._parts)
        newest_first = sorted(self._replays.glob(f"*/{PARTS}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in newest_first:
            try:
                other = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if other.get("walk") == own["walk"] and other != own:
                return [name for name in own if other.get(name) != own[name]]
        return []


def _read(path: Path) -> ReplayedStep:
    document = json.loads(path.read_text(encoding="utf-8"))
    content = path.with_suffix(".npz").read_bytes()
    if document.pop("sha256") != sha256_hex(content):
        raise ValueError("its arrays are damaged")
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        document["arrays"] = {name: arrays[name] for name in arrays.files}
    document["at"] = datetime.fromisoformat(document["at"])
    document["entries"] = {int(number): entry.encode() for number, entry in document["entries"].items()}
    return ReplayedStep(**document)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"The replay cannot be kept in {path} ({error.strerror}). Free the disk.") from error
