"""A run, or a list of runs, as tables."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tiercast.ports.runs import RunRecord
from tiercast.render.compared import show_compared
from tiercast.render.forecast import forecast_sentences
from tiercast.render.output import percent, shown, stdout

COLOUR: Final = {
    "promoted": "green", "held": "yellow", "rejected": "red", "failed": "red",
    "pass": "green", "fail": "red", "inconclusive": "yellow",
}  # fmt: skip


def show_run(document: Mapping[str, Any]) -> None:
    """The verdict and its reason, then what was measured."""
    console = stdout()
    status = document["status"]
    dry = " (dry run: nothing was published)" if document["dry_run"] else ""
    console.print(f"\nRun {document['run']}, moment {document['moment']}: [bold {COLOUR[status]}]{status}[/]{dry}")
    console.print(shown(document["reason"]) + "\n")
    if document["findings"]:
        _findings(console, document["findings"])
    if document["confusion_matrix"]:
        _tiers(console, document)
        _figures(console, document)
        if document.get("compared"):
            show_compared(console, document["compared"])
        for sentence in forecast_sentences(document) if document["moment"] != "observed" else ():
            console.print(shown(sentence))
        console.print()
    if document["candidates"]:
        _candidates(console, document["candidates"])
    _ending(console, document)


def _findings(console: Console, findings: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("question")
    table.add_column("answer", no_wrap=True)
    table.add_column("observed", justify="right", no_wrap=True)
    table.add_column("required", justify="right", no_wrap=True)
    asked = [finding for finding in findings if finding["outcome"] != "not_applicable"]
    for finding in asked:
        outcome = finding["outcome"]
        answer = f"[{COLOUR[outcome]}]{outcome}[/]{' (only warns)' if finding['demoted'] else ''}"
        numbers = (_number(finding["observed"]), _required(finding))
        table.add_row(finding["code"], shown(finding["title"]), answer, *numbers)
    console.print(table)
    left = [finding["code"] for finding in findings if finding not in asked]
    if left:
        console.print(f"[dim]not asked: {', '.join(left)} (tiercast runs RUN --report PAGE.html says why)[/]")
    console.print()


def _required(finding: Mapping[str, Any]) -> str:
    number = _number(finding["required"])
    return number and f"{'<=' if finding['at_most'] else '>='} {number}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3f}" if abs(value) >= 1e-3 else f"{value:.0e}"


def _tiers(console: Console, document: Mapping[str, Any]) -> None:
    """The confusion matrix with each tier's views, precision and recall beside it."""
    table = Table(box=None, pad_edge=False, header_style="bold", title="Test videos: actual tier by predicted tier")
    table.title_justify, table.title_style = "left", "bold"
    for name in ("tier", "views"):
        table.add_column(name)
    for name in (*(f"as {tier}" for tier in range(1, 6)), "precision", "recall", "videos"):
        table.add_column(name, justify="right")
    ranges = view_ranges(document["tier_edges"])
    for tier, row, views in zip(document["per_tier"], document["confusion_matrix"], ranges, strict=True):
        number = tier["tier"]
        cells = [f"[bold]{count}[/]" if at == number else str(count) for at, count in enumerate(row, 1)]
        shares = (percent(tier["precision"]), percent(tier["recall"]))
        table.add_row(str(number), views, *cells, *shares, f"{tier['support']:,}")
    console.print(table)
    console.print()


def view_ranges(edges: Sequence[int] | None) -> list[str]:
    """The views of each tier in words; a frozen file's labels have none.

    >>> view_ranges([10, 200, 3000, 40000])
    ['up to 10', '11 - 200', '201 - 3,000', '3,001 - 40,000', 'over 40,000']
    >>> view_ranges(None)
    ['as labelled', 'as labelled', 'as labelled', 'as labelled', 'as labelled']
    """
    if edges is None:
        return ["as labelled"] * 5
    inner = [f"{low + 1:,} - {high:,}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:,}", *inner, f"over {edges[-1]:,}"]


FIGURES: Final = {
    "accuracy": "accuracy",
    "within_one": "within one tier",
    "log_loss": "log loss",
    "quadratic_weighted_kappa": "quadratic weighted kappa",
    "expected_calibration_error": "expected calibration error",
    "calibration_error_by_chance": "  of which chance at so many videos",
    "spearman": "Spearman with views",
    "top_tier_auc": "AUC for the top tier",
    "interval_coverage": "views inside the 80 % range",
}
RIVALS: Final = {
    "majority": "commonest tier",
    "creators_usual": "creator's usual",
    "first_views": "first views",
}


def _figures(console: Console, document: Mapping[str, Any]) -> None:
    rivals = [name for name in RIVALS if document["rivals"].get(name)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("measure")
    for name in ("candidate", "95 % interval", *(RIVALS[name] for name in rivals)):
        table.add_column(name, justify="right")
    for name, title in FIGURES.items():
        own = document["metrics"][name]
        others = (_figure(document["rivals"][rival][name]["value"]) for rival in rivals)
        table.add_row(title, _figure(own["value"]), _interval(own["interval"]), *others)
    table.add_row("accuracy on its training videos", _figure(document["train_accuracy"]))
    console.print(table)
    console.print()


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} - {interval[1]:.3f}"


def _candidates(console: Console, candidates: Sequence[Mapping[str, Any]]) -> None:
    for line in candidates:
        settings = ", ".join(f"{name} {_setting(value)}" for name, value in line["settings"].items())
        mark = "[green]chosen[/]" if line["chosen"] else "      "
        told = f"log loss in validation {line['log_loss']:.4f}, {line['seconds']:.2f} s"
        console.print(f"{mark} {line['name']:<10} {told}{', ' if settings else ''}{settings}")
    console.print()


def _setting(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _ending(console: Console, document: Mapping[str, Any]) -> None:
    if document["candidate"]:
        console.print(f"candidate {document['candidate'][:12]}")
    if document["status"] != "failed":
        _champion(console, document["champion_before"], document["champion_after"])
    for name, value in document["held_features"].items():
        console.print(f"held      {name} = {value:g}, in training and in prediction")
    for mark in document["marks"]:
        console.print(f"marked    {mark}")
    for warning in document["warnings"]:
        console.print(f"[yellow]warning[/]   {shown(warning)}")
    spent = [f"{stage} {seconds:.2f}" for stage, seconds in document["seconds"].items() if seconds is not None]
    if spent:
        console.print(f"seconds   {', '.join(spent)}", soft_wrap=True)


def _champion(console: Console, before: str | None, after: str | None) -> None:
    if before == after:
        console.print(f"champion  {after[:12]}, as before" if after else "champion  none yet")
    elif after:
        console.print(f"champion  {after[:12]}, before: {before[:12] if before else 'none'}")


def show_runs(records: Sequence[RunRecord]) -> None:
    """One line a run, newest first."""
    console = stdout()
    if not records:
        console.print("No run yet. Start one with 'tiercast retrain'.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "moment", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("videos", "test accuracy", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("source")
    for record in records:
        found: Mapping[str, Any] = record.document
        status = f"[{COLOUR[record.status]}]{record.status}[/]"
        seconds = found["seconds"]["total"]
        numbers = (
            f"{found['videos']:,}",
            percent(found["test_accuracy"]),
            "-" if seconds is None else f"{seconds:.1f}",
        )
        table.add_row(record.run, record.moment.value, status, *numbers, found["source"])
    console.print(table)
