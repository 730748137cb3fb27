"""Which moments the data allow, and one retrain for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tiercast.core.errors import TiercastError
from tiercast.core.moments import Moment
from tiercast.flows.forecast_set import assemble
from tiercast.flows.gate import judge_data
from tiercast.flows.model_store import Standing
from tiercast.flows.order import Order
from tiercast.flows.past import Past
from tiercast.flows.report import RunReport, failed_before_it_began, recorded
from tiercast.flows.retrain import World, note_changes, retrain
from tiercast.flows.training_set import Drawn
from tiercast.ports import Progress


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


def retrain_allowed(world: World, orders: Mapping[Moment, Order], *, progress: Progress) -> Retrained:
    """Every moment that has videos enough; where none has, ``observed``, whose gate says what is missing."""
    observed = orders[Moment.OBSERVED]
    try:
        note_changes(world, progress)
        skipped = _short_of_data(world, orders)
    except TiercastError as error:
        failed = failed_before_it_began(Moment.OBSERVED, world.now(), str(error), dry_run=observed.dry_run)
        return Retrained([recorded(failed, world.runs)])
    noted = replace(world, scraped_table=None)
    wanted = [moment for moment in Moment if moment not in skipped]
    return Retrained([retrain(noted, orders[moment], progress=progress) for moment in wanted], skipped)


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
