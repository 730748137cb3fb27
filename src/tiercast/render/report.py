"""A run as a page of its own: one HTML file that needs nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tiercast.core.errors import Unavailable
from tiercast.render.compared import compared_rows, compared_title
from tiercast.render.forecast import forecast_sentences
from tiercast.render.output import percent
from tiercast.render.run import FIGURES, RIVALS, view_ranges


def write_report(document: Mapping[str, Any], path: Path, *, note: str = "") -> None:
    """Write the page, with a note under its reason; raises Unavailable where the disk refuses."""
    try:
        path.write_text(report_page(document, note=note), encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error.strerror}).") from error


def report_page(document: Mapping[str, Any], *, note: str = "") -> str:
    """The page's HTML."""
    environment = Environment(loader=PackageLoader("tiercast.render"), autoescape=True, undefined=StrictUndefined)
    environment.filters["percent"] = percent
    page = environment.get_template("run.html.jinja")
    rivals = [name for name in RIVALS if (document["rivals"] or {}).get(name)]
    sentences = forecast_sentences(document) if document["metrics"] and document["moment"] != "observed" else []
    compared = document.get("compared")  # runs of earlier versions had no such comparison
    return page.render(
        run=document,
        figures=FIGURES,
        rivals=rivals,
        rival_names=RIVALS,
        sentences=sentences,
        groups=list(compared_rows(compared)) if compared else [],
        groups_title=compared_title(compared) if compared else "",
        views=view_ranges(document["tier_edges"]),
        note=note,
    )
