"""Errors as a caller may read them: without the paths and hosts of the machine that failed."""

import re
from pathlib import Path
from typing import Final

from tiercast.core.errors import TiercastError, Unavailable

OUT_OF_REACH: Final = (
    "A store that this needs is out of reach at present, and nothing was changed. Try again later; the log of the "
    "service has the reason under the request id of this answer (X-Request-Id)."
)


def discreet(error: TiercastError, home: Path) -> str:
    """The sentence of an error for somebody elsewhere.

    What a driver said names hosts, users and files, so the log alone has it; other sentences name the home at most.

    >>> from tiercast.core.errors import InvalidInput
    >>> discreet(InvalidInput("The run file /srv/tc/runs/a.json cannot be read."), Path("/srv/tc"))
    'The run file {home}/runs/a.json cannot be read.'
    """
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        return OUT_OF_REACH
    told = str(error)
    for place in sorted({str(home), str(home.absolute()), str(home.resolve())}, key=len, reverse=True):
        told = re.sub(rf"(?<![\w./-]){re.escape(place)}(?=[/\s'\"),;:]|\.?$|\.\s)", "{home}", told)
    return told
