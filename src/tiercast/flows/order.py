"""What one retrain is asked to do, and which of it becomes part of the release."""

from dataclasses import asdict, dataclass

from tiercast.checks.evidence import Bars
from tiercast.core.moments import Moment
from tiercast.flows.forecast_rows import ForecastPlan
from tiercast.flows.training_set import Drawn, TrainingPlan


@dataclass(frozen=True, slots=True)
class Order:
    """What one retrain is asked to do."""

    moment: Moment
    plan: TrainingPlan
    forecast: ForecastPlan
    bars: Bars
    dry_run: bool = False
    warn_only: tuple[str, ...] = ()
    """Codes of checks that only warn."""
    replace: str | None = None
    """A champion by its first digits that may be replaced though it cannot be compared."""
    curves: bool = True
    """Whether to measure what people like to see and the gate does not ask for."""


def settings_of(order: Order, drawn: Drawn) -> dict[str, object]:
    """The settings that decide what is learned; a release keeps them."""
    forecast = asdict(order.forecast) if order.moment.forecasts else {}
    return {**asdict(order.plan), **forecast, "history": drawn.assembly.history if drawn.assembly else None}
