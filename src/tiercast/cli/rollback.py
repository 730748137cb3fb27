"""``tiercast rollback``."""

from typing import Annotated
from uuid import uuid4

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.flows.model_store import ModelStore, Writer, rollback
from tiercast.flows.models import promotion_document
from tiercast.render.models import show_rollback
from tiercast.render.output import print_json
from tiercast.wiring import actor, now

app = typer.Typer(add_completion=False)


@app.command(name="rollback")
def command(
    reason: Annotated[str, typer.Option(help="Why; kept in the promotion log for ever.")],
    release: Annotated[str | None, typer.Argument(help="Default: the release that served before.")] = None,
    moment: Annotated[Moment, typer.Option(help="The moment to roll back.")] = Moment.OBSERVED,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Let an earlier release serve again; the log gains an entry, nothing is overwritten."""
    if not reason.strip():
        raise typer.BadParameter("say in a few words why", param_hint="--reason")
    wiring = open_home(home)
    if wiring.read_log() is None:
        raise Missing("Nothing was ever promoted in this model store, so there is nothing to roll back.")
    store = ModelStore(wiring.objects, wiring.write_log())
    writer = Writer(actor=actor(), at=now(), token=uuid4().hex)
    entry = rollback(store, moment, release=release, reason=reason, writer=writer)
    if as_json:
        print_json(promotion_document(entry))
    else:
        show_rollback(entry)
