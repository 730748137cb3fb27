"""The candidates of a run."""

from typing import Final

from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.recipes import Recipe

RECIPES: Final[tuple[Recipe, ...]] = (LogisticRecipe(), BoostedRecipe())
