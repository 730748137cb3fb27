"""Naive forecasts that a candidate has to beat: the commonest tier, the creator's usual one, what first views imply."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.tiers import EDGE_PERCENTILES, N_TIERS
from tiercast.learn.metrics import majority_forecast
from tiercast.learn.training_set import TrainingSet

PRIOR_ROWS: Final = 10
"""A group's own tier shares weigh as much as everybody's once it has this many training rows."""

Floats = NDArray[np.float64]


def rival_forecasts(training_set: TrainingSet, usual: Floats | None) -> dict[str, Floats]:
    """Tier probabilities of the test rows by rival; ``usual`` is each row's creator's usual ln(views + 1), if known."""
    training, test = training_set.numbers(test=False), training_set.numbers(test=True)
    tiers = training_set.tiers[training]
    rivals = {"majority": majority_forecast(tiers, rows=len(test))}
    edges, start = training_set.inputs.edges, training_set.inputs.start
    if usual is not None and edges is not None:
        groups = np.where(np.isnan(usual), 0, 1 + (usual[:, None] > edges).sum(axis=1))
        rivals["creators_usual"] = by_group(groups[training], tiers, groups[test])
    if training_set.moment is Moment.EARLY and start is not None:
        quintiles = np.quantile(start[training], np.array(EDGE_PERCENTILES) / 100)
        groups = 1 + (start[:, None] > quintiles).sum(axis=1)
        rivals["first_views"] = by_group(groups[training], tiers, groups[test])
    return rivals


def by_group(groups: NDArray[np.int64], tiers: NDArray[np.int64], asked: NDArray[np.int64]) -> Floats:
    """The tier shares that training rows of the same group had, drawn towards everybody's where they are few.

    >>> shares = by_group(np.array([1] * 90 + [2] * 90), np.array([1] * 90 + [5] * 90), np.array([1, 3]))
    >>> shares.round(2).tolist()
    [[0.95, 0.0, 0.0, 0.0, 0.05], [0.5, 0.0, 0.0, 0.0, 0.5]]
    """
    everybody = np.bincount(tiers - 1, minlength=N_TIERS) / len(tiers)
    n_groups = int(max(groups.max(initial=0), asked.max(initial=0))) + 1
    counts = np.zeros((n_groups, N_TIERS))
    np.add.at(counts, (groups, tiers - 1), 1)
    counts += PRIOR_ROWS * everybody
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares[asked]
