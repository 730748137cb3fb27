"""A forecast carried to other edges, so that models that learned different tiers can be judged on the same label."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

LEAST_SHARE: Final = 1e-3
"""Between two points of a distribution nobody knows its shape so well that a tier could be ruled out."""
LEAST_BELOW: Final = 1e-4
"""Shares below an edge that are nearer to 0 or 1 tell rounding, not views."""
LEAST_STEP: Final = 1e-6
"""Ends of the training range lie at least this far outside the edges, in log views."""
END_DEVIATIONS: Final = 3.0
"""At an end of the training range at most one video in a thousand is left."""

Floats = NDArray[np.float64]


def carried(probabilities: Floats, own: Floats, log_range: tuple[float, float], asked: Floats) -> Floats:
    """Tier probabilities (n_videos, n_tiers) at the edges ``asked`` of a forecast made for the edges ``own``.

    Both are log edges (n_videos, 4) as ``references.log_edges`` gives them; ``log_range`` is the lowest and highest
    log views of the forecaster's training rows, below and above which it expects nothing. The cumulative
    probabilities at its own edges are joined by a monotone cubic in log views (Fritsch & Carlson 1980), in units of
    normal deviations: log views of one video stray about normally, which is a straight line there, so that the line
    may go on beyond the outermost edges. Rows that keep their edges keep their probabilities bit for bit.

    >>> own = np.log([[11.5, 101.5, 1001.5, 10001.5]])
    >>> even = np.full((1, 5), 0.2)
    >>> carried(even, own, (0.0, 12.0), own).tolist() == even.tolist()
    True
    >>> carried(even, own, (0.0, 12.0), own + 1).round(2).tolist()
    [[0.29, 0.2, 0.2, 0.26, 0.05]]
    """
    result = probabilities.copy()
    moved = np.flatnonzero((own != asked).any(axis=1))
    known, group = np.unique(np.hstack([own, asked])[moved], axis=0, return_inverse=True)
    below = np.cumsum(probabilities, axis=1)[:, :-1]
    for number, move in enumerate(known):
        rows = moved[group.reshape(-1) == number]
        edges, points = np.split(move, 2)
        result[rows] = _between(_below(below[rows], edges, log_range, points))
    return result


def _below(shares: Floats, edges: Floats, log_range: tuple[float, float], points: Floats) -> Floats:
    """The probability of at most each of ``points`` (4,), of rows that have ``shares`` below these edges (n, 4)."""
    low, high = min(log_range[0], edges[0] - LEAST_STEP), max(log_range[1], edges[-1] + LEAST_STEP)
    last = np.append(np.diff(edges) > 0, True)  # of edges that fall together the last one holds all of their share
    places, heights = edges[last], ndtri(np.clip(shares[:, last], LEAST_BELOW, 1 - LEAST_BELOW))
    first_slope = np.maximum(0, heights[:, 0] + END_DEVIATIONS) / (places[0] - low)
    last_slope = np.maximum(0, END_DEVIATIONS - heights[:, -1]) / (high - places[-1])
    inside = np.broadcast_to(heights[:, :1], (len(shares), len(points)))
    if len(places) > 1:
        slopes = np.diff(heights, axis=1) / np.diff(places)
        first_slope, last_slope = np.maximum(first_slope, slopes[:, 0]), np.maximum(last_slope, slopes[:, -1])
        inside = PchipInterpolator(places, heights, axis=1)(np.clip(points, places[0], places[-1]))
    under, over = np.minimum(points - places[0], 0), np.maximum(points - places[-1], 0)
    found = ndtr(inside + np.outer(first_slope, under) + np.outer(last_slope, over))
    return np.asarray(np.where(points <= low, 0.0, np.where(points >= high, 1.0, found)), dtype=np.float64)


def _between(below: Floats) -> Floats:
    ends = np.hstack([np.zeros((len(below), 1)), below, np.ones((len(below), 1))])
    shares = np.maximum(np.diff(ends, axis=1), LEAST_SHARE)
    whole: Floats = shares / shares.sum(axis=1, keepdims=True)
    return whole
