"""A full disk and a store that errs, hangs or loses answers, at every write: who won knows it, who lost says why."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from model_store.proxies import Fault, Proxy, running
from model_store.samples import release_of
from model_store.survival import INJECTED, Bed, published
from tiercast.adapters import objects as adapter
from tiercast.adapters.objects import FolderObjects, open_objects
from tiercast.adapters.promotion_logs import SqlLog
from tiercast.core.errors import Unavailable
from tiercast.ports.models import ObjectStore

OLD, NEW = 1, 2
WRITES = {"probe": 1, "labels.json": 2, "model.json": 3, "manifest.json": 4, "promotion": 5}
"""The keys that a run writes, by number; the probe's twice."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits half a second for an answer, and hardly between its tries."""
    short = timedelta(milliseconds=500)
    monkeypatch.setattr(adapter, "_CLIENT", adapter._CLIENT | {"read_timeout": short, "timeout": short})
    backoff = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2}
    monkeypatch.setattr(adapter, "_RETRY", adapter._RETRY | {"backoff": backoff})


FAULTS = {
    "answers 500": Fault(0, status=500),
    "closes the connection": Fault(0),
    "accepts and hangs": Fault(0, hangs=True),
    "writes and answers 503": Fault(0, status=503, performs=True),
    "writes and closes the connection": Fault(0, performs=True),
    "writes and hangs": Fault(0, performs=True, hangs=True),
}
"""Each meets every attempt of one write."""


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_bucket_that_fails_at_any_write(
    s3_bucket: str, s3_endpoint: str, impatient: None, monkeypatch: pytest.MonkeyPatch, kind: str, write: str
) -> None:
    """Where the write was performed the run wins and knows it, but for the probe, which nothing depends on yet."""
    url, fault = f"s3://{s3_bucket}/{uuid.uuid4().hex}", replace(FAULTS[kind], at=WRITES[write])
    bed = Bed(open_objects(url))
    assert bed.publish(OLD).won
    with running(Proxy(s3_endpoint, fault=fault)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        if fault.performs and write != "probe":
            race = published(open_objects(url), NEW)
            assert (race.won, race.entry.number) == (True, 2)
        else:
            with pytest.raises(Unavailable, match=s3_bucket) as caught:
                published(open_objects(url), NEW)
            assert ("outcome of promotion 2" in str(caught.value)) == (write == "promotion")
    INJECTED[f"a bucket that {kind}"] += 1
    assert proxy.faults > 0
    assert bed.assert_sound(OLD, NEW) == (fault.performs and write != "probe")
    bed.assert_next_run_succeeds(OLD, NEW)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", ["answers 500", "writes and answers 503", "writes and closes the connection"])
def test_a_bucket_that_fails_once_is_tried_again_and_the_run_wins(
    s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, kind: str, write: str
) -> None:
    """The client's own second try is refused where the first was performed, which is no lost race."""
    url = f"s3://{s3_bucket}/{uuid.uuid4().hex}"
    bed = Bed(open_objects(url))
    assert bed.publish(OLD).won
    with running(Proxy(s3_endpoint, fault=replace(FAULTS[kind], at=WRITES[write], times=1))) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        race = published(open_objects(url), NEW)
    INJECTED[f"a bucket that once {kind}"] += 1
    assert (proxy.faults, race.won, race.entry.number) == (1, True, 2)
    assert bed.assert_sound(OLD, NEW)


class FullDisk:
    """A folder on a disk that is full from the n-th write on."""

    def __init__(self, disk: Path, at: int) -> None:
        self._inner = FolderObjects(disk / "models")
        self._filler, self._left = disk / "filler", at

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._left -= 1
        if self._left == 0:
            fill(self._filler)
        return self._inner.put_if_absent(key, content)

    def get(self, key: str) -> bytes:
        return self._inner.get(key)

    def list(self, prefix: str) -> list[str]:
        return self._inner.list(prefix)

    def delete(self, key: str) -> None:
        self._inner.delete(key)


def fill(path: Path) -> None:
    """Take every block of a disk."""
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue


@pytest.mark.parametrize(("old", "writes"), [(None, 8), (OLD, 6)], ids=["the first release", "the next release"])
def test_a_disk_that_is_full_at_any_write(small_disk: Path, old: int | None, writes: int) -> None:
    for at in range(1, writes + 1):
        disk = small_disk / str(at)
        disk.mkdir()
        bed = Bed(FolderObjects(disk / "models"))
        if old is not None:
            assert bed.publish(old).won
        with pytest.raises(Unavailable, match="the disk is full"):
            published(FullDisk(disk, at), NEW)
        INJECTED["a full disk"] += 1
        assert not bed.assert_sound(old, NEW)
        assert [path for path in disk.rglob("*") if "#" in path.name] == []
        (disk / "filler").unlink()
        bed.assert_next_run_succeeds(old, NEW)
        shutil.rmtree(disk)


@pytest.fixture
def deaf(s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield open_objects(f"s3://{s3_bucket}")


Commit = Callable[..., Any]


def losing(commit: Commit, *, times: int, performs: bool) -> Commit:
    """A commit whose connection breaks, before it or before its answer, the first times."""
    left = times

    def broken(raw: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            commit(raw)
            return
        if performs:
            commit(raw)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    return broken


@pytest.mark.parametrize("performs", [False, True], ids=["not performed", "performed"])
@pytest.mark.parametrize("times", [1, 9], ids=["once", "always"])
def test_a_database_that_breaks_at_the_commit_of_an_entry(
    deaf: ObjectStore, log_engine: Engine, monkeypatch: pytest.MonkeyPatch, times: int, performs: bool
) -> None:
    bed = Bed(deaf, SqlLog(log_engine))
    assert bed.publish(OLD).won
    with monkeypatch.context() as patch:
        commit = losing(log_engine.dialect.do_commit, times=times, performs=performs)
        patch.setattr(log_engine.dialect, "do_commit", commit)
        if performs or times == 1:
            race = bed.publish(NEW)
            assert (race.won, race.entry.number) == (True, 2)
        else:
            with pytest.raises(Unavailable, match=r"outcome of promotion 2.*server closed the connection"):
                bed.publish(NEW)
    INJECTED["Postgres breaks at the commit"] += 1
    assert bed.assert_sound(OLD, NEW) == (performs or times == 1)
    bed.assert_next_run_succeeds(OLD, NEW)


def test_the_numbers_of_writes_are_those_that_a_run_makes(tmp_path: Path) -> None:
    keys: list[str] = []

    class Noting(FolderObjects):
        def put_if_absent(self, key: str, content: bytes) -> bool:
            keys.append(key)
            return super().put_if_absent(key, content)

    assert published(Noting(tmp_path), OLD).won
    keys.clear()
    assert published(Noting(tmp_path), NEW).won
    order = list(dict.fromkeys(keys))
    folder = f"observed/releases/{release_of(NEW).id}"
    assert order == [
        "probe.json", f"{folder}/labels.json", f"{folder}/model.json", f"{folder}/manifest.json",
        "observed/promotions/00000002.json",
    ]  # fmt: skip
