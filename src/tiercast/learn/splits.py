"""Splits that are a function of the video, not of the run: a video stays on its side from week to week."""

import hashlib
from collections.abc import Iterable

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
