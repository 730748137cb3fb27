"""Scores with what each signal brought."""

from collections.abc import Sequence

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from tiercast.core.score import HIGHEST
from tiercast.flows.score import Score
from tiercast.render.output import shown, stdout, warn

BAR_CELLS = 40
"""Of the signal that weighs most, at 100 points; the others are drawn to the same scale."""


def show_scores(scores: Sequence[Score]) -> None:
    """One score with a bar for each contribution; several as a line each."""
    console = stdout()
    if len(scores) == 1:
        _show_one(console, scores[0])
    else:
        _show_many(console, scores)
    for number, each in enumerate(scores, start=1):
        for warning in each.warnings:
            warn(warning if len(scores) == 1 else f"{number}: {warning}")


def _show_one(console: Console, score: Score) -> None:
    scored = score.scored
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("signal", overflow="fold")
    for name in ("value", "weight", "points"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    scale = HIGHEST * max(scored.weights.values())
    for name, points in scored.contributions.items():
        bar = Bar(scale, 0, points, width=BAR_CELLS, color="cyan")
        table.add_row(shown(name), f"{scored.signals[name]:.1f}", f"{scored.weights[name]:.4f}", f"{points:.1f}", bar)
    for name in scored.missing:
        table.add_row(shown(name), "missing", "-", "-", "", style="dim")
    console.print(table)
    console.print(f"[bold]Score {scored.overall_score}[/] of {HIGHEST}{_shared_out(score)}")


def _shared_out(score: Score) -> str:
    missing = ", ".join(shown(name) for name in score.scored.missing)
    return f"; the weight of what is missing ({missing}) is shared out among the others." if missing else "."


def _show_many(console: Console, scores: Sequence[Score]) -> None:
    names = [*dict.fromkeys(name for each in scores for name in (*each.scored.signals, *each.scored.missing))]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "score", *names):
        table.add_column(shown(name), justify="right")
    table.add_column("video", overflow="fold")
    for number, each in enumerate(scores, start=1):
        points = [f"{each.scored.contributions[name]:.1f}" if name in each.scored.signals else "-" for name in names]
        video = shown(each.prediction["video_id"]) if each.prediction else ""
        table.add_row(str(number), f"[bold]{each.scored.overall_score}[/]", *points, video)
    console.print(table)
    console.print("Below each signal the points that it brings; - is missing, and its weight shared out.")
