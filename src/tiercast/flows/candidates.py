"""Fitting the candidates of a run, and judging the best one on rows it has not seen."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from tiercast.learn.fit import RECIPES
from tiercast.learn.metrics import Evaluation, evaluate, majority_forecast
from tiercast.learn.models import TierModel
from tiercast.learn.recipes import Choice, Fold, Recipe, stratified_folds
from tiercast.learn.training_set import TrainingSet
from tiercast.ports import Progress


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate as the run lists it: cross-validated log loss and the seconds it took to choose and fit."""

    name: str
    log_loss: float
    seconds: float
    chosen: bool
    settings: Mapping[str, object]
    fit_seconds: float | None
    """Seconds of the final fit on all training rows; only the chosen candidate has one."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The chosen candidate: its name, settings, model, and the lines of all candidates."""

    name: str
    settings: Mapping[str, object]
    model: TierModel
    lines: tuple[CandidateLine, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """How the candidate did on the test rows, beside the majority rival, and on its own training rows."""

    candidate: Evaluation
    majority: Evaluation
    train_accuracy: float


def fit_best(training_set: TrainingSet, *, seed: int, progress: Progress) -> Fitted:
    """Choose each recipe's settings by cross-validation, side by side; then fit the best one on all training rows."""
    X, tiers = training_set.side(test=False)
    folds = stratified_folds(tiers, seed=seed)
    progress.stage("fitting candidates", total=len(RECIPES) + 1)
    chosen: list[tuple[Recipe, Choice, float]] = []
    with ThreadPoolExecutor(len(RECIPES)) as workers:
        for found in workers.map(lambda recipe: _choose(recipe, X, tiers, folds), RECIPES):
            chosen.append(found)
            progress.advance()
    best = min(chosen, key=lambda candidate: candidate[1].log_loss)
    began = perf_counter()
    model = best[0].fit(X, tiers, best[1].settings)
    fit_seconds = perf_counter() - began
    progress.advance()
    lines = tuple(_line(candidate, fit_seconds if candidate is best else None) for candidate in chosen)
    return Fitted(best[0].name, best[1].settings, model, lines)


def _choose(
    recipe: Recipe, X: NDArray[np.float64], tiers: NDArray[np.int64], folds: list[Fold]
) -> tuple[Recipe, Choice, float]:
    began = perf_counter()
    choice = recipe.choose(X, tiers, folds)
    return recipe, choice, perf_counter() - began


def _line(candidate: tuple[Recipe, Choice, float], fit_seconds: float | None) -> CandidateLine:
    recipe, choice, seconds = candidate
    return CandidateLine(
        name=recipe.name,
        log_loss=choice.log_loss,
        seconds=round(seconds + (fit_seconds or 0.0), 3),
        chosen=fit_seconds is not None,
        settings=dict(choice.settings),
        fit_seconds=None if fit_seconds is None else round(fit_seconds, 3),
    )


def judge(fitted: Fitted, training_set: TrainingSet) -> Judged:
    """Evaluate on the test rows, which no fit and no choice of settings has touched."""
    X_test, tiers_test = training_set.side(test=True)
    X_train, tiers_train = training_set.side(test=False)
    views = training_set.views[training_set.is_test] if training_set.views is not None else None
    rival = majority_forecast(tiers_train, rows=len(tiers_test))
    right = fitted.model.probabilities(X_train).argmax(axis=1) + 1 == tiers_train
    return Judged(
        candidate=evaluate(fitted.model.probabilities(X_test), tiers_test, views),
        majority=evaluate(rival, tiers_test, views),
        train_accuracy=float(np.mean(right)),
    )
