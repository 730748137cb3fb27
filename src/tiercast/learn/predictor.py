"""A release made ready to predict: the same features, held the same, through the same model."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.errors import InvalidInput
from tiercast.core.release import Release
from tiercast.core.tiers import N_TIERS
from tiercast.learn.features import OBSERVED, feature_matrix, feature_schema, hold, unknown_inputs
from tiercast.learn.models import TierModel, load_model

SUM_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded release."""

    release_id: str
    model: TierModel
    held: dict[str, float]
    save_per_like: float

    @classmethod
    def of(cls, release: Release) -> "Predictor":
        """Load a verified release; raises InvalidInput for a feature schema or model of another version."""
        manifest = release.manifest
        if manifest.feature_schema != feature_schema():
            raise InvalidInput(
                f"Release {release.id[:12]} was trained on another set of features than this version computes "
                "(its feature schema differs). Retrain with this version, or serve it with the version that made it."
            )
        model = load_model(manifest.model, release.files)
        held = {feature.name: feature.held for feature in manifest.features if feature.held is not None}
        return cls(release.id, model, held, float(manifest.settings["save_per_like"]))

    def probabilities(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers) of canonical rows."""
        X = hold(feature_matrix(rows, save_per_like=self.save_per_like), self.held)
        return checked(self.model.probabilities(X))

    def missing(self, rows: pl.DataFrame) -> list[list[str]]:
        """For each row, the features that were unknown, except those the release holds constant anyway."""
        free = np.array([feature.name not in self.held for feature in OBSERVED])
        names = np.array([feature.name for feature in OBSERVED])
        return [names[unknown & free].tolist() for unknown in unknown_inputs(rows)]


def checked(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same probabilities, once they are five a row, within 0..1 and sum to 1; raises InvalidInput."""
    usable = (
        probabilities.shape[1:] == (N_TIERS,)
        and bool(np.isfinite(probabilities).all())
        and bool((probabilities >= 0).all())
        and bool(np.allclose(probabilities.sum(axis=1), 1.0, atol=SUM_TOLERANCE))
    )
    if not usable:
        raise InvalidInput("The model does not give five probabilities that sum to 1: its files are damaged.")
    return probabilities
