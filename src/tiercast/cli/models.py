"""``tiercast models``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.core.moments import Moment
from tiercast.flows.models import list_models
from tiercast.render.models import show_models
from tiercast.render.output import print_json

app = typer.Typer(add_completion=False)


@app.command()
def models(
    moment: Annotated[Moment | None, typer.Option(help="Default: every moment.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List releases and the promotion log, the champion marked."""
    wiring = open_home(home)
    moments = [moment] if moment else list(Moment)
    overview = list_models(wiring.objects, wiring.read_log(), moments)
    if as_json:
        print_json(overview.to_document())
    else:
        show_models(overview)
