"""The cron route with real retrains in real child processes, and how they end when something ends them."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.testclient import TestClient

from adapters.test_webhook import Listener, listening
from cli.program import environment, rows, tiercast, write_rows
from tiercast.adapters.handover import CHOSEN
from tiercast.core.errors import Busy, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.runs import run_document
from tiercast.http.cron import router
from tiercast.http.faults import answer_with_problems
from tiercast.http.guard import CRON_PATH, OLD_CRON_PATH
from tiercast.serving import retraining
from tiercast.serving.asking import Threads
from tiercast.serving.retraining import Retrainer
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

SECRET = "a long secret – of any letters"
WRONG = ("Bearer wrong", SECRET, f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}")
PATIENCE_SECONDS = 120
Found = TypeVar("Found")


@dataclass
class Service:
    """What the routes find on the app: here, all there is."""

    wiring: Wiring
    retrainer: Retrainer
    readers: Threads = field(default_factory=lambda: Threads(1, "read"))
    changes: Threads = field(default_factory=lambda: Threads(1, "change"))

    @property
    def app(self) -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        answer_with_problems(app)
        app.state.service = self
        return app

    def ask(self, path: str = CRON_PATH, *, method: str = "POST", bearer: str | None = SECRET) -> Response:
        return self.send(method, path, None if bearer is None else f"Bearer {bearer}".encode())

    def send(self, method: str, path: str, header: bytes | None) -> Response:
        async def asked() -> Response:
            transport = ASGITransport(self.app)
            async with AsyncClient(transport=transport, base_url="http://server", timeout=PATIENCE_SECONDS) as client:
                return await client.request(method, path, headers={} if header is None else {"Authorization": header})

        return asyncio.run(asked())

    def adopted(self) -> int:
        """The child's process, once it renews the lease itself."""

        def holder() -> int | None:
            found = self.wiring.in_progress()
            process = int(re.findall(r"process (\d+) on", found.holder)[0]) if found else os.getpid()
            return None if process == os.getpid() else process

        return until(holder)


def until(ask: Callable[[], Found | None]) -> Found:
    """The first answer that is one."""
    ends, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while time.monotonic() < ends:
        found = ask()
        if found is not None:
            return found
        pause.wait(0.02)
    raise AssertionError("nothing came of it")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home of 60 videos, whose retrain is held at once, and one of 4,000, whose retrain trains."""
    folder, made = tmp_path_factory.mktemp("homes"), {}
    for name, n in (("few", 60), ("many", 4_000)):
        made[name] = folder / name
        assert tiercast("ingest", write_rows(folder / f"{name}.parquet", rows(n)), home=made[name]).code == 0
    return made


Open = Callable[..., Service]


@pytest.fixture
def serve(homes: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a service on a copy of a home; its retrains are ended after the test."""
    opened: list[Service] = []

    def opener(name: str = "few", *, secret: str | None = SECRET, **settings: str) -> Service:
        for variable, value in environment(**settings).items():
            monkeypatch.setenv(variable, value)
        if secret is not None:
            monkeypatch.setenv("TIERCAST_CRON_SECRET", secret)
        home = tmp_path / "home" if opened else Path(shutil.copytree(homes[name], tmp_path / "home"))
        wiring = Wiring(read_settings(home))
        opened.append(Service(wiring, Retrainer(wiring)))
        return opened[-1]

    yield opener
    for service in opened:
        service.retrainer.close()
        if "engine" in vars(service.wiring):
            service.wiring.engine.dispose()


# -- who may


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [CRON_PATH, OLD_CRON_PATH, f"{CRON_PATH}?wait=nonsense"])
@pytest.mark.parametrize("bearer", [None, "", "None", SECRET])
def test_without_a_secret_nobody_gets_in_whatever_they_send(
    serve: Open, method: str, path: str, bearer: str | None
) -> None:
    service = serve(secret=None)
    answer = service.ask(path, method=method, bearer=bearer)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "TIERCAST_CRON_SECRET" in answer.json()["detail"]
    assert service.wiring.in_progress() is None


@pytest.mark.parametrize(
    "header",
    [None, b"", b"Bearer", b"Bearer ", b"Bearer \xff\xfe", *map(str.encode, WRONG)],
)
@pytest.mark.parametrize("path", [CRON_PATH, OLD_CRON_PATH, f"{CRON_PATH}?wait=nonsense"])
def test_the_secret_alone_opens_the_route(serve: Open, header: bytes | None, path: str) -> None:
    service = serve()
    answer = service.send("POST", path, header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert SECRET not in answer.text
    assert service.wiring.in_progress() is None


@pytest.mark.parametrize("wait", ["-1", "301", "nan", "inf", "soon", "1,5"])
def test_a_wait_out_of_range_starts_nothing(serve: Open, wait: str) -> None:
    service = serve()
    answer = service.ask(f"{CRON_PATH}?wait={wait}")
    assert answer.status_code == 422
    assert repr(wait) in answer.json()["detail"]
    assert "from 0 to 300" in answer.json()["detail"]
    assert service.wiring.in_progress() is None


def test_each_method_stands_in_the_documentation_once(serve: Open) -> None:
    documented = serve().app.openapi()
    assert list(documented["paths"]) == [CRON_PATH]
    assert set(documented["paths"][CRON_PATH]) == {"get", "post"}
    assert {"200", "202", "401", "409", "422", "503"} <= set(documented["paths"][CRON_PATH]["post"]["responses"])


def test_no_answer_is_kept_by_anybody(client: TestClient) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, OLD_CRON_PATH)
        assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


# -- what it does


@pytest.mark.parametrize(("method", "path"), [("GET", CRON_PATH), ("POST", OLD_CRON_PATH)])
def test_the_answer_names_the_run_at_once_and_the_run_goes_on(serve: Open, method: str, path: str) -> None:
    service = serve()
    answer = service.ask(path, method=method)
    run = answer.json()["run"]
    assert answer.status_code == 202
    assert answer.json() == {"run": run, "status": "running", "location": f"/v1/runs/{run}"}
    assert answer.headers["location"] == f"/v1/runs/{run}"
    document = service.retrainer.result(run, PATIENCE_SECONDS)
    assert document is not None
    assert (document["run"], document["status"]) == (run, "held")
    assert run_document(service.wiring.runs, run, service.wiring.in_progress()) == document


def test_whoever_waits_gets_the_whole_result(serve: Open) -> None:
    answer = serve().ask(f"{CRON_PATH}?wait=100")
    assert (answer.status_code, answer.json()["status"]) == (200, "held")
    assert "60 usable videos" in answer.json()["reason"]


def test_whoever_waits_too_short_is_told_that_it_goes_on(serve: Open) -> None:
    answer = serve().ask(f"{CRON_PATH}?wait=0.001")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")


def test_whoever_waits_keeps_no_thread(serve: Open) -> None:
    service = serve("many")

    async def asked() -> tuple[bool, Response]:
        transport = ASGITransport(service.app)
        async with AsyncClient(transport=transport, base_url="http://server", timeout=PATIENCE_SECONDS) as client:
            header = {"Authorization": f"Bearer {SECRET}".encode()}
            waiting = asyncio.create_task(client.post(CRON_PATH, params={"wait": "100"}, headers=header))
            while await service.readers.ask(service.wiring.in_progress) is None and not waiting.done():
                await asyncio.sleep(0.01)
            waits = not waiting.done()
            await service.changes.ask(service.retrainer.close, seconds=PATIENCE_SECONDS)
            return waits, await waiting

    waits, answer = asyncio.run(asked())
    assert waits
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")


def test_a_second_caller_is_told_which_run_goes_on_also_by_another_server(serve: Open) -> None:
    first, other = serve("many"), serve("many")
    run = first.ask().json()["run"]
    for service in (first, other):
        answer = service.ask()
        assert (answer.status_code, answer.json()["run"]) == (409, run)
        assert f"A retrain is running already: {run}" in answer.json()["detail"]
        assert "process" not in answer.json()["detail"]
        told = run_document(service.wiring.runs, run, service.wiring.in_progress())
        assert (told["run"], told["status"], told["runs"]) == (run, "running", [])
    document = first.retrainer.result(run, PATIENCE_SECONDS)
    assert document is not None
    assert document["status"] == "promoted", document["reason"]
    assert other.retrainer.result(run, 0) == document


def test_several_moments_are_one_retrain_whose_id_finds_them_all(serve: Open) -> None:
    service = serve(TIERCAST_RETRAIN__MOMENTS='["draft", "observed"]')
    run = service.retrainer.start("cron")
    document = service.retrainer.result(run, PATIENCE_SECONDS)
    assert document is not None
    assert [each["run"] for each in document["runs"]] == [f"{run}-draft", f"{run}-observed"]
    assert run_document(service.wiring.runs, run, None) == document
    assert tiercast("runs", run, "--json", home=service.wiring.settings.home).document == document
    one = tiercast("runs", f"{run}-draft", "--json", home=service.wiring.settings.home).document
    assert one == document["runs"][0]


def test_an_unknown_run_is_missing(serve: Open) -> None:
    service = serve()
    assert service.retrainer.result("20200101T000000-abcdef", 0) is None
    with pytest.raises(Missing):
        run_document(service.wiring.runs, "20200101T000000-abcdef", None)


def test_a_child_is_nicer_than_its_server_and_its_command_line_holds_no_token(serve: Open) -> None:
    service = serve("many")
    service.retrainer.start("cron")
    process = service.adopted()
    assert os.getpriority(os.PRIO_PROCESS, process) >= os.getpriority(os.PRIO_PROCESS, 0) + 10
    with service.wiring.engine.connect() as connection:
        token = connection.exec_driver_sql("SELECT token FROM leases").scalar_one()
    assert token.encode() not in Path(f"/proc/{process}/cmdline").read_bytes()


# -- how it ends


@pytest.fixture
def hook() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def told_of(service: Service, run: str) -> Any:
    document = service.retrainer.result(run, PATIENCE_SECONDS)
    assert document is not None
    assert service.wiring.in_progress() is None
    assert run_document(service.wiring.runs, run, None) == document
    return document


def test_a_child_that_is_killed_is_recorded_as_failed_and_somebody_hears_of_it(serve: Open, hook: Listener) -> None:
    service = serve("many", TIERCAST_NOTIFY__WEBHOOK_URL=hook.url)
    run = service.retrainer.start("cron")
    os.kill(service.adopted(), signal.SIGKILL)
    document = told_of(service, run)
    assert (document["run"], document["status"]) == (run, "failed")
    assert "ended by SIGKILL (out of memory, or somebody ended it)" in document["reason"]
    notice = hook.heard.get(timeout=PATIENCE_SECONDS)
    assert (notice["run"], notice["status"]) == (run, "failed")
    assert service.ask(f"{CRON_PATH}?wait=100").json()["status"] == "promoted"


def test_a_child_that_cannot_begin_is_recorded_with_its_own_sentence(
    serve: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve()
    monkeypatch.setenv("TIERCAST_RETRAIN__SEED", "none")
    run = service.retrainer.start("cron")
    document = told_of(service, run)
    assert document["status"] == "failed"
    assert "The setting retrain.seed is 'none'" in document["reason"]


def test_a_child_that_takes_too_long_ends_itself_as_failed(serve: Open) -> None:
    service = serve("many", TIERCAST_RETRAIN__MAX_SECONDS="1")
    run = service.retrainer.start("cron")
    process, ends = service.adopted(), time.monotonic() + 1.1
    os.kill(process, signal.SIGSTOP)
    until(lambda: True if time.monotonic() > ends else None)
    os.kill(process, signal.SIGCONT)
    document = told_of(service, run)
    assert document["status"] == "failed"
    assert "longer than retrain.max_seconds allows (1 s)" in document["reason"]


def test_a_frozen_child_is_killed_after_its_time_and_recorded(serve: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining, "GRACE_SECONDS", 1)
    service = serve("many", TIERCAST_RETRAIN__MAX_SECONDS="15")
    run = service.retrainer.start("cron")
    os.kill(service.adopted(), signal.SIGSTOP)
    document = told_of(service, run)
    assert (document["run"], document["status"]) == (run, "failed")
    assert "so its process was ended" in document["reason"]


def test_a_server_that_stops_ends_its_retrain_and_gives_the_lease_back(serve: Open) -> None:
    service = serve("many")
    run = service.retrainer.start("cron")
    service.adopted()
    service.retrainer.close()
    document = told_of(service, run)
    assert document["status"] == "failed"
    assert "Interrupted before its end" in document["reason"]
    with pytest.raises(Unavailable, match="This server is stopping"):
        service.retrainer.start("cron")
    assert service.ask().status_code == 503


def test_a_server_that_stops_at_once_has_a_run_recorded_too(serve: Open) -> None:
    service = serve("many")
    run = service.retrainer.start("cron")
    service.retrainer.close()
    document = told_of(service, run)
    assert document["status"] == "failed"
    assert re.search("The server was stopped|Interrupted", document["reason"])
    assert re.search("None of its moments had begun|Which moments it would have trained", document["reason"])


@pytest.fixture
def forecasting(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service whose retrains take on all three moments."""
    for variable, value in environment(TIERCAST_RETRAIN__MOMENTS="auto").items():
        monkeypatch.setenv(variable, value)
    wiring = Wiring(read_settings(home))
    service = Service(wiring, Retrainer(wiring))
    yield service
    service.retrainer.close()
    wiring.engine.dispose()


def begun(service: Service, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """A retrain that has told which moments it takes on, and its process."""
    run = service.retrainer.start("cron")
    until(lambda: True if CHOSEN in capsys.readouterr().err else None)
    return run, service.adopted()


def test_the_moment_that_went_on_is_the_one_recorded_of_a_child_that_was_killed(
    forecasting: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    run, process = begun(forecasting, capsys)
    os.kill(process, signal.SIGKILL)
    document = told_of(forecasting, run)
    assert (document["run"], document["moment"], document["status"]) == (f"{run}-draft", "draft", "failed")


def test_a_server_that_stops_has_every_moment_that_did_not_end_recorded(
    forecasting: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = begun(forecasting, capsys)
    forecasting.retrainer.close()
    runs = told_of(forecasting, run)["runs"]
    assert [(each["moment"], each["status"]) for each in runs] == [(each.value, "failed") for each in Moment]


STARTER = """
import os, signal, sys
from pathlib import Path
from tiercast.serving.retraining import Retrainer
from tiercast.render.logs import log_to_stderr
from tiercast.settings import read_settings
from tiercast.wiring import Wiring
log_to_stderr(debug=False)
print(Retrainer(Wiring(read_settings(Path(sys.argv[1])))).start("cron"), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("when", ["at once", "once the retrain renews the lease"])
def test_a_retrain_outlives_a_server_that_is_killed_and_keeps_the_lease(serve: Open, when: str) -> None:
    service = serve("many")
    command = [sys.executable, "-c", STARTER, str(service.wiring.settings.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        run = server.stdout.readline().decode().strip()
        if when != "at once":
            until(lambda: None if f"process {server.pid} " in service.wiring.in_progress().holder else True)  # type: ignore[union-attr]
        server.kill()
    with pytest.raises(Busy):
        service.retrainer.start("cron")
    (record,) = until(lambda: service.wiring.runs.of(run) or None)
    assert (record.run, record.status) == (run, "promoted")
    assert until(lambda: True if service.wiring.in_progress() is None else None)


def test_who_asked_to_hear_of_ends_does(serve: Open) -> None:
    service, heard = serve(), []  # type: ignore[var-annotated]
    telling = Retrainer(service.wiring, on_end=heard.append)
    with structlog.testing.capture_logs() as logs:
        run = telling.start("schedule")
        until(lambda: heard or None)
    assert [document["run"] for document in heard] == [run]
    assert {"run": run, "source": "schedule"}.items() <= logs[0].items()
