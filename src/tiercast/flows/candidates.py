"""Fitting the candidates of a run, and choosing the best of them by rows that it has not seen."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from tiercast.learn.blend import Blend
from tiercast.learn.fit import recipes_of
from tiercast.learn.models import TierModel
from tiercast.learn.ordinal import OrdinalModel
from tiercast.learn.recipes import Fold, Recipe, Rows, Trial
from tiercast.learn.selection import AVERAGE, Judging, Selected, select
from tiercast.learn.training_set import TrainingSet
from tiercast.ports.runs import Progress


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate as the run lists it: log loss on the rows that chose, and the seconds it took to try and fit."""

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
    blend: Blend
    threshold: float | None
    lines: tuple[CandidateLine, ...]
    selected: Selected


def fit_best(training_set: TrainingSet, *, seed: int, progress: Progress) -> Fitted:
    """Let every recipe judge rows it has not seen, side by side; then fit the best one on all training rows."""
    rows, folds = training_set.rows(test=False), training_set.folds(seed=seed)
    recipes = {recipe.name: recipe for recipe in recipes_of(training_set.moment, training_set.label)}
    progress.stage("fitting candidates", total=len(recipes) + 1)
    tried: dict[str, Sequence[Trial]] = {}
    seconds: dict[str, float] = {}
    with ThreadPoolExecutor(len(recipes)) as workers:
        for recipe, (trials, spent) in zip(
            recipes, workers.map(lambda each: _try(each, rows, folds), recipes.values()), strict=True
        ):
            tried[recipe], seconds[recipe] = trials, spent
            progress.advance()
    selected = select(tried, _judging(training_set, folds), seed=seed)
    began = perf_counter()
    blend = fit_blend(selected, recipes, rows)
    fit_seconds = perf_counter() - began
    progress.advance()
    settings = {name: dict(chosen) for name, chosen in selected.members.items()}
    lines = tuple(_line(line.name, line.log_loss, line.settings, selected, seconds, fit_seconds)
                  for line in selected.lines)  # fmt: skip
    return Fitted(selected.name, settings, blend, selected.threshold, lines, selected)


def fit_blend(selected: Selected, recipes: Mapping[str, Recipe], rows: Rows) -> Blend:
    """The chosen members fitted on these rows, and the regression on views beside them where there is one."""
    wanted = [*selected.members, *(["ordinal"] if "ordinal" in recipes and "ordinal" not in selected.members else [])]
    with ThreadPoolExecutor(2) as workers:
        models = list(workers.map(lambda name: recipes[name].fit(rows, selected.members.get(name, {})), wanted))
    fitted: dict[str, TierModel] = dict(zip(wanted, models, strict=True))
    ranges = fitted.get("ordinal")
    return Blend(
        members=tuple(fitted[name] for name in selected.members),
        temperature=selected.temperature,
        ranges=ranges if isinstance(ranges, OrdinalModel) else None,
        range_levels=selected.range_levels,
    )


def _try(recipe: Recipe, rows: Rows, folds: Sequence[Fold]) -> tuple[list[Trial], float]:
    began = perf_counter()
    return recipe.trials(rows, folds), perf_counter() - began


def _judging(training_set: TrainingSet, folds: Sequence[Fold]) -> Judging:
    """The judged rows in the order of the trials; without times every other row chooses."""
    own = training_set.numbers(test=False)
    judged = own[np.concatenate([fold.judge for fold in folds])]
    timing = training_set.timing
    order = np.arange(len(judged)) % 2 if timing is None else timing.posted_at[judged]
    return Judging.of(training_set.tiers[judged], training_set.creators[judged], order)


def _line(
    name: str, log_loss: float, settings: Mapping[str, object], selected: Selected, seconds: Mapping[str, float],
    fit_seconds: float,
) -> CandidateLine:  # fmt: skip
    chosen = name == selected.name
    spent = sum(seconds.values()) if name == AVERAGE else seconds[name]
    return CandidateLine(
        name=name,
        log_loss=log_loss,
        seconds=round(spent + (fit_seconds if chosen else 0.0), 3),
        chosen=chosen,
        settings=settings,
        fit_seconds=round(fit_seconds, 3) if chosen else None,
    )
