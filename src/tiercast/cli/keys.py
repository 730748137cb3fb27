"""``tiercast keys``."""

from typing import Annotated

import typer

from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json, open_home
from tiercast.flows.keys import add_key, key_document, keys_document, names_of, revoke_key
from tiercast.render.keys import show_keys, show_new, show_revoked, warn_of_lock, warn_of_setting
from tiercast.render.output import print_json
from tiercast.wiring import now

app = typer.Typer(add_completion=False, no_args_is_help=True, help="API keys of the service: add, list, revoke.")

Name = Annotated[str, typer.Argument(help="1 to 64 letters, digits, dots, _ or -; say who uses it.")]


@app.command()
def add(name: Name, home: Home = DEFAULT_HOME, as_json: Json = False, debug: Debug = False) -> None:
    """Make a key and print it, this once; only its hash is stored."""
    wiring = open_home(home)
    is_first = wiring.settings.api_key is None and not wiring.keys.digests()
    new = add_key(wiring.keys, name, now=now())
    if as_json:
        print_json(new.to_document())
    else:
        show_new(new)
    if is_first:
        warn_of_lock(wiring.settings.serve.check_seconds)


@app.command(name="list")
def list_all(home: Home = DEFAULT_HOME, as_json: Json = False, debug: Debug = False) -> None:
    """Names of all keys, when each was added and revoked; never the keys."""
    keys = open_home(home).keys.names()
    if as_json:
        print_json(keys_document(keys))
    else:
        show_keys(keys)


@app.command()
def revoke(name: Name, home: Home = DEFAULT_HOME, as_json: Json = False, debug: Debug = False) -> None:
    """End a key for good; its name stays in the list and is not used again."""
    wiring = open_home(home)
    setting = wiring.settings.api_key
    still_opens = setting is not None and name in names_of(setting.get_secret_value(), wiring.keys)
    key = revoke_key(wiring.keys, name, now=now())
    if as_json:
        print_json(key_document(key))
    else:
        show_revoked(key, wiring.settings.serve.check_seconds)
    if still_opens:
        warn_of_setting(name)
