"""Several forecasts of the same videos, compared: who was right how often, and by how much more than another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiercast.core.tiers import N_TIERS
from tiercast.learn.bootstrap import Resamples
from tiercast.learn.metrics import Measure, log_losses
from tiercast.learn.rivals import by_group

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one forecaster said of some videos, marked."""

    hit: NDArray[np.bool_]
    """Where its most likely tier was the right one ``(n_videos,)``."""
    loss: Floats
    """Log loss ``(n_videos,)``."""

    @classmethod
    def of(cls, forecast: Floats, tiers: NDArray[np.int64]) -> "Sheet":
        """Tier probabilities (n_videos, n_tiers) against tiers 1..5 (n_videos,)."""
        return cls(forecast.argmax(axis=1) + 1 == tiers, log_losses(forecast, tiers))


@dataclass(frozen=True, slots=True)
class Marks:
    """One forecaster over some videos."""

    accuracy: Measure
    """With its 95 % interval by creator."""
    log_loss: float | None
    ahead: Measure
    """How much more often the first of the compared was right, with the interval of the paired difference."""


def compared(sheets: Mapping[str, Sheet], creators: NDArray[np.int64], *, seed: int) -> dict[str, Marks]:
    """Every forecaster's marks on the same videos; the first one is the one that the others are held against.

    >>> sheet = Sheet.of(np.eye(5)[[0, 1, 2, 3]], np.array([1, 2, 3, 1]))
    >>> marks = compared({"champion": sheet}, np.array([1, 1, 2, 3]), seed=1)["champion"]
    >>> marks.accuracy, marks.ahead.value
    (Measure(value=0.75, interval=None), 0.0)
    """
    if not len(creators):
        return {name: Marks(Measure(None), None, Measure(None)) for name in sheets}
    resamples = Resamples.draw(creators, seed=seed)
    first = next(iter(sheets.values())).hit.astype(np.float64)
    marks = {}
    for name, sheet in sheets.items():
        share, more = resamples.share_bounds(sheet.hit), first - sheet.hit
        apart = resamples.mean_bounds(more)
        marks[name] = Marks(
            accuracy=Measure(float(sheet.hit.mean()), share.interval if share else None),
            log_loss=float(sheet.loss.mean()),
            ahead=Measure(float(more.mean()), apart.interval if apart else None),
        )
    return marks


def pooled(parts: Sequence[Mapping[str, Sheet]]) -> dict[str, Sheet]:
    """The sheets of several sets of videos as one, for the forecasters that marked all of them."""
    names = [name for name in (parts[0] if parts else ()) if all(name in part for part in parts)]
    return {
        name: Sheet(
            np.concatenate([part[name].hit for part in parts]), np.concatenate([part[name].loss for part in parts])
        )
        for name in names
    }


@dataclass(frozen=True, slots=True)
class Known:
    """What a naive rival knows of some videos: ln(views + 1) that the creator usually has, and that were seen."""

    usual: Floats | None
    """NaN without a known earlier post; None where the moment knows no history."""
    start: Floats | None
    """None where nothing was seen yet."""


def naive(views: NDArray[np.int64], then: Known, asked: Known, n_asked: int, log_edges: Floats) -> dict[str, Floats]:
    """Naive rivals' tier probabilities (n_asked, n_tiers) from the videos known at a time, cut at these log edges (4,).

    >>> edges, nothing = np.log([10.5, 20.5, 30.5, 40.5]), Known(None, None)
    >>> naive(np.array([50, 60, 5]), nothing, nothing, 1, edges)["majority"].round(2).tolist()
    [[0.33, 0.0, 0.0, 0.0, 0.67]]
    """
    tiers = tiers_at(views, log_edges)
    shares = np.bincount(tiers - 1, minlength=N_TIERS) / len(tiers)
    rivals: dict[str, Floats] = {"majority": np.tile(shares, (n_asked, 1))}
    if then.usual is not None and asked.usual is not None:
        groups = [_usual_tier(usual, log_edges) for usual in (then.usual, asked.usual)]
        rivals["creators_usual"] = by_group(groups[0], tiers, groups[1])
    if then.start is not None and asked.start is not None:
        fifths = np.quantile(then.start, np.arange(1, N_TIERS) / N_TIERS)
        groups = [np.searchsorted(fifths, start, side="left") for start in (then.start, asked.start)]
        rivals["first_views"] = by_group(groups[0], tiers, groups[1])
    return rivals


def tiers_at(views: NDArray[np.int64], log_edges: Floats) -> NDArray[np.int64]:
    """The tier 1..5 of each number of views ``(n_videos,)`` between log edges (4,).

    >>> tiers_at(np.array([10, 11]), np.log([11.5, 101.5, 1001.5, 10001.5])).tolist()
    [1, 2]
    """
    found: NDArray[np.int64] = 1 + np.searchsorted(log_edges, np.log1p(views.astype(np.float64)), side="left")
    return found


def _usual_tier(usual: Floats, log_edges: Floats) -> NDArray[np.int64]:
    """0 where nothing is known of the creator."""
    tier = 1 + np.searchsorted(log_edges, np.nan_to_num(usual), side="left")
    return np.where(np.isnan(usual), 0, tier)
