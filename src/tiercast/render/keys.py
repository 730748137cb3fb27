"""API keys for people: who has one, and the one moment in which a new one is seen."""

import sys
from collections.abc import Sequence

from rich.table import Table

from tiercast.flows.keys import NewKey
from tiercast.ports.serving import NamedKey
from tiercast.render.output import shown, stdout, warn


def show_new(new: NewKey) -> None:
    """The key alone on standard output, so that it can be piped; what to know about it on standard error."""
    sys.stdout.write(new.key + "\n")
    warn(
        f"This is the key {new.name!r}. It is shown this once and stored as a hash: keep it where secrets are kept. "
        f"Send it as 'Authorization: Bearer KEY'. 'tiercast keys revoke {new.name}' ends it."
    )


def warn_of_lock(check_seconds: float) -> None:
    """What the first key changes for those who had none."""
    warn(
        f"It is the first key: a service that runs asks everybody for one from its next look on (it looks every "
        f"{check_seconds:g} seconds), also callers on its own machine that needed none so far."
    )


def warn_of_setting(name: str) -> None:
    """That a revoked key still opens."""
    warn(
        f"The setting api_key holds the very key that {name!r} was, so it still opens, under the name 'settings'. "
        "Change the setting and restart the service."
    )


def show_keys(keys: Sequence[NamedKey]) -> None:
    """Names and times; the keys themselves are known to nobody here."""
    console = stdout()
    if not keys:
        console.print("There is no key yet. 'tiercast keys add NAME' makes one.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("name", "added (UTC)", "revoked (UTC)"):
        table.add_column(name, overflow="fold")
    for key in keys:
        revoked = f"[red]{key.revoked_at:%Y-%m-%d %H:%M}[/]" if key.revoked_at else "-"
        table.add_row(shown(key.name), f"{key.added_at:%Y-%m-%d %H:%M}", revoked)
    console.print(table)


def show_revoked(key: NamedKey, check_seconds: float) -> None:
    """That the key is ended, and when a running service knows."""
    stdout().print(
        f"The key {shown(key.name)!r} is revoked. A service that runs refuses it from its next look on (it looks every "
        f"{check_seconds:g} seconds), or once it reaches the database again.",
        soft_wrap=True,
    )
