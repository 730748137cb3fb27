"""What a model is to everything after its training, and how its files become one again."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tiercast.core.errors import InvalidInput

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model is asked about ``n`` videos."""

    X: Floats
    """Features ``(n, n_features)``, unknown as NaN."""
    edges: Floats | None = None
    """ln(views + 1) at the four edges of each video's own tiers ``(n, 4)``; None where labels were given."""
    start: Floats | None = None
    """ln(views + 1) that were seen already ``(n,)``, 0 before posting; None where labels were given."""

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Inputs":
        """Some of the videos."""
        edges = None if self.edges is None else self.edges[rows]
        return Inputs(self.X[rows], edges, None if self.start is None else self.start[rows])

    def __len__(self) -> int:
        return len(self.X)


class TierModel(Protocol):
    """A fitted model; the same object is evaluated, published and served."""

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""
        ...

    def probabilities(self, inputs: Inputs) -> Floats:
        """Tier probabilities (n_videos, n_tiers)."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """File name to bytes; never pickle."""
        ...


@runtime_checkable
class ViewsModel(TierModel, Protocol):
    """A model that also tells how many views to expect."""

    def quantiles(self, inputs: Inputs, levels: tuple[float, ...]) -> Floats:
        """ln(views + 1) that stay below with these probabilities ``(n_videos, n_levels)``."""
        ...


KINDS: Final = {
    "logistic": "tiercast.learn.logistic",
    "xgboost": "tiercast.learn.boosted",
    "cumulative": "tiercast.learn.cumulative",
    "ordinal": "tiercast.learn.ordinal",
}
"""The module of each kind, imported when a release asks for it: a logistic champion does not load XGBoost."""


def load_model(kind: str, files: Mapping[str, bytes]) -> TierModel:
    """The model that these files hold; raises InvalidInput for an unknown kind or damaged content."""
    if kind not in KINDS:
        raise InvalidInput(
            f"The release holds a model of kind {kind!r}; this version knows {', '.join(KINDS)}. Upgrade tiercast."
        )
    try:
        model: TierModel = import_module(KINDS[kind]).from_files(files)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"The {kind} model's files cannot be read ({error}).") from error
    return model
