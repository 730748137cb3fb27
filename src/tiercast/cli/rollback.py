"""``tiercast rollback``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, Reason, open_store, person
from tiercast.core.moments import Moment
from tiercast.flows.models import promotion_document
from tiercast.flows.rollback import rollback
from tiercast.render.models import show_decision
from tiercast.render.output import print_json

app = typer.Typer(add_completion=False)


@app.command(name="rollback")
def command(
    reason: Reason,
    release: Annotated[str | None, typer.Argument(help="Default: the release that served before.")] = None,
    moment: Annotated[Moment, typer.Option(help="The moment to roll back.")] = Moment.OBSERVED,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Let an earlier release serve again; the log gains an entry, nothing is overwritten."""
    entry = rollback(open_store(home), moment, release=release, reason=reason, writer=person())
    if as_json:
        print_json(promotion_document(entry))
    else:
        show_decision(entry)
