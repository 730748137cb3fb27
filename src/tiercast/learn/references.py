"""What tiers are relative to: the edges of all videos, of a platform, of a cohort, or the creator's own usual views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.tiers import EDGE_PERCENTILES, RelativeTo, tier_edges

ALL: Final = "all"
FOLLOWER_BANDS: Final = (1_000, 10_000, 100_000, 1_000_000)
BAND_NAMES: Final = ("under 1k", "1k-10k", "10k-100k", "100k-1M", "over 1M")
HAIR: Final = 1e-12
"""Logarithms of views and back again are that exact."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standpoint:
    """What a row's own edges depend on."""

    platforms: Sequence[str]
    followers: Floats
    """NaN where unknown."""
    usual: Floats
    """ln(views + 1) that the creator usually has; NaN without a known earlier post."""
    posts: Floats
    """Known earlier posts of the creator."""

    def __getitem__(self, rows: NDArray[np.int64]) -> "Standpoint":
        """Some of the rows."""
        platforms = [self.platforms[row] for row in rows.tolist()]
        return Standpoint(platforms, self.followers[rows], self.usual[rows], self.posts[rows])


@dataclass(frozen=True, slots=True)
class TierReference:
    """The edges of every group that was large enough, and those of all videos for every other row."""

    relative_to: RelativeTo
    edges: Mapping[str, tuple[int, ...]]
    """Edges in views by the name of a group; ``all`` is always there."""
    multiples: tuple[float, ...] | None = None
    """For ``creator``: ln of views over usual views at the edges."""
    min_posts: int = 0
    """For ``creator``: earlier posts without which a row falls back to ``all``."""

    def to_document(self) -> dict[str, Any]:
        """As a manifest keeps it."""
        return {
            "relative_to": self.relative_to.value,
            "edges": {name: list(edges) for name, edges in self.edges.items()},
            "multiples": None if self.multiples is None else list(self.multiples),
            "min_posts": self.min_posts,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "TierReference":
        """As ``to_document`` wrote it; raises KeyError, TypeError or ValueError where it did not."""
        edges = {name: _four(each) for name, each in dict(document["edges"]).items()}
        if ALL not in edges:
            raise ValueError(f"it has no edges of {ALL!r}")
        multiples = document["multiples"]
        return cls(
            RelativeTo(document["relative_to"]),
            edges,
            None if multiples is None else _four(multiples),
            int(document["min_posts"]),
        )

    @property
    def edges_of_all(self) -> tuple[int, ...]:
        """The edges over all videos."""
        return self.edges[ALL]

    def groups(self, rows: Standpoint) -> list[str]:
        """What each row's tiers are relative to: the narrowest group that has edges of its own, or ``all``."""
        if self.relative_to is RelativeTo.CREATOR:
            own = (rows.posts >= self.min_posts) & ~np.isnan(rows.usual)
            return [RelativeTo.CREATOR.value if mine else ALL for mine in own.tolist()]
        return [next(name for name in names if name in self.edges) for names in _names(rows, self.relative_to)]

    def edges_of(self, rows: Standpoint) -> Floats:
        """Each row's edges in whole views ``(n, 4)``; its tier is 1 + the number of edges that its views exceed."""
        if not len(rows.platforms):
            return np.empty((0, len(EDGE_PERCENTILES)))
        groups = self.groups(rows)
        fixed = np.array([self.edges.get(name, self.edges_of_all) for name in groups], dtype=np.float64)
        if self.multiples is None:
            return fixed
        own = np.array([name == RelativeTo.CREATOR for name in groups])
        # Whole numbers, as views are; a hair more, or a video on an edge would by its last bit lie above it.
        relative = np.floor(np.expm1(np.nan_to_num(rows.usual)[:, None] + np.array(self.multiples)) * (1 + HAIR))
        return np.where(own[:, None], relative, fixed)

    def tiers(self, views: NDArray[np.int64], rows: Standpoint) -> NDArray[np.int64]:
        """The tier of each row's views, 1..5 ``(n,)``."""
        exceeded: NDArray[np.int64] = (views[:, None] > self.edges_of(rows)).sum(axis=1)
        return exceeded + 1


def _four(values: Sequence[Any]) -> tuple[Any, ...]:
    if len(values) != len(EDGE_PERCENTILES):
        raise ValueError(f"{len(values)} edges where tiers have {len(EDGE_PERCENTILES)}")
    return tuple(values)


def log_edges(edges: Floats) -> Floats:
    """ln(views + 1) halfway between an edge and the next whole number, where a distribution of views is asked."""
    logs: Floats = np.log(edges + 1.5)
    return logs


def cut_reference(
    views: NDArray[np.int64], rows: Standpoint, relative_to: RelativeTo, *, min_cohort: int, min_posts: int
) -> TierReference:
    """The edges that cut these rows, which have to be training rows; a group below ``min_cohort`` rows has none.

    >>> rows = Standpoint(["tiktok"] * 6, np.full(6, np.nan), np.full(6, np.nan), np.zeros(6))
    >>> cut_reference(np.arange(10, 70, 10), rows, RelativeTo.ALL, min_cohort=200, min_posts=3).edges
    {'all': (20, 30, 40, 50)}
    """
    edges = {ALL: tier_edges(views.tolist())}
    if relative_to is RelativeTo.CREATOR:
        own = (rows.posts >= min_posts) & ~np.isnan(rows.usual)
        over = np.sort(np.log1p(views[own].astype(np.float64)) - rows.usual[own])
        if len(over) < min_cohort:
            return TierReference(relative_to, edges, min_posts=np.iinfo(np.int64).max)
        places = [percentile * (len(over) - 1) // 100 for percentile in EDGE_PERCENTILES]
        return TierReference(relative_to, edges, tuple(over[places].tolist()), min_posts)
    if relative_to is not RelativeTo.ALL:
        members: dict[str, list[int]] = {}
        for row, names in enumerate(_names(rows, relative_to)):
            for name in names[:-1]:
                members.setdefault(name, []).append(row)
        large = {name: own for name, own in sorted(members.items()) if len(own) >= min_cohort}
        edges = {name: tier_edges(views[own].tolist()) for name, own in large.items()} | edges
    return TierReference(relative_to, edges)


def _names(rows: Standpoint, relative_to: RelativeTo) -> list[tuple[str, ...]]:
    """The groups of each row, the narrowest first and ``all`` last."""
    if relative_to is RelativeTo.ALL:
        return [(ALL,)] * len(rows.platforms)
    if relative_to is RelativeTo.PLATFORM:
        return [(platform, ALL) for platform in rows.platforms]
    band = np.searchsorted(FOLLOWER_BANDS, np.nan_to_num(rows.followers), side="right").tolist()
    known = (~np.isnan(rows.followers)).tolist()
    return [
        (f"{platform}, {BAND_NAMES[number]} followers", platform, ALL) if told else (platform, ALL)
        for platform, number, told in zip(rows.platforms, band, known, strict=True)
    ]
