"""Fitting the candidates of a run, and judging the best one on rows it has not seen."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.flows.training_set import Drawn
from tiercast.learn.blend import Blend
from tiercast.learn.bootstrap import Bounds, Resamples
from tiercast.learn.confidence import ConfidentPart, at_threshold, confident_curve
from tiercast.learn.fit import recipes_of
from tiercast.learn.metrics import Evaluation, evaluate, log_losses
from tiercast.learn.models import Inputs, TierModel
from tiercast.learn.ordinal import OrdinalModel
from tiercast.learn.recipes import Fold, Recipe, Rows, Trial
from tiercast.learn.rivals import rival_forecasts
from tiercast.learn.selection import AVERAGE, Judging, Selected, select
from tiercast.learn.training_set import TrainingSet
from tiercast.ports import Progress

CURVE_SHARES: Final = (0.125, 0.25, 0.5)
"""Newest shares of the training part for the learning curve; all of it is the candidate itself."""
MIN_CURVE_ROWS: Final = 200


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


@dataclass(frozen=True, slots=True)
class Slice:
    """How candidate and best rival did on a part of the test rows."""

    name: str
    evaluation: Evaluation
    rivals: Mapping[str, Evaluation]


@dataclass(frozen=True, slots=True)
class Judged:
    """How the candidate did on the test rows, beside the naive rivals, and on its own training rows."""

    candidate: Evaluation
    rivals: Mapping[str, Evaluation]
    train_accuracy: float
    creators: int = 0
    """Creators of the test rows."""
    confident: ConfidentPart | None = None
    curve: tuple[ConfidentPart, ...] = ()
    over_rivals: Mapping[str, Mapping[str, Bounds | None]] = field(default_factory=dict)
    """For each rival the bounds of its mean log loss less the candidate's, and of the candidate's accuracy less its."""
    slices: tuple[Slice, ...] = ()
    learning_curve: tuple[tuple[int, float | None, float | None], ...] = ()
    """Training rows, accuracy and log loss on the test rows."""
    embargoed: Evaluation | None = None

    @property
    def majority(self) -> Evaluation:
        """The rival that always names the commonest tier."""
        return self.rivals["majority"]


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


def judge(fitted: Fitted, drawn: Drawn, training_set: TrainingSet, *, seed: int) -> Judged:
    """Evaluate on the test rows, which no fit and no choice of settings has touched."""
    test = training_set.numbers(test=True)
    part = _TestPart.of(training_set, test, seed=seed)
    inputs = training_set.inputs[test]
    forecast, ranges = fitted.blend.probabilities(inputs), fitted.blend.views_range(inputs)
    usual = drawn.assembly.usual if drawn.assembly else None
    rivals = rival_forecasts(training_set, usual)
    own = training_set.rows(test=False)
    right = fitted.blend.probabilities(own.inputs).argmax(axis=1) + 1 == own.tiers
    judged = Judged(
        candidate=part.evaluated(forecast, None if ranges is None else ranges[:, [0, 2]]),
        rivals={name: part.evaluated(rival) for name, rival in rivals.items()},
        train_accuracy=float(np.mean(right)),
        creators=len(np.unique(part.creators)),
    )
    if not training_set.moment.forecasts:
        return replace(judged, confident=part.confident(forecast, fitted.threshold))
    return replace(
        judged,
        confident=part.confident(forecast, fitted.threshold),
        curve=confident_curve(forecast.max(axis=1), part.hit(forecast), part.creators, seed=seed),
        over_rivals={name: part.over(forecast, rival) for name, rival in rivals.items()},
        slices=tuple(_slices(forecast, rivals, part, training_set)),
        learning_curve=_learning_curve(fitted, training_set),
        embargoed=_embargoed(fitted, drawn, part),
    )


@dataclass(frozen=True, slots=True)
class _TestPart:
    """What came of the test rows."""

    tiers: NDArray[np.int64]
    views: NDArray[np.int64] | None
    creators: NDArray[np.int64]
    platforms: NDArray[np.str_]
    edges: NDArray[np.float64] | None
    seed: int
    by_creator: bool

    @classmethod
    def of(cls, training_set: TrainingSet, rows: NDArray[np.int64], *, seed: int) -> "_TestPart":
        return cls(
            tiers=training_set.tiers[rows],
            views=None if training_set.views is None else training_set.views[rows],
            creators=training_set.creators[rows],
            platforms=np.array([training_set.identities[row][0] for row in rows.tolist()], dtype=np.str_),
            edges=None if training_set.inputs.edges is None else training_set.inputs.edges[rows],
            seed=seed,
            by_creator=training_set.label == "views",
        )

    def hit(self, forecast: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(forecast.argmax(axis=1) + 1 == self.tiers)

    def evaluated(
        self, forecast: NDArray[np.float64], views_interval: NDArray[np.float64] | None = None,
        rows: NDArray[np.bool_] | slice = slice(None),
    ) -> Evaluation:  # fmt: skip
        """All measures of these rows; intervals by creator where creators are known."""
        views = None if self.views is None else self.views[rows]
        creators = self.creators[rows] if self.by_creator else None
        interval = None if views_interval is None else views_interval[rows]
        return evaluate(
            forecast[rows], self.tiers[rows], views, creators=creators, views_interval=interval, seed=self.seed
        )  # fmt: skip

    def confident(self, forecast: NDArray[np.float64], threshold: float | None) -> ConfidentPart | None:
        if threshold is None:
            return None
        confidence = forecast.max(axis=1)
        return at_threshold(confidence, self.hit(forecast), self.creators, threshold=threshold, seed=self.seed)

    def over(self, forecast: NDArray[np.float64], rival: NDArray[np.float64]) -> dict[str, Bounds | None]:
        """Paired by row, bounded by creator."""
        resamples = Resamples.draw(self.creators, seed=self.seed)
        lower_loss = log_losses(rival, self.tiers) - log_losses(forecast, self.tiers)
        more_hits = self.hit(forecast).astype(np.float64) - self.hit(rival).astype(np.float64)
        return {"log_loss": resamples.mean_bounds(lower_loss), "accuracy": resamples.mean_bounds(more_hits)}


MIN_SLICE_ROWS: Final = 50


def _slices(
    forecast: NDArray[np.float64], rivals: Mapping[str, NDArray[np.float64]], part: _TestPart, training_set: TrainingSet
) -> list[Slice]:
    """Creators that training did not have, the newest creators, and each platform."""
    trained = training_set.creators[training_set.numbers(test=False)]
    unseen = ~np.isin(part.creators, trained)
    parts = {"creators not in training": unseen, "newest creators": _newest_creators(part, training_set)}
    parts |= {f"platform {name}": part.platforms == name for name in np.unique(part.platforms).tolist()}
    return [
        Slice(name, part.evaluated(forecast, rows=rows),
              {rival: part.evaluated(told, rows=rows) for rival, told in rivals.items()})
        for name, rows in parts.items()
        if rows.sum() >= MIN_SLICE_ROWS
    ]  # fmt: skip


def _newest_creators(part: _TestPart, training_set: TrainingSet) -> NDArray[np.bool_]:
    """The fifth of the creators who posted first last."""
    if training_set.timing is None:
        return np.zeros(len(part.tiers), dtype=bool)
    known, place = np.unique(training_set.creators, return_inverse=True)
    first = np.full(len(known), np.iinfo(np.int64).max)
    np.minimum.at(first, place, training_set.timing.posted_at)
    own = first[np.searchsorted(known, part.creators)]
    return np.asarray(own > np.quantile(first, 0.8))


def _learning_curve(
    fitted: Fitted, training_set: TrainingSet
) -> tuple[tuple[int, float | None, float | None], ...]:  # fmt: skip
    """The same candidate fitted on the newest eighth, quarter and half of the training rows, on the same test rows."""
    rows, test = training_set.rows(test=False), training_set.rows(test=True)
    recipes = {recipe.name: recipe for recipe in recipes_of(training_set.moment, training_set.label)}
    points = []
    for share in CURVE_SHARES:
        count = int(share * len(rows))
        newest = np.arange(len(rows) - count, len(rows))
        if count < MIN_CURVE_ROWS or len(np.unique(rows.tiers[newest])) < len(np.unique(rows.tiers)):
            continue
        members = [recipes[name].fit(rows[newest], chosen) for name, chosen in fitted.selected.members.items()]
        points.append(_point(count, Blend(tuple(members), fitted.blend.temperature), test))
    return (*points, _point(len(rows), fitted.blend, test))


def _point(count: int, blend: Blend, test: Rows) -> tuple[int, float | None, float | None]:
    measured = evaluate(blend.probabilities(test.inputs), test.tiers, None)
    return count, measured.accuracy.value, measured.metrics["log_loss"].value


def _embargoed(fitted: Fitted, drawn: Drawn, part: _TestPart) -> Evaluation | None:
    """The same candidate where nothing is known of posts younger than three days."""
    described = drawn.assembly.embargoed if drawn.assembly else None
    if described is None:
        return None
    return part.evaluated(fitted.blend.probabilities(Inputs(described.X, part.edges, described.start)))
