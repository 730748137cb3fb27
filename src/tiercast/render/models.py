"""The model store as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tiercast.core.release import Promotion
from tiercast.flows.models import Models, MomentModels
from tiercast.flows.prune import Pruned
from tiercast.flows.served import ServedAt
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
        if moment.pinned:
            console.print(
                f"{moment.pinned.release[:12]} is pinned: no retrain promotes until 'tiercast unpin --reason TEXT"
                f" --moment {moment.moment.value}'."
            )
        for warning in moment.warnings:
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
    stored = {line.release for line in models.releases}
    for entry in models.entries:
        if entry.promotion is None:
            table.add_row(str(entry.number), "", "[red]damaged[/]", "", "", shown(entry.damage or ""))
            continue
        told = entry.promotion
        when = f"{told.at:%Y-%m-%d %H:%M}"
        release = told.release[:12] + ("" if told.release in stored else " [dim](removed)[/]")
        table.add_row(str(entry.number), when, told.action, release, shown(told.actor), shown(told.reason))
    console.print(table)


def show_decision(entry: Promotion) -> None:
    """What serves now, what served until now, and whether retrains may change it."""
    release, changed = entry.release[:12], entry.previous != entry.release
    until_now = f"; {entry.previous[:12]} served until now" if entry.previous and changed else ""
    told = {
        "rollback": f"Release {release} serves {entry.moment.value} again{until_now}.",
        "pin": f"Release {release} serves {entry.moment.value} until 'tiercast unpin'{until_now}.",
        "unpin": f"Release {release} serves {entry.moment.value} until a retrain promotes another.",
    }
    stdout().print(told[entry.action])


def show_served(answer: ServedAt) -> None:
    """Who served each moment at one time."""
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("moment", "release", "since (UTC)", "until (UTC)", "entry", "what", "who", "why"):
        table.add_column(name, overflow="fold")
    doubts: list[str] = []
    for served in answer.moments:
        doubts += served.doubts
        if served.service is None:
            table.add_row(served.moment.value, "nobody yet")
            continue
        entry, until = served.service.entry, served.service.until
        release = entry.release[:12] + ("" if served.stored else " [dim](removed)[/]")
        span = (f"{served.service.since:%Y-%m-%d %H:%M}", f"{until:%Y-%m-%d %H:%M}" if until else "now")
        who = (str(entry.number), entry.action, shown(entry.actor), shown(entry.reason))
        table.add_row(served.moment.value, release, *span, *who)
    console.print(f"At {answer.at:%Y-%m-%d %H:%M:%S} UTC:")
    console.print(table)
    for doubt in doubts:
        console.print(f"[yellow]warning[/] {shown(doubt)} It may have been in force.")


def show_pruned(moments: Sequence[Pruned], *, dry_run: bool) -> None:
    """What was removed, or would be, what stays and why."""
    console = stdout()
    for pruned in moments:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in (pruned.moment.value, "release", "why"):
            table.add_column(name, overflow="fold")
        for release, why in pruned.removed.items():
            table.add_row("would go" if dry_run else "removed", release[:12], why)
        for release, seen_at in pruned.waiting.items():
            table.add_row("waits", release[:12], f"no entry names it; first seen {seen_at:%Y-%m-%d %H:%M} UTC")
        for release, why in pruned.kept.items():
            table.add_row("kept", release[:12], why)
        console.print(table if table.row_count else f"{pruned.moment.value}: no release")
