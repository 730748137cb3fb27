"""The training set: features, tiers, which rows test, and the fingerprint of what they came from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.release import Label, RowSet
from tiercast.core.tiers import N_TIERS, TIERS

WEIGHT_CAP: Final = 3.0
"""No tier counts more than three times the least weighted one, or a few rare rows would steer the fit."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Features (n_videos, 15) with unknowns as NaN, tiers 1..5 (n_videos,), and the side of each row."""

    X: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    """Where a feature's inputs were unknown (n_videos, 15), also where a value stands in for it."""
    tiers: NDArray[np.int64]
    is_test: NDArray[np.bool_]
    identities: Sequence[tuple[str, ...]]
    label: Label
    held: dict[str, float]
    views: NDArray[np.int64] | None
    tier_edges: tuple[int, ...] | None
    newest_video_at: str | None

    @property
    def n_videos(self) -> int:
        """Rows of both sides."""
        return len(self.tiers)

    @property
    def tier_distribution(self) -> tuple[int, ...]:
        """Rows of each tier, both sides."""
        return tuple(int(np.sum(self.tiers == tier)) for tier in TIERS)

    def side(self, *, test: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Features and tiers of the training or the test rows."""
        rows = self.is_test if test else ~self.is_test
        return self.X[rows], self.tiers[rows]

    def fingerprint(self, *, test: bool) -> RowSet:
        """How many rows a side has, and the hash of their identities, features and tiers."""
        rows = np.flatnonzero(self.is_test if test else ~self.is_test)
        digest = hashlib.sha256()
        for row in rows.tolist():
            digest.update("\x1f".join(self.identities[row]).encode() + b"\x1e")
        digest.update(np.ascontiguousarray(self.X[rows]).tobytes())
        digest.update(np.ascontiguousarray(self.tiers[rows]).tobytes())
        return RowSet(rows=len(rows), sha256=digest.hexdigest())

    def missing_shares(self) -> NDArray[np.float64]:
        """For each feature the share of training rows on which its inputs were unknown, (15,)."""
        unknown = self.unknown[~self.is_test]
        return np.asarray(unknown.sum(axis=0) / max(1, len(unknown)), dtype=np.float64)

    def log_views_range(self) -> tuple[float, float] | None:
        """Lowest and highest log views (natural) of the training rows."""
        if self.views is None:
            return None
        log_views = np.log(self.views[~self.is_test].astype(np.float64))
        return float(log_views.min()), float(log_views.max())


def tier_weights(tiers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The weight of each row, (n_videos,): inverse to its tier's frequency, capped at 3 x the smallest.

    >>> tier_weights(np.array([1, 1, 1, 1, 1, 1, 1, 1, 2, 2]))[[0, -1]].tolist()
    [0.25, 0.75]
    """
    counts = np.bincount(tiers - 1, minlength=N_TIERS)
    weights = np.divide(len(tiers), N_TIERS * counts, out=np.zeros(N_TIERS), where=counts > 0)
    capped = np.minimum(weights, WEIGHT_CAP * weights[counts > 0].min())
    return np.asarray(capped[tiers - 1], dtype=np.float64)
