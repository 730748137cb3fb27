"""The Python face of Tiercast: the same answers in process and over HTTP."""

from tiercast.client.answers import (
    Ingested,
    MomentModels,
    Prediction,
    Predictions,
    Promotion,
    Refused,
    Run,
    Score,
)
from tiercast.client.face import Tiercast

__all__ = [
    "Ingested",
    "MomentModels",
    "Prediction",
    "Predictions",
    "Promotion",
    "Refused",
    "Run",
    "Score",
    "Tiercast",
]
