"""The training set: features, tiers, which rows test, and the fingerprint of what they came from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.release import Label, RowSet
from tiercast.core.tiers import N_TIERS, TIERS
from tiercast.learn.models import Inputs
from tiercast.learn.recipes import Fold, Rows, stratified_folds
from tiercast.learn.references import Standpoint, TierReference
from tiercast.learn.splits import order_keys, time_cuts

WEIGHT_CAP: Final = 3.0
"""No tier counts more than three times the least weighted one, or a few rare rows would steer the fit."""
N_CUTS: Final = 4
"""One cut moves results more than their intervals say; four tell which candidate is better over time."""
MIN_CUTS: Final = 2
MIN_FIT_ROWS: Final = 100
FIRST_SHARE: Final = 0.5
"""The older half of the training part is only ever fitted on; each quarter of the newer half judges in turn."""
TRAINING_ROWS_FILE: Final = "training-rows.u64"
"""The keys of a release's training rows, ascending 64-bit numbers, little end first: so that they never judge it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When each row was posted and when its label counts as known, microseconds since 1970 ``(n_videos,)``."""

    posted_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    otherwise_known_at: tuple[NDArray[np.int64], ...] = ()
    """When it counts as known where too few were known in time to cut the training rows by it, tried in this order."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Features (n_videos, n_features) with unknowns as NaN, tiers 1..5 (n_videos,), and the side of each row."""

    moment: Moment
    inputs: Inputs
    unknown: NDArray[np.bool_]
    """Where a feature's inputs were unknown (n_videos, n_features), also where a value stands in for it."""
    tiers: NDArray[np.int64]
    weights: NDArray[np.float64]
    """How much each row counts in a fit (n_videos,)."""
    is_test: NDArray[np.bool_]
    identities: Sequence[tuple[str, ...]]
    creators: NDArray[np.int64]
    """A number for each row's creator (n_videos,); a row of unknown author has one of its own."""
    label: Label
    held: dict[str, float] = field(default_factory=dict)
    views: NDArray[np.int64] | None = None
    reference: TierReference | None = None
    """What the tiers are relative to; None where labels were given."""
    timing: Timing | None = None
    """None where rows are not ordered in time: then folds are drawn by tier."""
    newest_video_at: str | None = None
    standpoint: Standpoint | None = None
    """Platform, followers and usual views of each row; None where labels were given."""
    posted_at: NDArray[np.int64] | None = None
    """Microseconds since 1970 (n_videos,), ``groups.UNDATED`` where unknown; None where labels were given."""

    @property
    def n_videos(self) -> int:
        """Rows of both sides."""
        return len(self.tiers)

    @property
    def tier_edges(self) -> tuple[int, ...] | None:
        """The edges over all videos, where tiers were cut from views."""
        return self.reference.edges_of_all if self.reference else None

    @property
    def tier_distribution(self) -> tuple[int, ...]:
        """Rows of each tier, both sides."""
        return tuple(int(np.sum(self.tiers == tier)) for tier in TIERS)

    def numbers(self, *, test: bool) -> NDArray[np.int64]:
        """Row numbers of one side."""
        return np.flatnonzero(self.is_test if test else ~self.is_test)

    def rows(self, *, test: bool) -> Rows:
        """What a fit sees of one side."""
        log_views = None if self.views is None else np.log1p(self.views.astype(np.float64))
        return Rows(self.inputs, self.tiers, self.weights, log_views)[self.numbers(test=test)]

    def folds(self, *, seed: int) -> list[Fold]:
        """How the training rows judge each other: by blocks of time for a forecast, else by three folds by tier.

        No folds where a forecast's rows are too few, or posted too close together, to be cut by time.
        """
        own = self.numbers(test=False)
        if self.timing is None:
            return stratified_folds(self.tiers[own], seed=seed)
        folds = self._cut(own, self.timing.known_at)
        for otherwise in self.timing.otherwise_known_at:
            if len(folds) < MIN_CUTS:
                folds = self._cut(own, otherwise)
        return folds if len(folds) >= MIN_CUTS else []

    def falls_back(self) -> bool:
        """Whether folds rest on labels that count as known earlier than the split takes them to be."""
        own = self.numbers(test=False)
        return self.timing is not None and len(self._cut(own, self.timing.known_at)) < MIN_CUTS

    def _cut(self, own: NDArray[np.int64], known_at: NDArray[np.int64]) -> list[Fold]:
        if self.timing is None:
            return []
        cuts = time_cuts(self.timing.posted_at[own], known_at[own], n_cuts=N_CUTS, first_share=FIRST_SHARE)
        return [Fold(fit, judge) for fit, judge in cuts if self._can_learn(own[fit])]

    def _can_learn(self, rows: NDArray[np.int64]) -> bool:
        """Whether a fit has rows enough, of every tier."""
        return len(rows) >= MIN_FIT_ROWS and len(np.unique(self.tiers[rows])) == N_TIERS

    def fingerprint(self, *, test: bool) -> RowSet:
        """How many rows a side has, and the hash of their identities, features, tiers and views."""
        rows = self.numbers(test=test)
        digest = hashlib.sha256()
        for row in rows.tolist():
            digest.update("\x1f".join(self.identities[row]).encode() + b"\x1e")
        digest.update(np.ascontiguousarray(self.inputs.X[rows]).tobytes())
        digest.update(np.ascontiguousarray(self.tiers[rows]).tobytes())
        if self.views is not None:
            digest.update(np.ascontiguousarray(self.views[rows]).tobytes())
        return RowSet(rows=len(rows), sha256=digest.hexdigest())

    def training_rows(self) -> bytes:
        """What ``TRAINING_ROWS_FILE`` holds."""
        keys = row_keys(self.identities)[self.numbers(test=False)]
        return np.sort(keys).astype("<u8").tobytes()

    def missing_shares(self) -> NDArray[np.float64]:
        """For each feature the share of training rows on which its inputs were unknown, (n_features,)."""
        unknown = self.unknown[~self.is_test]
        return np.asarray(unknown.sum(axis=0) / max(1, len(unknown)), dtype=np.float64)

    def zero_shares(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """For each feature the share of these rows on which it is zero, (n_features,); unknown is not zero."""
        return np.asarray((self.inputs.X[rows] == 0).mean(axis=0), dtype=np.float64)

    def log_views_range(self) -> tuple[float, float] | None:
        """Lowest and highest log views (natural) of the training rows."""
        if self.views is None:
            return None
        log_views = np.log(self.views[~self.is_test].astype(np.float64))
        return float(log_views.min()), float(log_views.max())


def row_keys(identities: Sequence[tuple[str, ...]]) -> NDArray[np.uint64]:
    """A number for each row's identity (n_videos,), the same in every run."""
    return order_keys(identities, seed=0)


def tier_weights(tiers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The weight of each row, (n_videos,): inverse to its tier's frequency, capped at 3 x the smallest.

    >>> tier_weights(np.array([1, 1, 1, 1, 1, 1, 1, 1, 2, 2]))[[0, -1]].tolist()
    [0.25, 0.75]
    """
    counts = np.bincount(tiers - 1, minlength=N_TIERS)
    weights = np.divide(len(tiers), N_TIERS * counts, out=np.zeros(N_TIERS), where=counts > 0)
    capped = np.minimum(weights, WEIGHT_CAP * weights[counts > 0].min())
    return np.asarray(capped[tiers - 1], dtype=np.float64)
