"""The ``tiercast`` program: its commands, each imported when it is used, and what an error looks like."""

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from tiercast import __version__
from tiercast.core.errors import TiercastError, is_interruption
from tiercast.core.plain import plain

COMMANDS: Final = {
    "demo": "The whole loop on generated videos, in a fresh home.",
    "ingest": "Read scraper files, or an existing scraped_videos table, into videos and observations.",
    "retrain": "Train on the newest videos, judge the candidate, publish it only if it passes.",
    "models": "List releases and the promotion log, say who served when, compare two, remove old ones.",
    "rollback": "Let an earlier release serve again.",
    "pin": "Let one release serve until it is unpinned.",
    "unpin": "Let retrains promote again.",
    "serve": "Serve predictions, scores and the cron route over HTTP.",
    "predict": "Predict the tier of videos with the champion.",
    "score": "One score of 0 to 100 from several signals, the model's among them.",
    "keys": "API keys of the service: add, list, revoke.",
    "forget": "Erase an author or a video.",
    "replay": "What retrains would have done in the past, week by week.",
    "runs": "List past runs, or show one.",
    "doctor": "Check settings, database, model store, disk and champion.",
}
"""Name to one line of help. Each is the module of that name in ``tiercast.cli``; help imports none of them."""

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130
"""What shells expect of a program that Ctrl-C ended."""
EXIT_TERMINATED: Final = 143
"""The same for SIGTERM, by which containers and schedulers end a program."""


class LazyCommands(TyperGroup):
    """Commands by name; listing them costs nothing, running one imports only what that one needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command, in the order of a first week with the program."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the one line of help."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, its module imported now."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None or stand_in is None:
            return name, stand_in, rest
        command = typer.main.get_command(command_module(name).app)
        command.name = name
        return name, command, rest


def command_module(name: str) -> ModuleType:
    """The module of a command, which holds its ``app``."""
    return import_module(f"tiercast.cli.{name}")


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps a short-video performance model fresh and never lets a bad one into production.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


class _Termination:
    """SIGTERM as Ctrl-C, so that leases are given back and runs recorded; it remembers which of the two it was."""

    asked = False

    def __call__(self, number: int, _frame: object) -> None:
        self.asked = True
        signal.signal(number, signal.SIG_IGN)  # a second one would end the cleaning up
        raise KeyboardInterrupt

    def exit_code(self) -> int:
        """Say that the program was interrupted, and give the code to end with."""
        sys.stderr.write("\nInterrupted. What was committed before stays; nothing is half-written. Run it again.\n")
        return EXIT_TERMINATED if self.asked else EXIT_INTERRUPTED


def run() -> None:
    """Run the program; every failure ends in one sentence and its exit code, a traceback only with --debug."""
    _replace_closed_streams()
    debug = "--debug" in sys.argv
    termination = _Termination()
    signal.signal(signal.SIGTERM, termination)
    try:
        app()
    except TiercastError as error:
        if debug:
            raise
        sys.exit(_fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(termination.exit_code())
    except SystemExit as ended:  # inside a command, typer has turned Ctrl-C into this exit without a word
        sys.exit(termination.exit_code() if ended.code == EXIT_INTERRUPTED else ended.code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    except Exception as error:  # the process edge: what nobody foresaw is told in one sentence too
        if is_interruption(error):
            sys.exit(termination.exit_code())
        if debug:
            raise
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        sys.exit(_fail(f"Tiercast failed in a way nobody foresaw ({told}). Run it again with --debug and report it."))


def _replace_closed_streams() -> None:
    """Who closed a stream wants to hear nothing of it; Python has None in its place, and fails at the first word."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w")  # noqa: SIM115  for as long as the process lives
            os.set_inheritable(stream.fileno(), True)  # workers and retrains would have none either
            setattr(sys, name, stream)


def _fail(sentence: str) -> int:
    sys.stderr.write(plain(f"Error: {sentence}") + "\n")
    return EXIT_FAILED
