"""What a model is to everything after its training, and how its files become one again."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tiercast.core.errors import InvalidInput


class TierModel(Protocol):
    """A fitted model; the same object is evaluated, published and served."""

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""
        ...

    def probabilities(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) for features (n_videos, 15), unknown as NaN."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """File name to bytes; never pickle."""
        ...


KINDS: Final = {"logistic": "tiercast.learn.logistic", "xgboost": "tiercast.learn.boosted"}
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
