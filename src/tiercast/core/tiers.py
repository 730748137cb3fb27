"""Five tiers of views: how they are cut, and how a forecast over them becomes one score."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import starmap
from operator import mul
from typing import Final

N_TIERS: Final = 5
TIERS: Final = (1, 2, 3, 4, 5)
EDGE_PERCENTILES: Final = (20, 40, 60, 80)
TIER_MIDPOINTS: Final = (12.5, 35.0, 55.0, 72.5, 90.0)
"""The score that each tier stands for; part of the contract with callers."""


def tier_edges(views: Sequence[int]) -> tuple[int, ...]:
    """The four edges that cut ``views`` into tiers: edge p = sorted[floor(p / 100 * (n - 1))].

    >>> tier_edges([10, 20, 30, 40, 50, 60])
    (20, 30, 40, 50)
    >>> tier_edges([])
    Traceback (most recent call last):
    ValueError: tier edges need at least one video
    """
    if not views:
        raise ValueError("tier edges need at least one video")
    ordered = sorted(views)
    return tuple(ordered[percentile * (len(ordered) - 1) // 100] for percentile in EDGE_PERCENTILES)


def tier_of(views: int, edges: Sequence[int]) -> int:
    """The tier of one video: 1 + the number of edges that its views exceed.

    >>> [tier_of(views, (20, 30, 40, 50)) for views in (20, 21, 999)]
    [1, 2, 5]
    """
    return 1 + sum(views > edge for edge in edges)


def score(probabilities: Sequence[float]) -> float:
    """The expected tier midpoint on a scale of 0 to 100, to one decimal.

    >>> score((0.0, 0.0, 0.0, 0.0, 1.0)), score((0.2, 0.2, 0.2, 0.2, 0.2))
    (90.0, 53.0)
    """
    expected: float = sum(starmap(mul, zip(probabilities, TIER_MIDPOINTS, strict=True)))
    return round(expected, 1)


class RelativeTo(StrEnum):
    """What a tier is relative to: whose views the edges cut."""

    ALL = "all"
    """All videos of the training part."""
    PLATFORM = "platform"
    """The videos of the same platform."""
    COHORT = "cohort"
    """The videos of the same platform whose creators have about as many followers."""
    CREATOR = "creator"
    """The creator's own usual views: the tier says how far a video stands out."""
