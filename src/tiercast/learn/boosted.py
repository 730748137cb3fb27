"""Gradient boosted trees as they serve: XGBoost's own format and its own prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

FILE: Final = "booster.json"


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """A multi-class booster; unknown features stay NaN and follow each split's learned direction."""

    booster: xgb.Booster
    kind: str = "xgboost"

    def probabilities(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tier probabilities (n_videos, n_tiers)."""
        shares: NDArray[np.float64] = np.asarray(self.booster.inplace_predict(X), dtype=np.float64)
        return np.asarray(
            shares / shares.sum(axis=1, keepdims=True), dtype=np.float64
        )  # 32-bit sums are 1 to six digits only

    def to_files(self) -> dict[str, bytes]:
        """One file in XGBoost's JSON format."""
        return {FILE: bytes(self.booster.save_raw(raw_format="json"))}


def from_files(files: Mapping[str, bytes]) -> BoostedModel:
    """The model that ``to_files`` wrote; raises ValueError where XGBoost refuses the bytes."""
    content = files[FILE]
    if not content.startswith(b"{"):
        raise ValueError("it is no JSON object")  # XGBoost ends the whole process where there is no byte at all
    booster = xgb.Booster()
    try:
        booster.load_model(bytearray(content))
    except xgb.core.XGBoostError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return BoostedModel(booster)
