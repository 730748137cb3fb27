"""A replay as a page of its own: one HTML file that needs nothing else."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from tiercast.core.errors import Unavailable
from tiercast.render.chart import Chart, Line, chart
from tiercast.render.output import percent
from tiercast.render.replay import FORECASTERS, MEANING, caveat, codes, instant, replay_sentences, served

SERVED: Final = ("never_again", "always_promote", "champion")
"""What real releases would have said, the champion drawn over the others."""


def write_replay(document: Mapping[str, Any], path: Path) -> None:
    """Write the page; raises Unavailable where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(replay_page(document), encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error.strerror}).") from error


def replay_page(document: Mapping[str, Any]) -> str:
    """The page's HTML."""
    environment = Environment(loader=PackageLoader("tiercast.render"), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"percent": percent, "codes": codes, "instant": instant}
    told = {name for step in document["steps"] for name in step["graded"]["forecasters"]}
    return environment.get_template("replay.html.jinja").render(
        replay=document,
        chart=accuracy_chart(document),
        forecasters=[name for name in FORECASTERS if name in told],
        names=FORECASTERS,
        meaning=MEANING,
        caveat=caveat(document),
        sentences=replay_sentences(document),
        served=served,
    )


def accuracy_chart(document: Mapping[str, Any]) -> Chart | None:
    """How often each forecaster was right after each step; None where nothing was graded."""
    steps = document["steps"]
    told = [step["graded"]["forecasters"] for step in steps]
    naive = [name for name in FORECASTERS if name not in SERVED and any(name in each for each in told)]
    if not any(told):
        return None
    lines = []
    for name in (*naive, *SERVED):
        values = [each[name]["accuracy"]["value"] if name in each else None for each in told]
        band = [tuple(each[name]["accuracy"]["interval"] or ()) or None if name in each else None for each in told]
        lines.append(Line(FORECASTERS[name], name, values, band if name == "champion" else None))
    marks = [(step["status"], f"{step['at'][:10]} {step['status']} {codes(step['in_the_way'])}") for step in steps]
    return chart([datetime.fromisoformat(step["at"]) for step in steps], lines, marks)
