"""The candidates of a run."""

from collections.abc import Sequence
from typing import Final

from tiercast.core.moments import Moment
from tiercast.core.release import Label
from tiercast.learn.fit_boosted import BoostedRecipe, CumulativeRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.fit_ordinal import OrdinalRecipe
from tiercast.learn.recipes import Recipe

MANY_COLUMNS: Final = LogisticRecipe(("linear",), (0.001, 0.03), solver="lbfgs", tolerance=1e-3, steps=400)
"""Forecasts have some fifty columns, most of them logarithms already; shrunk less, they fit one month's creators."""


def recipes_of(moment: Moment, label: Label) -> Sequence[Recipe]:
    """The candidates that a moment tries; averages of them are tried too."""
    if label == "given" or not moment.forecasts:
        return (LogisticRecipe(), BoostedRecipe())
    return (MANY_COLUMNS, BoostedRecipe(), CumulativeRecipe(), OrdinalRecipe(grows=moment is Moment.EARLY))
