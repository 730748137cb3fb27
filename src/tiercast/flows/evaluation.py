"""How good the fitted candidate is, on test rows that no fit and no choice of settings has touched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.checks.evidence import FeatureAlone
from tiercast.flows.candidates import Fitted
from tiercast.flows.comparison import groups_of
from tiercast.flows.training_set import Drawn
from tiercast.learn.alone import names_alone
from tiercast.learn.blend import Blend
from tiercast.learn.bootstrap import Resamples
from tiercast.learn.confidence import ConfidentPart, at_threshold, confident_curve
from tiercast.learn.features import FEATURES
from tiercast.learn.fit import recipes_of
from tiercast.learn.metrics import Evaluation, Measure, evaluate
from tiercast.learn.models import Inputs
from tiercast.learn.paired import Paired, paired
from tiercast.learn.recipes import Rows
from tiercast.learn.rivals import rival_forecasts
from tiercast.learn.training_set import TrainingSet

CURVE_SHARES: Final = (0.125, 0.25, 0.5)
"""Newest shares of the training part for the learning curve; all of it is the candidate itself."""
MIN_CURVE_ROWS: Final = 200
MIN_SLICE_ROWS: Final = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slice:
    """How candidate and rivals did on a part of the test rows."""

    name: str
    evaluation: Evaluation
    rivals: Mapping[str, Evaluation]


@dataclass(frozen=True, slots=True)
class Judged:
    """How the candidate did on the test rows, beside the naive rivals, and on its own training rows."""

    candidate: Evaluation
    rivals: Mapping[str, Evaluation]
    train_accuracy: float
    forecast: Floats
    """Tier probabilities of the test rows (n_test, n_tiers)."""
    majority_forecast: Floats
    """The same of the rival that always names the commonest tier."""
    over_rivals: Mapping[str, Paired]
    """The candidate less each rival, by row."""
    features_alone: tuple[FeatureAlone, ...]
    creators: int = 0
    """Creators of the test rows."""
    confident: ConfidentPart | None = None
    curve: tuple[ConfidentPart, ...] = ()
    slices: tuple[Slice, ...] = ()
    learning_curve: tuple[tuple[int, float | None, float | None], ...] = ()
    """Training rows, accuracy and log loss on the test rows."""
    embargoed: Evaluation | None = None

    @property
    def majority(self) -> Evaluation:
        """The rival that always names the commonest tier."""
        return self.rivals["majority"]


def judge(fitted: Fitted, drawn: Drawn, training_set: TrainingSet, *, seed: int, curves: bool = True) -> Judged:
    """Evaluate on the test rows; without ``curves`` only what the gate asks for, not what people like to see."""
    part = _TestPart.of(training_set, seed=seed)
    inputs = training_set.inputs[part.rows]
    forecast, ranges = fitted.blend.probabilities(inputs), fitted.blend.views_range(inputs)
    rivals = rival_forecasts(training_set, drawn.assembly.usual if drawn.assembly else None)
    own = training_set.rows(test=False)
    right = fitted.blend.probabilities(own.inputs).argmax(axis=1) + 1 == own.tiers
    judged = Judged(
        candidate=part.evaluated(forecast, None if ranges is None else ranges[:, [0, 2]]),
        rivals={name: part.evaluated(rival) for name, rival in rivals.items()},
        train_accuracy=float(np.mean(right)),
        forecast=forecast,
        majority_forecast=rivals["majority"],
        over_rivals={name: paired(forecast, rival, part.tiers, part.resamples) for name, rival in rivals.items()},
        features_alone=_features_alone(training_set, part),
        creators=len(np.unique(part.creators)),
        confident=part.confident(forecast, fitted.threshold),
    )
    if not curves or not training_set.moment.forecasts:
        return judged
    return replace(
        judged,
        slices=tuple(_slices(forecast, rivals, part, training_set)),
        curve=confident_curve(forecast.max(axis=1), part.hit(forecast), part.creators, seed=seed),
        learning_curve=_learning_curve(fitted, training_set),
        embargoed=_embargoed(fitted, drawn, part),
    )


@dataclass(frozen=True, slots=True)
class _TestPart:
    """What came of the test rows."""

    rows: NDArray[np.int64]
    tiers: NDArray[np.int64]
    views: NDArray[np.int64] | None
    creators: NDArray[np.int64]
    edges: Floats | None
    resamples: Resamples
    seed: int
    by_creator: bool

    @classmethod
    def of(cls, training_set: TrainingSet, *, seed: int) -> "_TestPart":
        rows = training_set.numbers(test=True)
        creators = training_set.creators[rows]
        return cls(
            rows=rows,
            tiers=training_set.tiers[rows],
            views=None if training_set.views is None else training_set.views[rows],
            creators=creators,
            edges=None if training_set.inputs.edges is None else training_set.inputs.edges[rows],
            resamples=Resamples.draw(creators, seed=seed),
            seed=seed,
            by_creator=training_set.label == "views",
        )

    def hit(self, forecast: Floats) -> NDArray[np.bool_]:
        return np.asarray(forecast.argmax(axis=1) + 1 == self.tiers)

    def evaluated(
        self, forecast: Floats, views_interval: Floats | None = None, rows: NDArray[np.bool_] | slice = slice(None)
    ) -> Evaluation:
        """All measures of these rows; intervals by creator where creators are known."""
        views = None if self.views is None else self.views[rows]
        creators = self.creators[rows] if self.by_creator else None
        interval = None if views_interval is None else views_interval[rows]
        return evaluate(
            forecast[rows], self.tiers[rows], views, creators=creators, views_interval=interval, seed=self.seed
        )  # fmt: skip

    def confident(self, forecast: Floats, threshold: float | None) -> ConfidentPart | None:
        if threshold is None:
            return None
        confidence = forecast.max(axis=1)
        return at_threshold(confidence, self.hit(forecast), self.creators, threshold=threshold, seed=self.seed)


def _features_alone(training_set: TrainingSet, part: _TestPart) -> tuple[FeatureAlone, ...]:
    """What each feature that is free tells by itself; learned on training rows, asked of test rows."""
    training = training_set.numbers(test=False)
    found = []
    for column, feature in enumerate(FEATURES[training_set.moment]):
        X = training_set.inputs.X[:, column]
        named = names_alone(X[training], training_set.tiers[training], X[part.rows])
        if named is not None:
            hit = named == part.tiers
            bounds = part.resamples.share_bounds(hit)
            accuracy = Measure(float(hit.mean()), bounds.interval if bounds else None)
            found.append(FeatureAlone(feature.name, accuracy, bounds.lower if bounds else None))
    return tuple(found)


def _slices(
    forecast: Floats, rivals: Mapping[str, Floats], part: _TestPart, training_set: TrainingSet
) -> list[Slice]:  # fmt: skip
    """Groups of videos that a team may care about, and the creators who posted first last."""
    parts = {**groups_of(training_set, part.rows), "newest creators": _newest_creators(part, training_set)}
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
