"""The model store as tables."""

from rich.console import Console
from rich.table import Table

from tiercast.core.release import Promotion
from tiercast.flows.models import Models, MomentModels
from tiercast.render.output import percent, shown, stdout


def show_models(models: Models) -> None:
    """Releases and promotions of every moment, the champion marked."""
    console = stdout()
    for moment in models.moments:
        if not moment.entries and not moment.releases:
            console.print(
                f"{moment.moment.value}: no release yet. 'tiercast retrain' makes one, if it passes the gate."
            )
            continue
        _releases(console, moment)
        _promotions(console, moment)
        for warning in moment.champion.warnings if moment.champion else ():
            console.print(f"[yellow]warning[/] {shown(warning)}")


def _releases(console: Console, models: MomentModels) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", models.moment.value, "model", "label"):
        table.add_column(name, no_wrap=True)
    for name in ("accuracy", "trained on", "tested on"):
        table.add_column(name, justify="right")
    table.add_column("newest video")
    for line in models.releases:
        mark = "[green]serves[/]" if line.serves else ""
        if line.manifest is None:
            table.add_row(mark, line.release[:12], "[red]damaged[/]")
            continue
        manifest = line.manifest
        accuracy = percent(manifest.metrics["accuracy"]["value"])
        rows = (f"{manifest.training.rows:,}", f"{manifest.test.rows:,}")
        newest = (manifest.newest_training_video_at or "")[:10]
        table.add_row(mark, line.release[:12], manifest.model, manifest.label, accuracy, *rows, newest)
    console.print(table)
    for line in models.releases:
        if line.manifest is not None and line.manifest.marks:
            console.print(f"[dim]{line.release[:12]}: {', '.join(line.manifest.marks)}[/]")
    console.print()


def _promotions(console: Console, models: MomentModels) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("number", "when (UTC)", "what", "release", "who", "why"):
        table.add_column(name, justify="right" if name == "number" else "left", overflow="fold")
    for entry in models.entries:
        if entry.promotion is None:
            table.add_row(str(entry.number), "", "[red]damaged[/]", "", "", shown(entry.damage or ""))
            continue
        told = entry.promotion
        when = f"{told.at:%Y-%m-%d %H:%M}"
        table.add_row(str(entry.number), when, told.action, told.release[:12], shown(told.actor), shown(told.reason))
    console.print(table)


def show_rollback(entry: Promotion) -> None:
    """What serves now, and what served until now."""
    previous = entry.previous[:12] if entry.previous else "none"
    stdout().print(f"Release {entry.release[:12]} serves {entry.moment.value} again; {previous} served until now.")
