"""What goes on beside requests, also while a database lets nobody write or its file is another one."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from http_service import PATIENCE_SECONDS, client_of, service_of, until
from starlette.testclient import TestClient

from cli.program import item
from tiercast.core.moments import Moment
from tiercast.flows.keys import add_key, revoke_key
from tiercast.http.app import create_app
from tiercast.http.service import Service
from tiercast.ports.models import PromotionLog
from tiercast.ports.runs import Slots
from tiercast.serving import asking
from tiercast.serving.asking import asked
from tiercast.serving.upkeep import MISSED, Upkeep
from tiercast.settings import read_settings
from tiercast.wiring import Wiring, now

MANY = 40
"""More than the threads of any pool that requests share."""


def test_a_look_that_does_not_come_back_is_told_after_several_were_missed() -> None:
    times = iter([0.0, 2.0 * MISSED, 2.0 * MISSED + 0.1, 20.0, 21.0])
    upkeep = Upkeep(2.0, clock=lambda: next(times))
    assert upkeep.silent_seconds() is None
    assert upkeep.silent_seconds() == 2.0 * MISSED + 0.1
    upkeep.looked()
    assert upkeep.silent_seconds() is None
    upkeep.close()


def test_a_service_that_looks_no_more_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upkeep = service_of(client).upkeep
    with monkeypatch.context() as later:
        later.setattr(upkeep, "_clock", lambda: upkeep._looked_at + 1_000)
        told = client.get("/readyz").json()
    assert told["status"] == "degraded"
    assert "Nothing outside was looked at for 1000 seconds" in told["shortcomings"]["upkeep"]
    service_of(client).look_around()
    assert "upkeep" not in client.get("/readyz").json()["shortcomings"]


def test_writers_that_wait_for_the_database_leave_room_for_readers(home: Path, client: TestClient) -> None:
    with closing(sqlite3.connect(home / "videos.db", isolation_level=None)) as other, ThreadPoolExecutor(MANY) as many:
        other.execute("BEGIN IMMEDIATE")
        posts = [many.submit(client.post, "/v1/videos", json=[item(str(number))]) for number in range(MANY)]
        until(lambda: service_of(client).writers.waiting >= MANY - 2 or None)
        read = client.get("/v1/runs")
        service_of(client).look_around()
        other.execute("ROLLBACK")
        assert read.status_code == 200
        assert {post.result().status_code for post in posts} == {200}


def test_a_service_starts_also_where_the_database_does_not_tell_of_earlier_slots(home: Path) -> None:
    released, waited = threading.Event(), []

    class Frozen(Wiring):
        @property
        def slots(self) -> Slots:
            waited.append(released.wait(PATIENCE_SECONDS))
            return super().slots

    with TestClient(create_app(Frozen(read_settings(home))), base_url="http://localhost") as client:
        assert (client.get("/healthz").status_code, waited) == (200, [])
        released.set()
        until(lambda: waited or None)


@pytest.mark.parametrize("silent", ["keys", "runs"])
def test_a_look_comes_back_where_the_database_falls_silent_in_its_midst(
    home: Path, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 2)
    released, hanging = threading.Event(), list[str]()

    def hang() -> Any:
        hanging.append(silent)
        return released.wait()

    class Frozen(Wiring):
        @property
        def keys(self) -> Any:
            return hang() if silent == "keys" else super().keys

        @property
        def runs(self) -> Any:
            return hang() if silent == "runs" else super().runs

    service = Service.of(Frozen(read_settings(home)))
    looked: list[bool] = []
    monkeypatch.setattr(service.upkeep, "looked", lambda: looked.append(True))
    try:
        for _ in range(3):
            asked(service.look_around).result(20)
        assert len(looked) == (0 if silent == "keys" else 3), "keys that cannot be read make no whole look"
        assert hanging == [silent], "what hangs is not asked again"
    finally:
        released.set()
    assert set(service.champions.current()) == set(Moment)


def with_key(home: Path, path: Path) -> str:
    """A copy of the home's database with a key of its own, at this path."""
    with closing(sqlite3.connect(home / "videos.db")) as one, closing(sqlite3.connect(path)) as other:
        one.backup(other)
    wiring = Wiring(read_settings(home).model_copy(update={"database_url": f"sqlite:///{path}"}))
    key = add_key(wiring.keys, "ops", now=now()).key
    wiring.close()
    return key


def test_a_revoked_key_ends_before_the_model_store_is_asked(home: Path) -> None:
    opened: list[bool] = []

    class Watched(Wiring):
        def read_log(self) -> PromotionLog | None:
            opened.append(service.keys.name_of(key) is not None)
            return super().read_log()

    service = Service.of(Watched(read_settings(home)))
    key = add_key(service.wiring.keys, "ops", now=now()).key
    service.look_around()
    revoke_key(service.wiring.keys, "ops", now=now())
    service.look_around()
    service.wiring.close()
    assert opened == [True, False]


def move(home: Path, folder: Path) -> None:
    """The database away from under who uses it, its journal included."""
    folder.mkdir()
    for each in home.glob("videos.db*"):
        each.rename(folder / each.name)


def test_a_database_that_was_restored_under_the_service_is_the_one_it_uses(home: Path, tmp_path: Path) -> None:
    key = with_key(home, tmp_path / "restored.db")
    with client_of(home) as client:
        service_of(client).look_around()
        assert client.get("/v1/runs").status_code == 200
        move(home, tmp_path / "before")
        shutil.move(tmp_path / "restored.db", home / "videos.db")
        service_of(client).look_around()
        assert client.get("/v1/runs").status_code == 401
        assert client.get("/v1/runs", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_database_that_is_gone_is_missed_and_not_made_anew(home: Path, tmp_path: Path) -> None:
    with client_of(home) as client:
        assert client.get("/v1/runs").status_code == 200
        move(home, tmp_path / "before")
        service_of(client).look_around()
        told = client.get("/readyz").json()
        assert client.post("/v1/videos", json=[item("1")]).status_code == 503
        assert not (home / "videos.db").exists()
        for each in (tmp_path / "before").iterdir():
            each.rename(home / each.name)
        service_of(client).look_around()
        back = client.get("/readyz").json()
    assert (told["status"], "video_store" in told["shortcomings"]) == ("degraded", True)
    assert back["status"] == "ready"
