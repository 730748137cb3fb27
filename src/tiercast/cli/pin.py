"""``tiercast pin``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, Reason, open_store, person
from tiercast.core.moments import Moment
from tiercast.flows.models import promotion_document
from tiercast.flows.rollback import pin
from tiercast.render.models import show_decision
from tiercast.render.output import print_json

app = typer.Typer(add_completion=False)


@app.command(name="pin")
def command(
    release: Annotated[str, typer.Argument(help="A release that serves or served; the start of its id.")],
    reason: Reason,
    moment: Annotated[Moment, typer.Option(help="The moment that it serves.")] = Moment.OBSERVED,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Let one release serve, whatever passes the gate, until it is unpinned; it is verified before."""
    entry = pin(open_store(home), moment, release=release, reason=reason, writer=person())
    if as_json:
        print_json(promotion_document(entry))
    else:
        show_decision(entry)
