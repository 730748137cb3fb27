"""Which features carry a forecast: ``make evidence`` writes the table in docs/evidence.md.

Each group of features is blanked in turn, in training and in test, and the whole choice of a candidate is made anew;
the last rows keep one group alone. Anchor protocol, see ``quality.py``.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from quality import ANCHOR
from run import DATA, tiercast
from tiercast.cli.options import open_home
from tiercast.cli.retrain import forecast_plan, order_of
from tiercast.core.moments import Moment
from tiercast.flows.candidates import fit_best, judge
from tiercast.flows.training_set import Drawn, draw_forecast
from tiercast.learn.features import FEATURES, Feature
from tiercast.learn.features.draft import GROUPS
from tiercast.learn.features.early import FIRST_HOURS
from tiercast.learn.models import Inputs
from tiercast.learn.training_set import TrainingSet
from tiercast.render.output import Silence

PAGE = Path(__file__).resolve().parents[1] / "docs" / "evidence.md"
BLOCK = re.compile(r"(<!-- evidence -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Measure, print, and write the page's table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    lines = ["| set, moment | features | accuracy | log loss | quadratic weighted kappa |", "|---|---|---|---|---|"]
    for name in ("tiktok_feed_2025", "tiktok_politicians_2026"):
        for moment in (Moment.DRAFT, Moment.EARLY):
            for line in _rows(name, moment, folder):
                print(line, flush=True)
                lines.append(line)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], page), encoding="utf-8")


def _rows(name: str, moment: Moment, folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tiercast-evidence-") as place:
        home = Path(place)
        files = [folder / f"{name}.parquet"]
        files += [folder / f"{name}_observations.parquet"] if moment is Moment.EARLY else []
        tiercast("ingest", *map(str, files), home=home, accept=(0, 1))
        (home / "tiercast.toml").write_text((ANCHOR / f"{moment}.toml").read_text(encoding="utf-8"), encoding="utf-8")
        drawn = _drawn(home, moment)
    groups = {**({"its first hours": FIRST_HOURS} if moment is Moment.EARLY else {}), **GROUPS}
    everything = tuple(FEATURES[moment])
    yield f"| {name}, {moment} | all | {_measured(drawn, everything)} |"
    for title, group in groups.items():
        yield f"| | without {title} | {_measured(drawn, [f for f in everything if f not in group])} |"
    for title, group in groups.items():
        yield f"| | {title} alone | {_measured(drawn, group)} |"


def _drawn(home: Path, moment: Moment) -> Drawn:
    wiring = open_home(home)
    order = order_of(wiring.settings, moment)
    plan = forecast_plan(wiring.settings)
    drawn = draw_forecast(wiring.history.recent(limit=None), moment, order.plan, plan)
    wiring.engine.dispose()
    return drawn


def _measured(drawn: Drawn, kept: Sequence[Feature]) -> str:
    """Accuracy, log loss and kappa on the test rows with only these features."""
    assert drawn.training_set is not None
    blanked = _blanked(drawn.training_set, kept)
    fitted = fit_best(blanked, seed=42, progress=Silence())
    metrics = judge(fitted, replace(drawn, training_set=blanked), blanked, seed=42).candidate.metrics
    values: Mapping[str, float | None] = {name: measure.value for name, measure in metrics.items()}
    return " | ".join(
        f"{values[name] or 0:.3f}" for name in ("accuracy", "log_loss", "quadratic_weighted_kappa")
    )  # fmt: skip


def _blanked(training_set: TrainingSet, kept: Sequence[Feature]) -> TrainingSet:
    names = {feature.name for feature in kept}
    unwanted = np.array([feature.name not in names for feature in FEATURES[training_set.moment]])
    inputs = training_set.inputs
    X = np.where(unwanted, np.nan, inputs.X)
    return replace(training_set, inputs=Inputs(X, inputs.edges, inputs.start))


if __name__ == "__main__":
    os.environ.pop("TIERCAST_HOME", None)
    main()
