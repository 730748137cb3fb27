"""What only a connection can run into."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from http_service import video
from two_sides import Both

from tiercast import InvalidInput, Missing, Tiercast, Unavailable
from tiercast.client.over_http import LIMITS, OverHttp, open_http

OVERLOADED = (503, "application/problem+json", b'{"type": "urn:tiercast:overloaded", "detail": "Too many wait."}')
OF_A_RUN = b'{"type": "urn:tiercast:not-found", "detail": "There is no run."}'


@contextmanager
def answering(*answers: tuple[int, str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """The address of a server that gives these answers in turn, the last for ever, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as url:
        yield f"{url}/below", asked


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that answers by this."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("key", "told"), [("wrong", "is unknown or revoked"), (None, "is missing")])
def test_a_wrong_key_is_the_caller_s_mistake(both: Both, key: str | None, told: str) -> None:
    with Tiercast.connect(both.url, key) as side, pytest.raises(InvalidInput, match=f"The API key {told}"):
        side.predict(video())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Tiercast.connect("127.0.0.1:8000"), "is no address of a service"),
        (lambda: Tiercast.connect("ftp://127.0.0.1"), "is no address of a service"),
        (lambda: Tiercast.connect("http://me:secret@127.0.0.1"), "The url '127.0.0.1' is no address"),
        (lambda: Tiercast.connect("http://127.0.0.1", "two words\n"), "The key cannot be one"),
        (lambda: Tiercast.connect("http://127.0.0.1", ""), "The key cannot be one"),
    ],
)
def test_what_cannot_be_an_address_or_a_key_is_told_before_anything_is_sent(
    make: Callable[[], Tiercast], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as raised:
        make()
    assert "secret" not in str(raised.value)
    assert "two words" not in str(raised.value)


@pytest.mark.parametrize("seconds", [-1, 0, 86_401, float("nan"), float("inf"), True, None, "x"])
def test_what_cannot_be_a_time_to_wait_is_told_when_one_connects(seconds: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        Tiercast.connect("http://127.0.0.1", timeout_seconds=seconds)
    assert str(raised.value).startswith(f"timeout_seconds is {seconds!r}; it is how many seconds a service may be")
    assert str(raised.value).endswith(" silent, above 0 and at most 86,400.")


def test_where_nobody_answers_it_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Tiercast.connect(url) as side, pytest.raises(Unavailable, match=f"Nobody answers at {url}"):
            side.runs()


def requests_to(url: str) -> int:
    """How often an address is asked where nobody can be reached."""
    asked: list[httpx2.Request] = []
    with open_http(url, None, timeout_seconds=0.1) as http:
        http.event_hooks = {"request": [asked.append]}
        with pytest.raises(Unavailable, match=f"Nobody answers at {url}"):
            OverHttp(http).runs(1)
    return len(asked)


def test_who_refuses_connections_is_asked_three_times() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        assert requests_to(f"http://127.0.0.1:{taken.getsockname()[1]}") == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse what finds no room")
def test_an_address_that_drops_packets_is_asked_once() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than it has room for
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert requests_to(f"http://127.0.0.1:{full.getsockname()[1]}") == 1


@pytest.mark.parametrize(("timeout_seconds", "connect"), [(30, 5), (1, 1), (np.int64(30), 5), (np.float32(0.5), 0.5)])
def test_connecting_takes_five_seconds_at_most(timeout_seconds: float, connect: float) -> None:
    with open_http("http://127.0.0.1", None, timeout_seconds) as http:
        assert http.timeout == httpx2.Timeout(timeout_seconds, connect=connect)


def test_who_answers_too_late_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Tiercast.connect(url, timeout_seconds=0.05) as side,
            pytest.raises(Unavailable, match="was not answered"),
        ):
            side.runs()


def test_an_overloaded_service_is_asked_again_and_not_for_ever() -> None:
    fine = (200, "application/json", b'{"runs": []}')
    with answering(OVERLOADED, fine) as (url, asked), Tiercast.connect(url) as side:
        assert side.runs() == ()
        assert asked == ["/below/v1/runs?limit=20"] * 2
    with answering(OVERLOADED) as (url, asked), Tiercast.connect(url) as side:
        with pytest.raises(Unavailable, match=r"Too many wait\."):
            side.runs()
        assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ((502, "text/html", b"<h1>Bad gateway</h1>"), Unavailable, "answered 502, and not as a Tiercast service"),
        ((429, "text/plain", b"Slow down"), Unavailable, "answered 429, and not as a Tiercast service"),
        ((404, "text/html", b"<h1>Nothing</h1>"), InvalidInput, "answered 404, and not as a Tiercast service"),
        ((404, "application/json", b'{"detail": "Not Found"}'), InvalidInput, "answered 404, and not as a Tiercast"),
        ((404, "application/problem+json", b'{"type": "about:blank", "detail": "?"}'), InvalidInput, "answered 404"),
        ((404, "application/problem+json", OF_A_RUN), Missing, "There is no run"),
        ((500, "application/json", b"{"), Unavailable, "answered 500"),
        ((200, "text/html", b"<h1>Hello</h1>"), InvalidInput, "not as a Tiercast service does"),
        ((200, "application/json", b'{"runs": [{"id": 3}]}'), Unavailable, "answers in another shape"),
    ],
)
def test_who_is_no_tiercast_service_is_told_so(
    answer: tuple[int, str, bytes], kind: type[Exception], told: str
) -> None:
    with answering(answer) as (url, _), Tiercast.connect(url) as side, pytest.raises(kind, match=told):
        side.runs()


def test_what_a_newer_service_tells_beside_is_kept() -> None:
    newer = b'{"runs": [{"run": "a", "status": "promoted", "mood": 3}], "more": 4}'
    with answering((200, "application/json", newer)) as (url, _), Tiercast.connect(url) as side:
        assert side.runs()[0].document["mood"] == 3


@contextmanager
def closing(*, breaks: int) -> Iterator[tuple[str, list[str]]]:
    """A server that drops as many requests with their connections, unanswered, and then refuses each; what it read."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if len(asked) <= breaks:
                self.close_connection = True
                return
            body = b'{"type": "urn:tiercast:invalid", "detail": "It was answered."}'
            self.send_response(422)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as url:
        yield url, asked


SAFE: list[tuple[str, Callable[[Tiercast], object]]] = [
    ("POST /v1/predict", lambda side: side.predict(video())),
    ("POST /v1/score", lambda side: side.score({"rules": 3})),
    ("GET /v1/models", lambda side: side.models()),
    ("GET /v1/runs", lambda side: side.runs()),
]
ONCE: list[tuple[str, Callable[[Tiercast], object]]] = [
    ("POST /v1/videos", lambda side: side.ingest(video())),
    ("POST /v1/rollback", lambda side: side.rollback(reason="odd")),
]


@pytest.mark.parametrize(("line", "ask"), SAFE)
def test_what_does_no_harm_is_asked_once_more_where_the_connection_broke(
    line: str, ask: Callable[[Tiercast], object]
) -> None:
    with closing(breaks=1) as (url, asked), Tiercast.connect(url) as side:
        with pytest.raises(InvalidInput, match="It was answered"):
            ask(side)
        assert asked == [line] * 2
    with closing(breaks=9) as (url, asked), Tiercast.connect(url) as side:
        with pytest.raises(Unavailable, match="was not answered"):
            ask(side)
        assert asked == [line] * 2


@pytest.mark.parametrize(("line", "ask"), ONCE)
def test_what_changes_something_is_asked_once(line: str, ask: Callable[[Tiercast], object]) -> None:
    with closing(breaks=1) as (url, asked), Tiercast.connect(url) as side:
        with pytest.raises(Unavailable, match="It may have been done"):
            ask(side)
        assert asked == [line]


def test_idle_connections_are_given_up_before_a_service_closes_them() -> None:
    assert LIMITS.keepalive_expiry is not None
    assert LIMITS.keepalive_expiry < uvicorn.Config("any:app").timeout_keep_alive  # what `tiercast serve` keeps to
    asked: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        """Closes each connection after one answer, without having said that it would."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.client_address[1])
            body = b'{"runs": []}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as url, Tiercast.connect(url) as side:
        assert [side.runs() for _ in range(50)] == [()] * 50
    assert len(set(asked)) == len(asked) == 50
