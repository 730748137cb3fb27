"""A publisher that dies at any step of any write leaves the old champion, or the new one, and nothing between."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from model_store.proxies import Fault, Proxy, running
from model_store.publisher import Job, Publishers
from model_store.survival import INJECTED, Bed
from tiercast.adapters.objects import open_objects
from tiercast.adapters.promotion_logs import SqlLog, promotions

OLD, NEW = 1, 2
ENOUGH = 100
"""More steps than a publisher takes."""


@pytest.fixture(scope="module")
def publishers() -> Iterator[Publishers]:
    server = Publishers()
    yield server
    server.close()


@pytest.fixture(params=[None, OLD], ids=["the first release", "the next release"])
def old(request: pytest.FixtureRequest) -> int | None:
    return request.param  # type: ignore[no-any-return]


def prepared(bed: Bed, old: int | None) -> Bed:
    if old is not None:
        assert bed.publish(old).won
    return bed


def kill_until_it_ends(attempt: Callable[[int], bool], kind: str) -> int:
    """Kill a publisher at one step after another until it ends by itself; returns how many died."""
    for step in range(1, ENOUGH):
        if not attempt(step):
            return step - 1
        INJECTED[kind] += 1
    raise AssertionError("the publisher never ends")


@pytest.mark.parametrize(("how", "deaths"), [("die_at", (41, 25)), ("die_within", (8, 6))], ids=["step", "half"])
def test_killed_at_every_step_on_a_folder(
    publishers: Publishers, tmp_path: Path, old: int | None, how: str, deaths: tuple[int, int]
) -> None:
    """Before each write, within it, between it and each flush of file and folders, and after it."""

    def attempt(step: int) -> bool:
        url = (tmp_path / str(step)).as_uri()
        bed = prepared(Bed(open_objects(url)), old)
        end = publishers.run(Job(url, NEW, **{how: step}))
        assert end.killed or end.statuses == [0]
        bed.assert_next_run_succeeds(old, NEW)
        return end.killed

    assert kill_until_it_ends(attempt, f"SIGKILL on a folder, {how}") == deaths[old is not None]


@pytest.mark.parametrize("performs", [False, True], ids=["before", "after"])
def test_killed_at_every_write_to_a_bucket(
    publishers: Publishers, s3_bucket: str, s3_endpoint: str, old: int | None, performs: bool
) -> None:
    """When its request has arrived but was not carried out, and when it was but the answer is still under way."""

    def attempt(step: int) -> bool:
        url = f"s3://{s3_bucket}/{uuid.uuid4().hex}"
        bed = prepared(Bed(open_objects(url)), old)
        with running(Proxy(s3_endpoint)) as proxy:
            behind = {"AWS_ENDPOINT_URL": proxy.address}

            def aim(pid: int) -> None:
                kill = partial(os.kill, pid, signal.SIGKILL)
                proxy.fault = Fault(step, performs=performs, act=kill, requests=True)

            end = publishers.run(Job(url, NEW, environment=behind), aim)
        assert end.killed or end.statuses == [0]
        bed.assert_next_run_succeeds(old, NEW)
        return end.killed

    assert kill_until_it_ends(attempt, "SIGKILL on a bucket") == (8 if old is None else 6)


def test_killed_at_every_step_with_the_log_in_postgres(
    publishers: Publishers, s3_bucket: str, s3_endpoint: str, log_url: str, log_engine: Engine, old: int | None
) -> None:
    """Around each write to a bucket without put-if-absent, around the insert, before its commit and after it."""
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as deaf, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", deaf.address)

        def attempt(step: int) -> bool:
            with log_engine.begin() as connection:
                connection.execute(promotions.delete())
            url = f"s3://{s3_bucket}/{uuid.uuid4().hex}"
            bed = prepared(Bed(open_objects(url), SqlLog(log_engine)), old)
            end = publishers.run(Job(url, NEW, database=log_url, die_at=step))
            assert end.killed or end.statuses == [0]
            bed.assert_next_run_succeeds(old, NEW)
            return end.killed

        assert kill_until_it_ends(attempt, "SIGKILL with the log in Postgres") == (19 if old is None else 9)
