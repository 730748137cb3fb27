"""Gradient boosted trees as they serve: XGBoost's own format and its own prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from tiercast.learn.boosting import answers, booster_bytes, booster_of
from tiercast.learn.models import Inputs

FILE: Final = "booster.json"


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """A multi-class booster; unknown features stay NaN and follow each split's learned direction."""

    booster: xgb.Booster
    kind: str = "xgboost"

    def probabilities(self, inputs: Inputs) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers)."""
        shares = answers(self.booster, inputs.X)
        whole: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)  # 32-bit sums are 1 to six digits only
        return whole

    def to_files(self) -> dict[str, bytes]:
        """One file in XGBoost's JSON format."""
        return {FILE: booster_bytes(self.booster)}


def from_files(files: Mapping[str, bytes]) -> BoostedModel:
    """The model that ``to_files`` wrote; raises ValueError where XGBoost refuses the bytes."""
    return BoostedModel(booster_of(files[FILE]))
