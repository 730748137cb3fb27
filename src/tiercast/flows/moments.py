"""Which moments the data allow, and one retrain for each of them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from tiercast.core.errors import Busy, TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.forecast_set import assemble
from tiercast.flows.gate import judge_data
from tiercast.flows.model_store import Standing
from tiercast.flows.order import Order
from tiercast.flows.past import Past
from tiercast.flows.report import RunReport, failed_before_it_began, interrupted, recorded, run_id
from tiercast.flows.retrain import ALONE, Frame, World, note_changes, retrain
from tiercast.flows.runs import run_of
from tiercast.flows.training_set import Drawn
from tiercast.ports.runs import Progress, RunKeeper

NOT_CHOSEN: Final = "Which moments it would have trained had not been chosen yet."

Wanted = Literal["auto"] | Sequence[Moment]
OnChosen = Callable[[Mapping[str, Moment]], None]
"""Hears which runs a retrain has, by id and in their order, before the first begins."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """The runs of one retrain, and the moments that were left out with the sentence that says why."""

    reports: Sequence[RunReport]
    skipped: Mapping[Moment, str] | None = None
    """None where the moments were named, so that none could be left out."""

    def to_document(self) -> Mapping[str, object]:
        """The answer of ``retrain --json``: one run as it is, several as a list."""
        documents = [report.to_document() for report in self.reports]
        document = documents[0] if len(documents) == 1 else {"runs": documents}
        if self.skipped is None:
            return document
        return {**document, "skipped": {moment.value: why for moment, why in self.skipped.items()}}


def retrain_moments(
    world: World,
    orders: Mapping[Moment, Order],
    wanted: Wanted,
    *,
    progress: Progress,
    frame: Frame = ALONE,
    on_chosen: OnChosen = lambda _runs: None,
) -> Retrained:
    """Each of these moments under one lease; with ``auto`` every one that has videos enough.

    Where none has, ``observed``, whose gate says what is missing. One run has the frame's id, several begin with it.
    """
    started_at = world.now()
    run = frame.run or run_id(started_at)
    with ExitStack() as stack:
        try:
            lease = stack.enter_context(world.lease(run))
            with frame.limit:
                chosen, skipped = _chosen(world, orders, wanted, progress)
        except Busy as busy:  # the run in progress is on record, and of this one there is nothing to tell later
            return Retrained(none_began(orders, wanted, run=run, at=started_at, reason=str(busy)))
        except TiercastError as error:
            failed = none_began(orders, wanted, run=run, at=started_at, reason=str(error))
            return Retrained([recorded(report, world.runs) for report in failed])
        except BaseException as error:
            reason = why_none_began(error, wanted)
            record_interrupted(world.runs, none_began(orders, wanted, run=run, at=started_at, reason=reason))
            raise
        noted = world if skipped is None else replace(world, scraped_table=None)
        frames = {each: replace(frame, run=run_of(run, each, chosen), lease=lease) for each in chosen}
        frames[chosen[0]] = replace(frames[chosen[0]], started_at=started_at)
        on_chosen({str(frames[each].run): each for each in chosen})
        return Retrained(_one_by_one(noted, orders, frames, progress), skipped)


def _one_by_one(
    world: World, orders: Mapping[Moment, Order], frames: Mapping[Moment, Frame], progress: Progress
) -> list[RunReport]:
    """A retrain of each moment; where one is interrupted, those that were to come are recorded as failed too."""
    reports: list[RunReport] = []
    to_come = list(frames)
    while to_come:
        each = to_come.pop(0)
        try:
            reports.append(retrain(world, orders[each], progress=progress, frame=frames[each]))
        except BaseException as error:
            at, reason = world.now(), interrupted(error)
            lost = [failed_before_it_began(orders[left], at, reason, run=frames[left].run) for left in to_come]
            record_interrupted(world.runs, lost)
            raise
    return reports


def record_interrupted(runs: RunKeeper, reports: Sequence[RunReport]) -> None:
    """Keep the runs of a retrain that goes no further."""
    for report in reports:
        recorded(report, runs)


def why_none_began(error: BaseException, wanted: Wanted) -> str:
    """Why a retrain ended that nobody let end, and that of ``auto`` one run stands for all that it would have had."""
    return f"{interrupted(error)} {NOT_CHOSEN}" if wanted == "auto" else interrupted(error)


def none_began(
    orders: Mapping[Moment, Order], wanted: Wanted, *, run: str, at: datetime, reason: str
) -> list[RunReport]:  # fmt: skip
    """The failed runs of a retrain none of whose moments could begin; with ``auto`` nobody knows yet which they are."""
    moments = [Moment.OBSERVED] if wanted == "auto" else wanted
    return [failed_before_it_began(orders[each], at, reason, run=run_of(run, each, moments)) for each in moments]


def _chosen(
    world: World, orders: Mapping[Moment, Order], wanted: Wanted, progress: Progress
) -> tuple[Sequence[Moment], dict[Moment, str] | None]:
    """The moments to train, and those that the data do not allow; None where they were named."""
    if wanted != "auto":
        return wanted, None
    note_changes(world, progress)
    skipped = _short_of_data(world, orders)
    return [moment for moment in Moment if moment not in skipped], skipped


def _short_of_data(world: World, orders: Mapping[Moment, Order]) -> dict[Moment, str]:
    """The forecasts without labels enough, and ``observed`` where a forecast can be trained and it cannot."""
    order = orders[Moment.DRAFT]
    rows = world.history.recent(limit=order.forecast.history_videos)
    short = {}
    nobody = Past(Standing(None, 0), world.now(), world.libraries)
    for moment in (Moment.DRAFT, Moment.EARLY):
        assembly = assemble(rows, moment, order.forecast, max_videos=order.plan.max_videos)
        if assembly.labelled < order.plan.min_videos:
            drawn = Drawn(None, "videos", assembly.labelled, assembly)
            short[moment] = judge_data(drawn, order, nobody)[0].explanation
    usable = world.videos.latest(limit=order.plan.min_videos, likes_known=True).height
    if usable < order.plan.min_videos and world.fallback is None and len(short) < 2:
        short[Moment.OBSERVED] = f"{usable:,} videos with known likes; {order.plan.min_videos:,} are required."
    return short
