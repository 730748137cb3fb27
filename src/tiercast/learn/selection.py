"""Choosing a candidate, its calibration and its confidence threshold from forecasts of rows it had not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tiercast.learn.blend import mean_of, tempered
from tiercast.learn.confidence import confidence_threshold
from tiercast.learn.recipes import Trial, mean_log_loss

AVERAGE: Final = "average"
TEMPERATURES: Final = (0.85, 2.5)
"""Sharpening trusts that the future is as easy as the past, so it stops early; flattening costs little."""
INTERVAL_SHARE: Final = 0.8
TARGET: Final = 0.60
"""The accuracy that a confident prediction promises."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judging:
    """The rows that the folds judged, pooled: what came, when, whose, and which half each serves."""

    tiers: NDArray[np.int64]
    creators: NDArray[np.int64]
    chooses: NDArray[np.bool_]
    """The older half, which chooses candidate and calibration; the newer one sets the threshold."""

    @classmethod
    def of(cls, tiers: NDArray[np.int64], creators: NDArray[np.int64], order: NDArray[np.int64]) -> "Judging":
        """Split by ``order``, such as the time of posting; equal times stay together in the older half."""
        chooses = order <= np.sort(order)[(len(order) - 1) // 2] if len(order) else np.zeros(0, dtype=bool)
        return cls(tiers, creators, chooses)


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate as the run lists it: its settings and the log loss on the rows that choose."""

    name: str
    settings: Mapping[str, object]
    log_loss: float


@dataclass(frozen=True, slots=True)
class Selected:
    """The choice: recipes with their settings, how to temper their mean, and from which confidence on to trust it."""

    name: str
    members: Mapping[str, Mapping[str, object]]
    """Settings by name of the recipe."""
    temperature: float
    threshold: float | None
    range_levels: tuple[float, float]
    lines: Sequence[Line]


def select(tried: Mapping[str, Sequence[Trial]], judging: Judging, *, seed: int) -> Selected:
    """The recipe, or the mean of several, with the lowest log loss on the older half of the judged rows."""
    tiers = judging.tiers[judging.chooses]
    best = {name: min(trials, key=lambda trial: _loss(trial, judging)) for name, trials in tried.items()}
    blends = [
        (mean_log_loss(mean_of([best[name].probabilities[judging.chooses] for name in names]), tiers), names)
        for size in range(1, len(best) + 1)
        for names in combinations(best, size)
    ]
    _, names = min(blends, key=lambda blend: blend[0])
    lines = [Line(name, dict(best[name].settings), loss) for loss, (name, *more) in blends if not more]
    if len(best) > 1:
        loss, averaged = min(blend for blend in blends if len(blend[1]) > 1)
        lines.append(Line(AVERAGE, {"of": list(averaged)}, loss))
    forecast = mean_of([best[name].probabilities for name in names])
    temperature = fitted_temperature(forecast[judging.chooses], tiers)
    return Selected(
        name=names[0] if len(names) == 1 else AVERAGE,
        members={name: best[name].settings for name in names},
        temperature=temperature,
        threshold=_threshold(tempered(forecast, temperature), judging, seed=seed),
        range_levels=_range_levels(best, judging),
        lines=lines,
    )


def _loss(trial: Trial, judging: Judging) -> float:
    return mean_log_loss(trial.probabilities[judging.chooses], judging.tiers[judging.chooses])


def fitted_temperature(probabilities: Floats, tiers: NDArray[np.int64]) -> float:
    """The temperature with the lowest log loss on these rows, to three decimals.

    >>> sure = np.tile([0.96, 0.01, 0.01, 0.01, 0.01], (100, 1))
    >>> fitted_temperature(sure, np.repeat([1, 2], 50)) > 2
    True
    """
    found = minimize_scalar(
        lambda temperature: mean_log_loss(tempered(probabilities, temperature), tiers),
        bounds=TEMPERATURES,
        method="bounded",
    )
    return round(float(found.x), 3)


def _threshold(forecast: Floats, judging: Judging, *, seed: int) -> float | None:
    newer = ~judging.chooses
    hit = forecast[newer].argmax(axis=1) + 1 == judging.tiers[newer]
    return confidence_threshold(
        forecast[newer].max(axis=1), hit, judging.creators[newer], target=TARGET, seed=seed
    )  # fmt: skip


def _range_levels(best: Mapping[str, Trial], judging: Judging) -> tuple[float, float]:
    """Where the view range has to begin and end so that four in five of the rows that choose ended inside."""
    beside = (1 - INTERVAL_SHARE) / 2
    for trial in best.values():
        if trial.levels is not None:
            low, high = np.quantile(trial.levels[judging.chooses], (beside, 1 - beside))
            return round(float(np.clip(low, 0.005, 0.4)), 3), round(float(np.clip(high, 0.6, 0.995)), 3)
    return beside, 1 - beside
