"""Models: where releases and the promotion log are kept, and the process that proves them."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.release import Release


class ObjectStore(Protocol):
    """Immutable objects by key: a folder, S3 and its kin, GCS, Azure."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write unless the key exists; True when this call wrote. Raises Unavailable on an unknown outcome."""
        ...

    def get(self, key: str) -> bytes:
        """The object's bytes; raises Missing where there is none."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        ...


class PromotionLog(Protocol):
    """Numbered, immutable entries; whoever writes a number first owns it."""

    name: Literal["objects", "postgres"]

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        """Write entry ``number`` unless it exists; True when this call wrote it."""
        ...

    def numbers(self, moment: Moment) -> list[int]:
        """Every number in the log, ascending."""
        ...

    def read(self, moment: Moment, number: int) -> bytes:
        """One entry; raises Missing."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked about ``n`` videos, as plain arrays; see ``learn.models.Inputs``."""

    X: NDArray[np.float64]
    edges: NDArray[np.float64] | None
    start: NDArray[np.float64] | None


class Rehearsal(Protocol):
    """A fresh process that loads staged bytes as production would, started early so that nobody waits for it."""

    def predict(self, release: Release, question: Question) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) from a process that never saw the training; raises Unavailable."""
        ...

    def close(self) -> None:
        """End the process."""
        ...
