"""Whatever goes wrong in a route becomes a problem document, here and nowhere else."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tiercast.core.errors import NoChampion, TiercastError
from tiercast.http.discretion import discreet_problem
from tiercast.http.problems import KINDS, Problem


def answer_with_problems(app: FastAPI) -> None:
    """Let the application answer every error that somebody foresaw; the others are ``requests.Observed``'s."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(NoChampion, _no_champion)
    app.add_exception_handler(TiercastError, _error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unfit)


async def _problem(_request: Request, error: Any) -> Response:
    response: Response = error.response()
    return response


async def _no_champion(_request: Request, error: Any) -> Response:
    """Not the caller's fault, and different tomorrow."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Problem(status, str(error), kind="no-champion", title="No model serves").response()


async def _error(request: Request, error: Any) -> Response:
    return discreet_problem(error, request).response()


async def _http_error(request: Request, error: Any) -> Response:
    """What the framework itself refuses: an unknown address, a method, a query."""
    status = HTTPStatus(error.status_code)
    detail = f"{request.method[:16]} {request.url.path[:200]}: {error.detail}. See /openapi.json for what there is."
    if status not in KINDS:
        return Problem(status, detail, kind=status.phrase.lower().replace(" ", "-"), title=status.phrase).response()
    return Problem(status, detail, headers=error.headers).response()


async def _unfit(_request: Request, error: Any) -> Response:
    """What a route's signature refuses: a part of the address or of the query."""
    faults = error.errors()
    told = "; ".join(f"{fault['loc'][-1]} is {repr(fault['input'])[:60]}: {fault['msg']}" for fault in faults[:5])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The address does not fit: {told}.").response()
