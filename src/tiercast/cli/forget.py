"""``tiercast forget``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.flows.forget import Places, forget
from tiercast.render.forget import show_forgotten
from tiercast.render.output import print_json

app = typer.Typer(add_completion=False)


@app.command(name="forget")
def command(
    author: Annotated[str | None, typer.Option(help="Handle of the creator to erase.")] = None,
    video: Annotated[str | None, typer.Option(help="Id of the video to erase.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Erase videos, observations, rejects and predictions; only the fact that it happened is recorded."""
    if (author is None) == (video is None):
        raise typer.BadParameter("give --author or --video, and not both")
    wiring = open_home(home)
    places = Places(wiring.videos, wiring.served, wiring.rejects, wiring.scraped_table)
    gone = forget(places, author=author, video_id=video)
    if as_json:
        print_json(gone.to_document())
    else:
        show_forgotten(gone)
