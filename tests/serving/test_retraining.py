"""What a Retrainer does while its database is slow, or fails in the wrong moment."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tiercast.core.errors import Unavailable
from tiercast.serving.retraining import Retrainer, _Job
from tiercast.settings import read_settings
from tiercast.wiring import Wiring, now


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    found = Wiring(read_settings(tmp_path))
    yield found
    found.close()


def test_a_server_that_stops_does_not_wait_for_a_lease_and_gives_it_back(wiring: Wiring, tmp_path: Path) -> None:
    retrainer, asks = Retrainer(wiring), threading.Event()
    event.listen(wiring.engine, "begin", lambda _: asks.set(), insert=True)
    with closing(sqlite3.connect(tmp_path / "videos.db", isolation_level=None)) as other, ThreadPoolExecutor(1) as one:
        other.execute("BEGIN IMMEDIATE")
        started = one.submit(retrainer.start, "cron")
        assert asks.wait(60)
        retrainer.close()
        other.execute("ROLLBACK")
        with pytest.raises(Unavailable, match="This server is stopping"):
            started.result(60)
    assert wiring.in_progress() is None


class Broken:
    """A lease that fails when it is given back."""

    def __exit__(self, *_: object) -> None:
        raise RuntimeError("nobody foresaw this")


class Ended:
    """A child that has ended with an answer."""

    def wait(self, _seconds: float) -> int:
        return 0

    def document(self) -> dict[str, str]:
        return {"run": "r", "status": "held"}


def test_a_retrain_has_ended_also_where_its_lease_cannot_be_given_back(wiring: Wiring) -> None:
    retrainer = Retrainer(wiring)
    broken: Any = Broken()
    ended: Any = Ended()
    job = retrainer._jobs["r"] = _Job("r", now(), broken, ended)
    assert retrainer.goes_on("r")
    with pytest.raises(RuntimeError, match="nobody foresaw this"):
        retrainer._supervise(job)
    assert not retrainer.goes_on("r")
    assert retrainer.result("r", 0) == {"run": "r", "status": "held"}
