"""A release made ready to predict: the same features, held the same, through the same model."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import N_TIERS
from tiercast.learn.blend import Blend, load_blend
from tiercast.learn.describe import Described, Past, describe
from tiercast.learn.features import FEATURES, feature_matrix, feature_schema, hold, unknown_inputs
from tiercast.learn.models import Inputs
from tiercast.learn.references import Standpoint, TierReference, log_edges

SUM_TOLERANCE: Final = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Videos as a model sees them."""

    inputs: Inputs
    unknown: NDArray[np.bool_]
    groups: tuple[str, ...] | None = None
    """What each video's tiers are relative to; None where labels were given."""
    usual: Floats | None = None
    """ln(views + 1) that each creator usually has; NaN without a known earlier post; None for ``observed``."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded release."""

    release_id: str
    moment: Moment
    blend: Blend
    held: dict[str, float]
    save_per_like: float
    reference: TierReference | None

    @classmethod
    def of(cls, release: Release) -> "Predictor":
        """Load a verified release; raises InvalidInput for a feature schema or model of another version."""
        manifest = release.manifest
        if manifest.feature_schema != feature_schema(FEATURES[manifest.moment]):
            raise InvalidInput(
                f"Release {release.id[:12]} was trained on another set of features than this version computes "
                "(its feature schema differs). Retrain with this version, or serve it with the version that made it."
            )
        try:
            reference = None if manifest.tiers is None else TierReference.from_document(manifest.tiers)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"Release {release.id[:12]}: its tiers cannot be read ({error}).") from error
        held = {feature.name: feature.held for feature in manifest.features if feature.held is not None}
        save_per_like = float(manifest.settings["save_per_like"])
        return cls(release.id, manifest.moment, load_blend(release.files), held, save_per_like, reference)

    def observed(self, rows: pl.DataFrame) -> Asked:
        """Canonical rows with views, as the moment ``observed`` sees them."""
        X = hold(feature_matrix(rows, save_per_like=self.save_per_like), self.held)
        unknown = np.full(rows.height, np.nan)
        standpoint = Standpoint(rows["platform"].to_list(), unknown, unknown, np.zeros(rows.height))
        return self._asked(X, unknown_inputs(rows), standpoint, np.zeros(rows.height), None)

    def forecast(self, rows: pl.DataFrame, past: Past, *, seen: pl.DataFrame | None = None) -> Asked:
        """Rows as ``describe`` takes them, as the moments ``draft`` and ``early`` see them."""
        known: Described = describe(rows, past, self.moment, seen=seen)
        standpoint = Standpoint(rows["platform"].to_list(), known.followers, known.usual, known.posts)
        return self._asked(known.X, known.unknown, standpoint, known.start, known.usual)

    def described(self, inputs: Inputs, standpoint: Standpoint) -> Asked:
        """Rows whose features were computed already, as this release's own tiers see them."""
        start = np.zeros(len(inputs)) if inputs.start is None else inputs.start
        return self._asked(inputs.X, np.isnan(inputs.X), standpoint, start, standpoint.usual)

    def _asked(
        self, X: Floats, unknown: NDArray[np.bool_], standpoint: Standpoint, start: Floats, usual: Floats | None
    ) -> Asked:
        if self.reference is None:
            return Asked(Inputs(X), unknown)
        edges = log_edges(self.reference.edges_of(standpoint))
        return Asked(Inputs(X, edges, start), unknown, tuple(self.reference.groups(standpoint)), usual)

    def probabilities(self, asked: Asked) -> Floats:
        """Tier probabilities (n_videos, n_tiers)."""
        return checked(self.blend.probabilities(asked.inputs))

    def missing(self, asked: Asked) -> list[list[str]]:
        """For each row, the features that were unknown, except those the release holds constant anyway."""
        features = FEATURES[self.moment]
        free = np.array([feature.name not in self.held for feature in features])
        names = np.array([feature.name for feature in features])
        return [names[unknown & free].tolist() for unknown in asked.unknown]


def checked(probabilities: Floats) -> Floats:
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
