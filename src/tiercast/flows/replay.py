"""What would it have done? The retrain of every step of a store's past, each seeing only what was there by then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import N_TIERS
from tiercast.flows.candidates import fit_best
from tiercast.flows.evaluation import judge
from tiercast.flows.model_store import load_release, upload
from tiercast.flows.order import Order
from tiercast.flows.publish import Won, stage
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import World, retrain
from tiercast.flows.training_set import Sources, draw
from tiercast.learn.training_set import TrainingSet
from tiercast.ports.models import ObjectStore, PromotionLog
from tiercast.ports.runs import Progress, ReplayedStep, ReplaySteps


@dataclass(frozen=True, slots=True)
class Walk:
    """Which past is replayed: one retrain at ``begins_at`` and after every ``every``, none after ``ends_at``."""

    begins_at: datetime
    ends_at: datetime
    every: timedelta
    as_scraped: bool
    """Labels count as known labels.horizon_days after posting, however late they were measured."""

    def steps(self) -> list[datetime]:
        """When each retrain happens.

        >>> from datetime import UTC
        >>> walk = Walk(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 19, tzinfo=UTC), timedelta(7), False)
        >>> [f"{at:%d}" for at in walk.steps()]
        ['05', '12', '19']
        """
        count = (self.ends_at - self.begins_at) // self.every + 1
        return [self.begins_at + number * self.every for number in range(max(0, count))]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a replay plays: nothing of it is a team's own store."""

    world_at: Callable[[datetime, Callable[[Release], None]], World]
    """The world as it stood at a step; every staged candidate is shown to the second argument."""
    log: PromotionLog
    """The scratch log that every world promotes in; empty at first."""
    models: ObjectStore
    """The scratch store that every world publishes to."""
    refused: ObjectStore
    """Where the other candidates are kept, to be graded later."""
    steps: ReplaySteps


def ordered(order: Order, *, as_scraped: bool) -> Order:
    """The retrain that each step asks for, without the curves that only people look at.

    As scraped, history and labels are known by age alone: labels may be of any age, and the newest video that can be
    known is a horizon old, so it may be older by that much before the gate takes the scraper to have stopped.
    """
    order = replace(order, curves=False)
    if not as_scraped:
        return order
    known = replace(order.forecast, history="as_scraped", known_at="as_scraped", max_age_days=None)
    newest = order.bars.max_newest_age_days + order.forecast.horizon_days
    return replace(order, forecast=known, bars=replace(order.bars, max_newest_age_days=newest))


def walk_through(
    walk: Walk, order: Order, scene: Scene, *, progress: Progress, within: Progress
) -> Sequence[ReplayedStep]:  # fmt: skip
    """Every step in turn, those that were finished before as they are kept; ``within`` watches the single retrains."""
    steps = walk.steps()
    done = _finished(scene, steps, order.moment)
    progress.stage("replaying", total=len(steps) - len(done))
    for at in steps[len(done) :]:
        step = _step(at, order, scene, within)
        scene.steps.save(step)
        done.append(step)
        progress.advance()
    return done


def releases_of(scene: Scene, steps: Sequence[ReplayedStep], moment: Moment) -> Callable[[str], Release]:
    """How to get any release of these steps again, by its id."""
    promoted = {step.document["champion_after"] for step in steps}

    def loaded(release: str) -> Release:
        return load_release(scene.models if release in promoted else scene.refused, moment, release)

    return loaded


def _finished(scene: Scene, steps: Sequence[datetime], moment: Moment) -> list[ReplayedStep]:
    """The kept steps from the first on, their promotions in the log again."""
    done: list[ReplayedStep] = []
    for kept, at in zip(scene.steps.finished(), steps, strict=False):
        if kept.at != at:
            break
        for number, entry in kept.entries.items():
            scene.log.append(moment, number, entry)
        done.append(kept)
    return done


def _step(at: datetime, order: Order, scene: Scene, within: Progress) -> ReplayedStep:
    began, before = perf_counter(), scene.log.numbers(order.moment)
    staged: list[Release] = []
    world = scene.world_at(at, staged.append)
    report = retrain(world, order, progress=within)
    candidate = staged[-1] if staged else _ungated(world, order, within)
    if candidate is not None and report.champion_after != candidate.id:
        upload(scene.refused, order.moment, candidate)
    added = [number for number in scene.log.numbers(order.moment) if number not in before]
    return ReplayedStep(
        at=at,
        document=report.to_document(),
        ungated=candidate.id if candidate else None,
        entries={number: scene.log.read(order.moment, number) for number in added},
        arrays=_to_learn_from(world, order, report),
        seconds=round(perf_counter() - began, 3),
    )


def _ungated(world: World, order: Order, within: Progress) -> Release | None:
    """The candidate of a run that ended before it had one, which no cron without a gate would have done."""
    drawn = draw(Sources(world.videos, world.history, world.fallback), order.moment, order.plan, order.forecast)
    training_set = drawn.training_set
    if training_set is None or not _can_be_fitted(training_set):
        return None
    fitted = fit_best(training_set, seed=order.plan.seed, progress=within)
    judged = judge(fitted, drawn, training_set, seed=order.plan.seed, curves=order.curves)
    return stage(Won(drawn, training_set, fitted, judged), order=order, libraries=world.libraries)


def _can_be_fitted(training_set: TrainingSet) -> bool:
    sides = [training_set.tiers[training_set.numbers(test=test)] for test in (False, True)]
    return len(np.unique(sides[0])) == N_TIERS and len(sides[1]) > 0 and bool(training_set.folds(seed=0))


def _to_learn_from(world: World, order: Order, report: RunReport) -> Mapping[str, NDArray[np.float64]]:
    """What naive rivals knew at that time: the views of the drawn rows, and what forecasts know of their creators."""
    if order.moment is Moment.OBSERVED:
        rows = world.videos.latest(limit=order.plan.max_videos, likes_known=True)
        return {"views": rows["views"].to_numpy().astype(np.float64)}
    training_set = report.assembly.training_set if report.assembly else None
    if report.assembly is None or training_set is None or training_set.views is None:
        return {}
    found = {"views": training_set.views.astype(np.float64)}
    if report.assembly.usual is not None:
        found["usual"] = report.assembly.usual
    if order.moment is Moment.EARLY and training_set.inputs.start is not None:
        found["start"] = training_set.inputs.start
    return found
