"""Errors as a caller may read them: without the paths and hosts of the machine that failed."""

import re
from pathlib import Path
from typing import Final

import structlog
from starlette.requests import Request

from tiercast.core.errors import TiercastError, Unavailable
from tiercast.http.problems import Problem, status_of
from tiercast.http.service import service_of

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


def discreet_problem(error: TiercastError, request: Request) -> Problem:
    """The problem that an error is to a caller; what is left out of it goes to the log under the request's id."""
    told = discreet(error, service_of(request).wiring.settings.home)
    if told != str(error):
        request_id = request.scope.get("state", {}).get("request_id", "")
        structlog.get_logger().warning("told in other words", request_id=request_id, problem=str(error))
    return Problem(status_of(error), told)
