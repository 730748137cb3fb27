"""``tiercast unpin``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, Reason, open_store, person
from tiercast.core.moments import Moment
from tiercast.flows.models import promotion_document
from tiercast.flows.rollback import unpin
from tiercast.render.models import show_decision
from tiercast.render.output import print_json

app = typer.Typer(add_completion=False)


@app.command(name="unpin")
def command(
    reason: Reason,
    moment: Annotated[Moment, typer.Option(help="The moment whose pin ends.")] = Moment.OBSERVED,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Let retrains promote again; who serves goes on serving until one does."""
    entry = unpin(open_store(home), moment, reason=reason, writer=person())
    if as_json:
        print_json(promotion_document(entry))
    else:
        show_decision(entry)
