"""The service of a home: in this process, or as a program of its own."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from starlette.testclient import TestClient

from cli.program import environment
from tiercast.http.app import create_app
from tiercast.http.service import Service
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

PATIENCE_SECONDS = 60
Found = TypeVar("Found")


@contextmanager
def client_of(home: Path, **headers: str) -> Iterator[TestClient]:
    """The whole application in this process, its background work included."""
    app = create_app(Wiring(read_settings(home)))
    with TestClient(app, base_url="http://localhost", headers=headers, raise_server_exceptions=False) as client:
        yield client


def service_of(client: TestClient) -> Service:
    """What the application of a client holds."""
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


@dataclass
class Program:
    """``tiercast serve`` as a process."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def program(home: Path, *options: str, settings: Mapping[str, str] | None = None) -> Iterator[Program]:
    """The service of a home in a process of its own, at a port of its own, once it answers."""
    log = home.parent / f"serve-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "tiercast", "serve", "--home", str(home), "--port", "0", *options]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment(**(settings or {})), stderr=stream, cwd=home.parent)
    try:
        text = until(lambda: log.read_text() if "http://" in log.read_text() or process.poll() is not None else None)
        assert "http://" in text, text
        port = int(re.findall(r"http://\S+:(\d+)", text)[0])
        served = Program(process, port, log)
        until(lambda: answers(served) or None)
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_SECONDS)


def answers(served: Program) -> bool:
    """Whether it answers yet."""
    try:
        return httpx2.get(f"{served.url}/healthz").status_code == 200
    except httpx2.TransportError:
        assert served.process.poll() is None, served.log.read_text()
        return False


def until(ask: Callable[[], Found | None]) -> Found:
    """The first answer that is not None; fails where it does not come."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        found = ask()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


CLOCKWORKS = {
    "id": "7301234567890123457",
    "text": "Sourdough",
    "createTimeISO": "2025-05-01T10:00:00.000Z",
    "authorMeta": {"name": "ana", "fans": 10},
    "playCount": 500,
    "diggCount": 20,
    "shareCount": 1,
    "commentCount": 2,
    "collectCount": 3,
    "webVideoUrl": "https://www.tiktok.com/@ana/video/7301234567890123457",
}
"""A video as one of the scrapers writes it."""


def video(number: int = 0, **more: object) -> dict[str, Any]:
    """A video as a caller would send it."""
    return {
        "platform": "tiktok",
        "video_id": str(7301234567890123456 + number),
        "author": f"creator{number % 7}",
        "views": 12_345 + 10 * number,
        "likes": 1_200 + number,
        "shares": 30 + number,
        "comments": 55,
        "description": "Sourdough #baking",
        "duration_seconds": 21.5,
        "scraped_at": "2025-06-01T10:00:00Z",
        **more,
    }
