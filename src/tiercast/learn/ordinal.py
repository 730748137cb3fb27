"""A regression on log views as it serves: where a video will end, how surely, and what that means between the edges."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from tiercast.core.canonical import canonical_json
from tiercast.learn.boosting import answers, booster_bytes, booster_of
from tiercast.learn.models import Inputs

FILE: Final = "ordinal.json"
MEAN_FILE: Final = "ordinal-mean.json"
SCALE_FILE: Final = "ordinal-scale.json"
LEAST_SHARE: Final = 2e-3
"""No tier is ever impossible: the residuals of some thousand videos cannot show less than a few in a thousand."""
ROUNDING: Final = 0.02
"""Views as sites show them are rounded to two or three digits, so they may seem to fall by this much."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line in some features, which goes on where trees stop; unknown features at their median."""

    columns: tuple[int, ...] = ()
    medians: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    constant: float = 0.0

    def at(self, X: Floats) -> Floats:
        """Its height at each row ``(n,)``."""
        chosen = np.take(X, self.columns, axis=1)
        known = np.where(np.isnan(chosen), np.array(self.medians), chosen)
        # Summed along rows that lie one after the other, as ``take`` lays them: a matrix product, or a sum over the
        # columns that ``X[:, columns]`` may lay out, would round otherwise for one row than for many.
        height: Floats = (known * np.array(self.weights)).sum(axis=1) + self.constant
        return height


@dataclass(frozen=True, slots=True)
class OrdinalModel:
    """Log views are ``start + mean(x) + scale(x) * residual``; residuals as training showed them for like means."""

    mean_line: Line
    mean: xgb.Booster
    scale_line: Line
    scale: xgb.Booster
    bounds: tuple[float, ...]
    """Means that part the rows into groups of like means ``(n_groups - 1,)``."""
    residuals: tuple[tuple[float, ...], ...]
    """Evenly spaced quantiles of the residuals in units of the scale ``(n_groups, n_quantiles)``."""
    grows: bool
    """Whether views can only grow from the start, so that less than it is impossible."""
    kind: str = "ordinal"

    def probabilities(self, inputs: Inputs) -> Floats:
        """Tier probabilities (n_videos, n_tiers): the distribution of log views, integrated between the edges."""
        if inputs.edges is None:
            raise ValueError("a regression on views needs the edges of the tiers")
        below = self.shares_below(inputs, inputs.edges)
        ends = np.hstack([np.zeros((len(below), 1)), below, np.ones((len(below), 1))])
        shares = np.maximum(np.diff(ends, axis=1), LEAST_SHARE)
        whole: Floats = shares / shares.sum(axis=1, keepdims=True)
        return whole

    def shares_below(self, inputs: Inputs, points: Floats) -> Floats:
        """The probability that log views end at or below each point ``(n_videos, n_points)``."""
        centre, scale, group = self._located(inputs)
        start = _start(inputs)
        places = (points - (start + centre)[:, None]) / scale[:, None]
        table = np.array(self.residuals)
        levels = np.linspace(0, 1, table.shape[1])
        below = np.empty(points.shape)
        for number in np.unique(group):
            own = group == number
            below[own] = np.interp(places[own], table[number], levels)
        if self.grows:
            below[points < (start - ROUNDING)[:, None]] = 0.0
        return below

    def quantiles(self, inputs: Inputs, levels: tuple[float, ...]) -> Floats:
        """Log views that stay below with these probabilities ``(n_videos, n_levels)``."""
        centre, scale, group = self._located(inputs)
        start = _start(inputs)
        table = np.array(self.residuals)
        spaced = np.linspace(0, 1, table.shape[1])
        heights = np.array([np.interp(levels, spaced, row) for row in table])[group]
        found = (start + centre)[:, None] + scale[:, None] * heights
        least: Floats = start[:, None] if self.grows else np.zeros((1, 1))
        return np.asarray(np.maximum(found, least), dtype=np.float64)

    def _located(self, inputs: Inputs) -> tuple[Floats, Floats, NDArray[np.int64]]:
        centre = self.mean_line.at(inputs.X) + answers(self.mean, inputs.X)
        scale = np.exp(self.scale_line.at(inputs.X) + answers(self.scale, inputs.X))
        group = np.searchsorted(np.array(self.bounds), centre, side="right").astype(np.int64)
        return centre, scale, group

    def to_files(self) -> dict[str, bytes]:
        """The lines and residuals as JSON, the two boosters in XGBoost's own."""
        document = {
            "mean_line": asdict(self.mean_line),
            "scale_line": asdict(self.scale_line),
            "bounds": self.bounds,
            "residuals": self.residuals,
            "grows": self.grows,
        }
        return {
            FILE: canonical_json(document),
            MEAN_FILE: booster_bytes(self.mean),
            SCALE_FILE: booster_bytes(self.scale),
        }


def _start(inputs: Inputs) -> Floats:
    return np.zeros(len(inputs.X)) if inputs.start is None else inputs.start


def from_files(files: Mapping[str, bytes]) -> OrdinalModel:
    """The model that ``to_files`` wrote; raises ValueError, KeyError or TypeError where the bytes are damaged."""
    document = json.loads(files[FILE])
    return OrdinalModel(
        mean_line=_line(document["mean_line"]),
        mean=booster_of(files[MEAN_FILE]),
        scale_line=_line(document["scale_line"]),
        scale=booster_of(files[SCALE_FILE]),
        bounds=tuple(document["bounds"]),
        residuals=tuple(map(tuple, document["residuals"])),
        grows=bool(document["grows"]),
    )


def _line(document: Mapping[str, Any]) -> Line:
    return Line(
        tuple(document["columns"]), tuple(document["medians"]), tuple(document["weights"]), float(document["constant"])
    )
