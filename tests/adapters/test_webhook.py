"""Notices to a real server on loopback: one that takes them, one that fails, one that says nothing."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest

from tiercast.adapters import webhook
from tiercast.adapters.webhook import Webhook
from tiercast.core.errors import Unavailable
from tiercast.ports.runs import Notice

NOTICE = Notice("20260110T120000-abc123", {"run": "20260110T120000-abc123", "reason": "日本 <b>"}, "*held* &lt;b&gt;")


class Listener(ThreadingHTTPServer):
    """Answers with these statuses in turn, the last one for ever; None: not at all."""

    daemon_threads = True

    def __init__(self, statuses: Sequence[int | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.heard: Queue[Any] = Queue()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/secret-part"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        self.server.heard.put(body)
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        if status is None:
            self.server.closing.wait(60)
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def listening(*statuses: int | None) -> Iterator[Listener]:
    """A webhook that listens until the block ends."""
    listener = Listener(statuses or [200])
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener
    finally:
        listener.closing.set()
        listener.shutdown()
        thread.join()
        listener.server_close()


def test_a_notice_arrives_as_json() -> None:
    with listening(204) as listener:
        Webhook(listener.url, "auto").send(NOTICE)
        assert listener.heard.get_nowait() == NOTICE.facts
        assert listener.heard.empty()


def test_a_notice_arrives_in_slacks_shape() -> None:
    with listening() as listener:
        Webhook(listener.url, "slack").send(NOTICE)
        assert listener.heard.get_nowait() == {"text": NOTICE.text}


@pytest.mark.parametrize(
    ("url", "shape", "to_slack"),
    [
        ("https://hooks.slack.com/services/T/B/x", "auto", True),
        ("https://HOOKS.slack.com/services/T/B/x", "auto", True),
        ("https://hooks.slack.com.example.org/x", "auto", False),
        ("https://hooks.slack.com/services/T/B/x", "json", False),
    ],
)
def test_slack_is_known_by_its_host(url: str, shape: Any, to_slack: bool) -> None:
    assert Webhook(url, shape)._to_slack is to_slack


def test_a_server_that_fails_once_is_asked_again() -> None:
    with listening(500, 200) as listener:
        Webhook(listener.url, "json").send(NOTICE)
        assert listener.heard.qsize() == 2


@pytest.mark.parametrize(("status", "told"), [(500, "answered 500"), (302, "answered 302"), (404, "answered 404")])
def test_a_server_that_goes_on_failing_is_told_without_its_address(status: int, told: str) -> None:
    with listening(status) as listener:
        with pytest.raises(Unavailable) as caught:
            Webhook(listener.url, "json").send(NOTICE)
        assert listener.heard.qsize() == webhook.TRIES
    said = str(caught.value)
    assert said.startswith(f"The notice of run {NOTICE.run} did not arrive: notify.webhook_url {told}.")
    assert "secret-part" not in said
    assert "127.0.0.1" not in said


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    with listening(None) as listener, pytest.raises(Unavailable, match=r"could not be asked \(ReadTimeout\)"):
        Webhook(listener.url, "json").send(NOTICE)


@pytest.mark.parametrize("url", ["no address", "http://", "ftp://127.0.0.1/", "http://127.0.0.1:1/", "http://[::/"])
def test_an_address_that_cannot_be_asked_is_unavailable_and_no_fault(url: str) -> None:
    with pytest.raises(Unavailable, match="could not be asked"):
        Webhook(url, "json").send(NOTICE)
