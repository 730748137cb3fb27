"""A forecast carried to other edges, so that models that learned different tiers can be judged on the same label."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

LEAST_SHARE: Final = 1e-3
"""Between two points of a distribution nobody knows its shape so well that a tier could be ruled out."""
LEAST_STEP: Final = 1e-6
"""Ends of the training range lie at least this far outside the edges, in log views."""

Floats = NDArray[np.float64]


def carried(probabilities: Floats, own: Floats, log_range: tuple[float, float], asked: Floats) -> Floats:
    """Tier probabilities (n_videos, n_tiers) at the edges ``asked`` of a forecast made for the edges ``own``.

    Both are log edges (n_videos, 4) as ``references.log_edges`` gives them; ``log_range`` is the lowest and highest
    log views of the forecaster's training rows, below and above which it expects nothing. Its cumulative
    probabilities at its own edges are joined by a monotone cubic in log views (Fritsch & Carlson 1980). Rows that
    keep their edges keep their probabilities bit for bit.

    >>> own = np.log([[11.5, 101.5, 1001.5, 10001.5]])
    >>> even = np.full((1, 5), 0.2)
    >>> carried(even, own, (0.0, 12.0), own).tolist() == even.tolist()
    True
    >>> carried(even, own, (0.0, 12.0), own + 1).round(2).tolist()
    [[0.29, 0.2, 0.2, 0.19, 0.12]]
    """
    result = probabilities.copy()
    moved = np.flatnonzero((own != asked).any(axis=1))
    known, group = np.unique(own[moved], axis=0, return_inverse=True)
    below = np.cumsum(probabilities, axis=1)[:, :-1]
    for number, edges in enumerate(known):
        rows = moved[group.reshape(-1) == number]
        result[rows] = _between(_below(below[rows], edges, log_range, asked[rows]))
    return result


def _below(shares: Floats, edges: Floats, log_range: tuple[float, float], points: Floats) -> Floats:
    """The probability of at most ``points`` (n, 4), of rows that share these edges and have ``shares`` below them."""
    heights = np.hstack([np.zeros((len(shares), 1)), shares, np.ones((len(shares), 1))])
    low, high = min(log_range[0], edges[0] - LEAST_STEP), max(log_range[1], edges[-1] + LEAST_STEP)
    places = np.array([low, *edges, high])
    last = np.append(np.diff(places) > 0, True)  # of edges that fall together the last one holds all of their share
    curve = PchipInterpolator(places[last], heights[:, last], axis=1)
    inside = np.clip(points, low, high)
    if (inside == inside[0]).all():
        found = curve(inside[0])
    else:
        found = np.array([curve(inside[row])[row] for row in range(len(inside))])
    return np.clip(np.asarray(found, dtype=np.float64), 0.0, 1.0)


def _between(below: Floats) -> Floats:
    ends = np.hstack([np.zeros((len(below), 1)), below, np.ones((len(below), 1))])
    shares = np.maximum(np.diff(ends, axis=1), LEAST_SHARE)
    whole: Floats = shares / shares.sum(axis=1, keepdims=True)
    return whole
