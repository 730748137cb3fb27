"""Tiercast keeps a short-video performance model fresh and never lets a bad one into production."""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "Missing",
    "Prediction",
    "Predictions",
    "Tiercast",
    "TiercastError",
    "Unavailable",
    "__version__",
]

if TYPE_CHECKING:
    from tiercast.client import Prediction, Predictions, Tiercast
    from tiercast.core.errors import InvalidInput, Missing, TiercastError, Unavailable
else:
    _PLACES = {
        **dict.fromkeys(("Prediction", "Predictions", "Tiercast"), "tiercast.client"),
        **dict.fromkeys(("InvalidInput", "Missing", "TiercastError", "Unavailable"), "tiercast.core.errors"),
    }

    def __getattr__(name):
        """Public names, imported when they are first asked for: ``import tiercast`` costs nothing."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)
