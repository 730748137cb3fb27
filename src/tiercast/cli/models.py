"""``tiercast models``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.moments import Moment
from tiercast.flows.difference import compare_releases
from tiercast.flows.models import list_models
from tiercast.flows.prune import Pruning, prune, to_document
from tiercast.flows.served import who_served
from tiercast.intake.stated import stated_time
from tiercast.render.difference import show_difference
from tiercast.render.models import show_models, show_pruned, show_served
from tiercast.render.output import print_json
from tiercast.wiring import Wiring, now

KEEP = 20
"""Five months of weekly promotions."""

app = typer.Typer(add_completion=False)


@app.command()
def models(
    moment: Annotated[Moment | None, typer.Option(help="Default: every moment.")] = None,
    at: Annotated[str | None, typer.Option(help="Who served at this time, 2026-11-01T00:00Z or a day's end.")] = None,
    diff: Annotated[tuple[str, str] | None, typer.Option(help="What changed from release A to B.")] = None,
    prune_old: Annotated[bool, typer.Option("--prune", help="Remove releases that nobody needs any more.")] = False,
    keep: Annotated[int | None, typer.Option(help=f"With --prune: newest promoted releases to keep; {KEEP}.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --prune: only say what would go.")] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List releases and the promotion log, the champion marked; or look back, compare two, remove old ones."""
    if sum((at is not None, diff is not None, prune_old)) > 1:
        raise typer.BadParameter("give one of --at, --diff and --prune")
    if not prune_old and (keep is not None or dry_run):
        raise typer.BadParameter("--keep and --dry-run need --prune")
    wiring, moments = open_home(home), [moment] if moment else list(Moment)
    if prune_old:
        _prune(wiring, moments, Pruning(KEEP if keep is None else keep, now(), dry_run), as_json=as_json)
    elif diff is not None:
        _diff(wiring, moments, *diff, as_json=as_json)
    elif at is not None:
        _at(wiring, moments, at, as_json=as_json)
    else:
        _list(wiring, moments, as_json=as_json)


def _list(wiring: Wiring, moments: list[Moment], *, as_json: bool) -> None:
    overview = list_models(wiring.objects, wiring.read_log(), moments)
    if as_json:
        print_json(overview.to_document())
    else:
        show_models(overview)


def _at(wiring: Wiring, moments: list[Moment], text: str, *, as_json: bool) -> None:
    at = stated_time(text, "--at")
    answer = who_served(wiring.objects, wiring.read_log(), moments, at or now())
    if as_json:
        print_json(answer.to_document())
    else:
        show_served(answer)


def _diff(wiring: Wiring, moments: list[Moment], a: str, b: str, *, as_json: bool) -> None:
    difference = compare_releases(wiring.objects, moments, a, b)
    if as_json:
        print_json(difference.to_document())
    else:
        show_difference(difference)


def _prune(wiring: Wiring, moments: list[Moment], pruning: Pruning, *, as_json: bool) -> None:
    log = wiring.read_log()
    pruned = [prune(wiring.objects, log, moment, pruning) for moment in moments]
    if as_json:
        print_json(to_document(pruned, pruning))
    else:
        show_pruned(pruned, dry_run=pruning.dry_run)
