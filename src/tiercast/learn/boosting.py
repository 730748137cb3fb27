"""XGBoost boosters as files: their own JSON, and its faults in plain words."""

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray


def booster_bytes(booster: xgb.Booster) -> bytes:
    """XGBoost's own JSON."""
    return bytes(booster.save_raw(raw_format="json"))


def booster_of(content: bytes) -> xgb.Booster:
    """The booster that these bytes hold; raises ValueError where XGBoost refuses them."""
    if not content.startswith(b"{"):
        raise ValueError("it is no JSON object")  # XGBoost ends the whole process where there is no byte at all
    booster = xgb.Booster()
    try:
        booster.load_model(bytearray(content))
    except xgb.core.XGBoostError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    booster.set_param("nthread", 1)  # a question of one video is answered before a second thread has woken
    return booster


def answers(booster: xgb.Booster, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the booster says of each row."""
    return np.asarray(booster.inplace_predict(X), dtype=np.float64)
