"""The client of a service elsewhere."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from numbers import Real
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from tiercast import __version__
from tiercast.answering import Wanted
from tiercast.core.errors import InvalidInput, Missing, NoChampion, TiercastError, Unavailable
from tiercast.core.moments import Moment

ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 0.2
"""Before the second attempt; twice as long before the third."""
CONNECT_SECONDS: Final = 5.0
"""TCP repeats its first packet after 1 and 3 seconds; where all three were dropped, so would the next be."""
LONGEST_SECONDS: Final = 86_400
"""A day; the milliseconds of 25 no longer fit into what poll() takes."""
NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout)
"""Nothing has arrived, so asking again cannot do a thing twice; after the time for connecting it would not help."""
BROKEN: Final = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)
"""The connection ended before the answer: often one that the service closed, being idle, as the request went out."""
HARMLESS: Final = frozenset({"/v1/predict", "/v1/score"})
"""What may be asked twice, as may every GET: a second answer differs in nothing but its time."""
LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)
"""Seconds; a service closes what was idle for 5, and what is used in that very moment is lost."""
MAY_PASS: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
URN: Final = "urn:tiercast:"


def open_http(url: str, key: str | None, timeout_seconds: float) -> httpx2.Client:
    """A connection to a service; raises InvalidInput where the address, the key or the time cannot be one."""
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname or found.query or "@" in found.netloc:
        raise InvalidInput(
            f"The url {found.hostname or url!r} is no address of a service; write http://127.0.0.1:8000."
        )
    if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key != ""):
        raise InvalidInput("The key cannot be one: it is empty, or has blanks or signs that no API key has.")
    headers = {"User-Agent": f"tiercast/{__version__}", "Accept": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return httpx2.Client(base_url=url, headers=headers, timeout=_timeout(timeout_seconds), limits=LIMITS)


def _timeout(seconds: Any) -> httpx2.Timeout:
    is_number = isinstance(seconds, Real) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds <= LONGEST_SECONDS:
        raise InvalidInput(
            f"timeout_seconds is {seconds!r}; it is how many seconds a service may be silent, above 0 and at most "
            f"{LONGEST_SECONDS:,}."
        )
    return httpx2.Timeout(float(seconds), connect=min(float(seconds), CONNECT_SECONDS))


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A Side that asks a service."""

    http: httpx2.Client

    def predict(self, part: Sequence[str], wanted: Wanted) -> Mapping[str, Any]:
        """The answer to some items; a service that takes fewer at a time gets them in halves."""
        more = {"moment": wanted.moment, "reasons": wanted.reasons, "platform": wanted.platform}
        body = f'{{"videos": [{",".join(part)}], {json.dumps(more)[1:]}'
        response = self._sent("POST", "/v1/predict", body=body)
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(part) > 1:
            middle = len(part) // 2
            halves = [self.predict(half, wanted) for half in (part[:middle], part[middle:])]
            return {name: [each for half in halves for each in half[name]] for name in halves[0]}
        problem = _problem(response)
        if "refused" in problem:  # every one of them; others may have come with other parts
            return {"predictions": [], "refused": problem["refused"], "warnings": []}
        return _document(response)

    def score(self, asked: str) -> Mapping[str, Any]:
        """The answer to a score's document."""
        return _document(self._sent("POST", "/v1/score", body=asked))

    def ingest(self, part: Sequence[str], platform: str | None, scraped_at: str | None) -> Mapping[str, Any]:
        """What some items brought."""
        stated = {"platform": platform, "scraped_at": scraped_at}
        params = {name: value for name, value in stated.items() if value is not None}
        response = self._sent("POST", "/v1/videos", body=f"[{','.join(part)}]", params=params)
        problem = _problem(response)
        return problem if "failed" in problem else _document(response)

    def models(self, moment: Moment | None) -> Mapping[str, Any]:
        """What stands in the model store."""
        return _document(self._sent("GET", "/v1/models", params={} if moment is None else {"moment": moment.value}))

    def runs(self, limit: int) -> Mapping[str, Any]:
        """The newest runs."""
        return _document(self._sent("GET", "/v1/runs", params={"limit": str(limit)}))

    def run(self, run: str) -> Mapping[str, Any]:
        """One run, or those of one retrain."""
        return _document(self._sent("GET", f"/v1/runs/{run}"))

    def rollback(self, moment: Moment, release: str | None, reason: str) -> Mapping[str, Any]:
        """The entry of the promotion log that was written."""
        asked = {"moment": moment.value, "release": release, "reason": reason}
        return _document(self._sent("POST", "/v1/rollback", body=json.dumps(asked)))

    def _sent(
        self, method: str, path: str, *, body: str | None = None, params: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """The answer, whatever it is; asked again where nobody was reached, nobody had time, or it does no harm."""
        content = None if body is None else body.encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        may_break = method == "GET" or path in HARMLESS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self.http.request(method, path, content=content, headers=headers, params=params)
                if attempt == ATTEMPTS or _problem(response).get("type") != f"{URN}overloaded":
                    return response
            except NOT_SENT as error:
                if attempt == ATTEMPTS or isinstance(error, httpx2.ConnectTimeout):
                    raise Unavailable(
                        f"Nobody answers at {self.http.base_url} ({error}). Is the service up?"
                    ) from error
            except httpx2.TransportError as error:
                if may_break and attempt < ATTEMPTS and isinstance(error, BROKEN):
                    may_break = False
                    continue
                told = str(error) or type(error).__name__
                raise Unavailable(
                    f"{method} {path} at {self.http.base_url} was not answered ({told}). It may have been done."
                ) from error
            time.sleep(PAUSE_SECONDS * attempt)
        raise AssertionError("the last attempt answers or raises")


def _document(response: httpx2.Response) -> Mapping[str, Any]:
    """What was answered; raises the error that a problem is."""
    if not response.is_success:
        raise _error(response)
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{response.url} answers, but not as a Tiercast service does. Connect to one's address.")
    return document


def _problem(response: httpx2.Response) -> Mapping[str, Any]:
    """The problem document of a service's answer; empty where it is none, as somebody else's is."""
    if response.is_success or "json" not in response.headers.get("content-type", ""):
        return {}
    try:
        document = response.json()
    except ValueError:
        return {}
    is_ours = isinstance(document, Mapping) and str(document.get("type")).startswith(URN) and "detail" in document
    return document if is_ours else {}


def _error(response: httpx2.Response) -> TiercastError:
    """The error by its remedy, as it would be raised in process, with the sentence of the problem."""
    status, problem = response.status_code, _problem(response)
    to = f" It leads to {response.headers['location']}." if "location" in response.headers else ""
    otherwise = f"{response.url} answered {status}, and not as a Tiercast service does.{to} Is this its address?"
    sentence = str(problem.get("detail", otherwise))
    if problem.get("type") == f"{URN}no-champion":
        return NoChampion(sentence)
    if problem and status == HTTPStatus.NOT_FOUND:
        return Missing(sentence)
    if response.is_server_error or status in MAY_PASS:
        return Unavailable(sentence)
    return InvalidInput(sentence)
