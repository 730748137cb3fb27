"""Splits: by a hash, so that a video keeps its side from week to week, or by time, so that only newer videos judge.

Times are microseconds since 1970 UTC.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray


def order_keys(identities: Iterable[tuple[str, ...]], *, seed: int) -> NDArray[np.uint64]:
    """A uniform 64-bit number per identity (such as platform and video_id), the same in every run.

    >>> int(order_keys([("tiktok", "1")], seed=42)[0]) == int(order_keys([("tiktok", "1")], seed=42)[0])
    True
    """
    digests = (hashlib.sha256("\x1f".join((str(seed), *identity)).encode()).digest()[:8] for identity in identities)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def stratified_test_rows(tiers: NDArray[np.int64], keys: NDArray[np.uint64], *, share: float) -> NDArray[np.bool_]:
    """Which rows are test rows, (n_videos,): within each tier the lowest ``share`` of the keys.

    >>> keys = np.array([5, 3, 1, 9], dtype=np.uint64)
    >>> stratified_test_rows(np.array([1, 1, 2, 2]), keys, share=0.5).tolist()
    [False, True, True, False]
    """
    is_test = np.zeros(len(tiers), dtype=bool)
    for tier in np.unique(tiers):
        rows = np.flatnonzero(tiers == tier)
        n_test = int(np.floor(share * len(rows) + 0.5))
        is_test[rows[np.argsort(keys[rows], kind="stable")[:n_test]]] = True
    return is_test


Known = Literal["strict", "as_scraped"]
"""When a label counts as known: once it had been observed, or a horizon after posting, however late it was scraped."""


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Test rows and the training rows whose labels were known when they begin, (n_videos,); the others are the gap."""

    is_training: NDArray[np.bool_]
    is_test: NDArray[np.bool_]
    test_begins_at: int | None
    """When the earliest test row was posted; None without rows."""
    rule: Known
    left_strict: int
    """Training rows that the rule ``strict`` leaves, taken or not."""
    left_as_scraped: int


def time_split(
    posted_at: NDArray[np.int64],
    known_at: NDArray[np.int64],
    horizon: int,
    *,
    share: float,
    known: Literal["strict", "as_scraped", "auto"],
    min_training: int,
) -> TimeSplit:
    """The newest ``share`` of the rows (at least one) tests; older rows train whose label was known when these begin.

    ``known_at`` (n_videos,) is when each label was observed, ``horizon`` the microseconds after which ``as_scraped``
    takes it as known. ``auto`` is ``strict`` unless that leaves fewer than ``min_training`` rows. Rows posted at the
    very time at which the test begins all test: they could not train, for no label is known when its video is posted.

    >>> posted = np.array([10, 20, 30, 40, 40])
    >>> split = time_split(posted, posted + 15, 5, share=0.2, known="auto", min_training=2)
    >>> split.is_training.tolist(), split.is_test.tolist(), split.test_begins_at
    ([True, True, False, False, False], [False, False, False, True, True], 40)
    >>> split = time_split(posted, posted + 25, 5, share=0.2, known="auto", min_training=2)
    >>> split.rule, split.left_strict, split.left_as_scraped
    ('as_scraped', 1, 3)
    """
    begins_at = _test_begin(posted_at, share)
    border = begins_at or 0  # any number will do where there are no rows
    is_test = posted_at >= border
    strict = ~is_test & (known_at <= border)
    as_scraped = ~is_test & (posted_at + horizon <= border)
    left_strict, left_as_scraped = int(strict.sum()), int(as_scraped.sum())
    enough = left_strict >= min_training or left_as_scraped <= left_strict  # a fallback has to gain something
    rule: Known = known if known != "auto" else "strict" if enough else "as_scraped"
    return TimeSplit(
        is_training=strict if rule == "strict" else as_scraped,
        is_test=is_test,
        test_begins_at=begins_at,
        rule=rule,
        left_strict=left_strict,
        left_as_scraped=left_as_scraped,
    )


def _test_begin(posted_at: NDArray[np.int64], share: float) -> int | None:
    if not len(posted_at):
        return None
    n_test = min(len(posted_at), max(1, int(np.floor(share * len(posted_at) + 0.5))))
    return int(np.sort(posted_at)[-n_test])


def time_cuts(
    posted_at: NDArray[np.int64], known_at: NDArray[np.int64], *, n_cuts: int, first_share: float
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Row numbers, ascending, to fit on and to judge by, for each block of time after the first ``first_share``.

    A window that expands: the rows posted before a block begins, and whose labels were known by then, are fitted on.
    Rows posted at the same time as the last row of a block all belong to it, so that the first share is never judged;
    a block that this empties, or for which nothing is left to fit on, is left out.

    >>> posted = np.array([60, 10, 20, 30, 40, 50])
    >>> [(fit.tolist(), judge.tolist()) for fit, judge in time_cuts(posted, posted + 15, n_cuts=2, first_share=1 / 3)]
    [([1], [3, 4]), ([1, 2, 3], [0, 5])]
    """
    n_rows = len(posted_at)
    order = np.argsort(posted_at, kind="stable")
    first = int(np.floor(first_share * n_rows + 0.5))
    evenly = [first + (n_rows - first) * cut // n_cuts for cut in range(n_cuts + 1)]
    borders = [_after_equals(posted_at[order], place) for place in evenly]
    cuts = []
    for start, stop in pairwise(borders):
        if start == stop:
            continue
        begins_at = posted_at[order[start]]
        fit = np.flatnonzero((posted_at < begins_at) & (known_at <= begins_at))
        if len(fit):
            cuts.append((fit, np.sort(order[start:stop])))
    return cuts


def _after_equals(ordered: NDArray[np.int64], place: int) -> int:
    """The first place from ``place`` on that does not tear equal times apart."""
    return int(np.searchsorted(ordered, ordered[place - 1], side="right")) if place else 0
