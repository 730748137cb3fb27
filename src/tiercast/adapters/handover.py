"""What a server hands to the retrain that it starts: the run's id and its lease, in the environment."""

import os
import re
from dataclasses import dataclass
from typing import Final

from tiercast.core.errors import InvalidInput

VARIABLE: Final = "_TIERCAST_RETRAIN"
"""No setting, so it does not begin as settings do. A command line is seen by every user of a machine, this is not."""
CHOSEN: Final = "retrain chose"
"""The event of the log line by which the child tells the ids and moments of its runs, as `runs`."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A run that was begun by another process, and the token of its lease; neither where nobody did."""

    run: str | None = None
    token: str | None = None


def handed_over() -> Handed:
    """What this process was handed; from then on it stands in the environment of none that it starts."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return Handed()
    found = re.fullmatch(r"([0-9A-Za-z-]+):([0-9a-f]+)", text)
    if found is None:
        raise InvalidInput(f"{VARIABLE} is set, though only `tiercast serve` sets it. Unset it.")
    return Handed(found[1], found[2])


def handing(run: str, token: str) -> dict[str, str]:
    """The environment that hands a run over."""
    return {VARIABLE: f"{run}:{token}"}
