"""Options that every command takes, and what they open."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from tiercast.core.errors import Missing
from tiercast.flows.model_store import ModelStore, Writer
from tiercast.settings import read_settings
from tiercast.wiring import Wiring, actor, now

DEFAULT_HOME = Path(".tiercast")

Home = Annotated[
    Path,
    typer.Option("--home", envvar="TIERCAST_HOME", help="Folder of settings, videos and models.", show_default=True),
]
Json = Annotated[bool, typer.Option("--json", help="Exactly one JSON document on standard output.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON document a video on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


def _words(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("say in a few words why")
    return text


Reason = Annotated[str, typer.Option("--reason", callback=_words, help="Why; kept in the promotion log for ever.")]


def open_home(home: Path) -> Wiring:
    """The adapters of a home; raises InvalidInput where its settings are wrong."""
    return Wiring(read_settings(home))


def open_store(home: Path) -> ModelStore:
    """The model store of a home, to decide who serves; raises Missing where nothing was ever promoted."""
    wiring = open_home(home)
    if wiring.read_log() is None:
        raise Missing("Nothing was ever promoted in this model store, so nobody can be chosen to serve.")
    return ModelStore(wiring.objects, wiring.write_log())


def person() -> Writer:
    """Whoever is at the keyboard now, for one entry of the promotion log."""
    return Writer(actor=actor(), at=now(), token=uuid4().hex)
