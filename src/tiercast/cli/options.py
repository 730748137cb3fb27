"""Options that every command takes, and what they open."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from tiercast.core.errors import InvalidInput
from tiercast.core.video import platform_name
from tiercast.intake.values import parse_time
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

DEFAULT_HOME = Path(".tiercast")

Home = Annotated[
    Path,
    typer.Option("--home", envvar="TIERCAST_HOME", help="Folder of settings, videos and models.", show_default=True),
]
Json = Annotated[bool, typer.Option("--json", help="Exactly one JSON document on standard output.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON document a video on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


def open_home(home: Path) -> Wiring:
    """The adapters of a home; raises InvalidInput where its settings are wrong."""
    return Wiring(read_settings(home))


def platform_option(text: str | None) -> str | None:
    """A platform's name from a flag; raises InvalidInput where it cannot be one."""
    if text is None:
        return None
    name = platform_name(text)
    if name is None:
        raise InvalidInput(f"--platform {text!r} is no platform name; write tiktok, youtube or instagram.")
    return name


def time_option(text: str | None, name: str) -> datetime | None:
    """An aware time from a flag, a bare day being its end; raises InvalidInput showing how one is written."""
    if text is None:
        return None
    try:
        parsed = parse_time(text)
    except ValueError:
        parsed = None
    if parsed is None:
        raise InvalidInput(f"{name} {text!r} is no time; write 2026-11-01T06:00:00Z or 2026-11-01.")
    return parsed.at + timedelta(hours=23, minutes=59, seconds=59) if parsed.date_only else parsed.at
