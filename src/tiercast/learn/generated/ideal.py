"""The ideal forecast of the moment ``observed``: Bayes' rule with the true distributions of the invented world.

Given the log views L of a video, every known log rate is Gaussian, so the rates together show L with a Gaussian
error. Before them L = usual + creator + draft + luck + growth; the features show the draft effect and the follower
tier, but neither the creator nor the age. What the ideal believes before it sees the rates is therefore the mixture,
over all videos of the same follower tier, of their creators and ages, spread by the luck of the single video.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.tiers import N_TIERS
from tiercast.learn.generated.videos import Generated
from tiercast.learn.generated.world import World

_KEY: Final = ("platform", "video_id")
_STEP: Final = 0.05
"""Grid step in log views: a sixth of the ideal's usual uncertainty of 0.3."""
_REACH: Final = 6.0
"""Grid margin in standard deviations of the luck."""
_FOLLOWER_EDGES: Final = (10_000, 100_000, 500_000, 1_000_000)
"""Where the feature follower_tier steps; what it hides, the ideal must not use."""
_UNKNOWN_FOLLOWERS: Final = -1


@dataclass(frozen=True, slots=True)
class IdealForecast:
    """What the best possible classifier says of each video, and what came."""

    videos: pl.DataFrame
    """Columns platform and video_id, ``(n_videos, 2)``."""
    probabilities: NDArray[np.float64]
    """Tier probabilities ``(n_videos, n_tiers)``; rows sum to 1."""
    actual: NDArray[np.int64]
    """The tiers that the views reached ``(n_videos,)``, 1..5."""

    @property
    def tiers(self) -> NDArray[np.int64]:
        """The most probable tier of each video ``(n_videos,)``, 1..5."""
        highest: NDArray[np.int64] = np.argmax(self.probabilities, axis=1)
        return highest + 1

    @property
    def expected_accuracy(self) -> float:
        """The accuracy that no classifier can beat except by luck: the mean of the highest probability."""
        return float(self.probabilities.max(axis=1).mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the accuracy that the ideal really reaches on these videos, around the expected."""
        highest = self.probabilities.max(axis=1)
        return float(np.sqrt((highest * (1 - highest)).sum()) / len(highest))

    @property
    def realised_accuracy(self) -> float:
        """The share of these videos on which the most probable tier is the actual one."""
        return float((self.tiers == self.actual).mean())

    def on(self, videos: pl.DataFrame) -> "IdealForecast":
        """The forecast of these videos only (columns platform and video_id), in their order, such as a test part."""
        place = self.videos.with_row_index("place")
        found = videos.select(_KEY).join(place, on=_KEY, how="left", maintain_order="left")["place"]
        if found.null_count():
            raise ValueError(f"{found.null_count()} of {videos.height} videos have no ideal forecast")
        chosen = found.to_numpy()
        return IdealForecast(self.videos[chosen], self.probabilities[chosen], self.actual[chosen])


def best_possible_accuracy(generated: Generated, edges: Sequence[int], *, videos: pl.DataFrame | None = None) -> float:
    """The expected accuracy of the ideal forecast on the latest observations; see ideal_forecast.

    >>> from datetime import UTC, datetime
    >>> from tiercast.core.tiers import tier_edges
    >>> from tiercast.learn.generated import generate
    >>> made = generate(10_000, seed=42, now=datetime(2026, 1, 5, tzinfo=UTC))
    >>> round(best_possible_accuracy(made, tier_edges(made.latest()["views"].to_list())), 2)
    0.75
    """
    return ideal_forecast(generated, edges, videos=videos).expected_accuracy


def ideal_forecast(generated: Generated, edges: Sequence[int], *, videos: pl.DataFrame | None = None) -> IdealForecast:
    """The ideal tier probabilities of the latest observation of each video whose likes are known.

    ``videos`` (columns platform and video_id) names the population, default all: name the videos of a run where it
    used fewer, then take its test part with ``on``. Below some 1,000 videos the mixture is too thin to be trusted.
    """
    observed = _population(generated, videos)
    estimate, precision = _shown_log_views(observed, generated.world)
    draft_effect = observed["draft_effect"].to_numpy()
    centre = _expected_log_views(observed, generated.world)
    views = observed["views"].to_numpy()
    bounds = np.log(np.asarray(edges) + 0.5) - draft_effect[:, None]
    band = _follower_bands(observed)
    probabilities = np.empty((observed.height, N_TIERS))
    for group in np.unique(band):
        own = band == group
        grid, log_prior = _log_prior(centre[own], generated.world)
        error = grid - (estimate - draft_effect)[own, None]
        weight = log_prior - 0.5 * precision[own, None] * error**2
        probabilities[own] = _tier_probabilities(grid, weight, bounds=bounds[own])
    actual = 1 + (views[:, None] > np.asarray(edges)).sum(axis=1)
    return IdealForecast(observed.select(_KEY), probabilities, actual)


def _population(generated: Generated, videos: pl.DataFrame | None) -> pl.DataFrame:
    """The latest observations in question with their latent parts and age_hours."""
    latest = generated.latest().filter(pl.col("likes").is_not_null())
    if videos is not None:
        latest = latest.join(videos.select(_KEY), on=_KEY, how="semi", maintain_order="left")
    age_hours = (pl.col("scraped_at") - pl.col("published_at")).dt.total_seconds() / 3600
    latent = generated.latent.drop("author")
    return latest.join(latent, on=_KEY, maintain_order="left").with_columns(age_hours=age_hours)


def _expected_log_views(observed: pl.DataFrame, world: World) -> NDArray[np.float64]:
    """Mean log views ``(n_videos,)`` at the age and of the creator of each video, before draft effect and luck."""
    grown = (pl.col("age_hours") / (pl.col("age_hours") + pl.col("half_hours"))).log()
    centre = observed.select(grown + pl.col("creator_effect") + float(np.log(world.usual_views)))
    return centre.to_series().to_numpy()


def _shown_log_views(observed: pl.DataFrame, world: World) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the known rates together say of log views: estimate and precision, both ``(n_videos,)``."""
    total = np.zeros(observed.height)
    precision = np.zeros(observed.height)
    for rate in world.rates:
        shown = (observed[rate.count] / observed["views"]).fill_null(0.0).to_numpy()
        known = shown > 0  # a rate of 0 has no logarithm; it is as rare as a few in 10,000 videos
        log_ratio = np.log(np.where(known, shown, rate.typical) / rate.typical)
        own_precision = known * (rate.slope / rate.noise) ** 2
        total += own_precision * (np.log(world.usual_views) - log_ratio / rate.slope)
        precision += own_precision
    return total / np.maximum(precision, np.finfo(float).tiny), precision


def _follower_bands(observed: pl.DataFrame) -> NDArray[np.int64]:
    """Which follower tier the features show ``(n_videos,)``: 0..4, or -1 where followers are unknown."""
    followers = observed["author_followers"].fill_null(_UNKNOWN_FOLLOWERS).to_numpy()
    return np.where(followers < 0, _UNKNOWN_FOLLOWERS, np.searchsorted(_FOLLOWER_EDGES, followers, side="right"))


def _log_prior(centre: NDArray[np.float64], world: World) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grid of log views without draft effect, and the log weight of each of its cells before any rate is seen."""
    reach = int(np.ceil(_REACH * world.video_log_sd / _STEP))
    n_cells = int(np.ceil((centre.max() - centre.min()) / _STEP)) + 2 * reach + 1
    grid = centre.min() + _STEP * np.arange(-reach, n_cells - reach)
    cell = np.rint((centre - grid[0]) / _STEP).astype(np.int64)
    counts = np.bincount(cell, minlength=len(grid)).astype(float)
    distance = _STEP * np.arange(-reach, reach + 1)
    spread = np.exp(-0.5 * (distance / world.video_log_sd) ** 2)
    prior = np.convolve(counts, spread, mode="same")
    return grid, np.log(np.maximum(prior, np.finfo(float).tiny))


def _tier_probabilities(
    grid: NDArray[np.float64], log_weight: NDArray[np.float64], *, bounds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mass of each tier ``(n_videos, n_tiers)`` from log weights ``(n_videos, n_cells)``, bounds ``(n_videos, 4)``."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    below = np.cumsum(weight, axis=1)
    below = np.hstack([np.zeros((len(below), 1)), below / below[:, -1:]])
    place = np.clip((bounds - grid[0]) / _STEP + 0.5, 0.0, len(grid) - 1e-9)
    cell = place.astype(np.int64)
    low = np.take_along_axis(below, cell, axis=1)
    high = np.take_along_axis(below, cell + 1, axis=1)
    cumulative = low + (place - cell) * (high - low)
    ends = np.hstack([np.zeros((len(low), 1)), cumulative, np.ones((len(low), 1))])
    return np.diff(ends, axis=1)
