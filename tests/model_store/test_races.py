"""Eight promoters at once: one entry a number, losers judge again, and no worse model ends up champion."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from model_store.proxies import Proxy, running
from model_store.publisher import Job, Publishers
from model_store.samples import OBSERVED
from model_store.survival import INJECTED, Bed
from tiercast.adapters.log_choice import choose_log, recorded_log
from tiercast.adapters.objects import open_objects
from tiercast.adapters.promotion_logs import SqlLog
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.release import Promotion
from tiercast.flows.model_store import load_release
from tiercast.flows.promotion_history import history
from tiercast.ports.models import ObjectStore

RIVALS = 8


@pytest.fixture(scope="module")
def publishers() -> Iterator[Publishers]:
    server = Publishers()
    yield server
    server.close()


def quality(bed: Bed, promotion: Promotion) -> int:
    return int(load_release(bed.objects, OBSERVED, promotion.release).manifest.settings["seed"])


def assert_fair(bed: Bed, publishers: Publishers, job: Job, *, rounds: int) -> None:
    """Promoters of growing quality start at one instant, in processes of their own; each round starts afresh."""
    for number in range(rounds):
        first = 1 + number * RIVALS
        end = publishers.run(Job(job.url, first, database=job.database, rivals=RIVALS))
        INJECTED["eight promoters at once"] += 1
        assert end.statuses == [0] * RIVALS
        log = recorded_log(bed.objects, bed.sql_log, "db-1" if bed.sql_log else None)
        assert log is not None
        entries = history(log, OBSERVED)
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        promotions = [entry.promotion for entry in entries if entry.promotion]
        qualities = [quality(bed, promotion) for promotion in promotions]
        assert len(promotions) == len(entries)
        assert qualities == sorted(set(qualities))
        assert qualities[-1] == first + RIVALS - 1
        assert [each.previous for each in promotions] == [None, *(each.release for each in promotions[:-1])]
        won = {said["number"]: said["seed"] for said in end.said if said["number"]}
        assert won == {each.number: quality(bed, each) for each in promotions[len(promotions) - len(won) :]}
        # All judged beside the same champion first: whoever was not the first to promote has judged again.
        again = sorted(said["judged"] - 1 for said in end.said)
        assert again[0] == 0
        assert again[1] > 0
        INJECTED["lost races, judged again"] += sum(again)
        assert bed.assert_sound(None, first + RIVALS - 1)


def test_eight_promoters_on_a_folder(publishers: Publishers, tmp_path_factory: pytest.TempPathFactory) -> None:
    url = (tmp_path_factory.mktemp("race") / "models").as_uri()
    assert_fair(Bed(open_objects(url)), publishers, Job(url, 0), rounds=3)


def test_eight_promoters_on_a_bucket(publishers: Publishers, s3_bucket: str) -> None:
    url = f"s3://{s3_bucket}/{uuid.uuid4().hex}"
    assert_fair(Bed(open_objects(url)), publishers, Job(url, 0), rounds=2)


def test_eight_promoters_with_the_log_in_postgres(
    publishers: Publishers,
    s3_bucket: str,
    s3_endpoint: str,
    log_url: str,
    log_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as deaf:
        monkeypatch.setenv("AWS_ENDPOINT_URL", deaf.address)
        url = f"s3://{s3_bucket}/models"
        bed = Bed(open_objects(url), SqlLog(log_engine))
        assert_fair(bed, publishers, Job(url, 0, database=log_url), rounds=2)


@pytest.fixture
def deaf(s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The bucket through a proxy that drops the condition of a write, as Supabase Storage does."""
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield open_objects(f"s3://{s3_bucket}")


class Paused:
    """A store whose n-th call waits until somebody else has made a choice from beginning to end."""

    def __init__(self, inner: ObjectStore, at: int, meanwhile: Callable[[], object]) -> None:
        self._inner, self._left, self._meanwhile = inner, at, meanwhile

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._step()
        return self._inner.put_if_absent(key, content)

    def get(self, key: str) -> bytes:
        self._step()
        return self._inner.get(key)

    def list(self, prefix: str) -> list[str]:
        self._step()
        return self._inner.list(prefix)

    def delete(self, key: str) -> None:
        self._step()
        self._inner.delete(key)


def chosen(objects: ObjectStore, sql_log: SqlLog, database: str) -> str | None:
    """The database whose log this promoter would write in; None where it refuses."""
    try:
        choose_log(objects, sql_log, database)
    except (InvalidInput, Unavailable):
        return None
    return database


@pytest.mark.parametrize("at", range(1, 17))
def test_a_first_promoter_that_is_overtaken_at_any_step_by_one_with_another_database_ends_in_the_same_log(
    deaf: ObjectStore, at: int, log_engine: Engine
) -> None:
    """On a store without put-if-absent, where the record itself can be written over."""
    log, others = SqlLog(log_engine), []
    slow = chosen(Paused(deaf, at, lambda: others.append(chosen(deaf, log, "db-2"))), log, "db-1")
    promote_in = {each for each in (slow, *others) if each}
    assert len(promote_in) <= 1
    INJECTED["first promoters with different logs"] += len(others)
    # Whoever comes next finds one log, whichever it is, and the other one is refused for good.
    settled = [chosen(deaf, log, database) for database in ("db-1", "db-2")]
    assert sum(each is not None for each in settled) == 1
    assert promote_in <= set(settled)
    assert deaf.list("promotion-log-claims") == []


def test_two_first_promoters_at_once_with_different_databases_never_both_go_on(
    deaf: ObjectStore, log_engine: Engine
) -> None:
    for attempt in range(10):
        together, folder = Barrier(2), f"{attempt}"

        def choose(database: str, together: Barrier = together, folder: str = folder) -> str | None:
            together.wait()
            return chosen(Below(deaf, folder), SqlLog(log_engine), database)

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(choose, ("db-1", "db-2")))
        INJECTED["first promoters with different logs"] += 1
        assert None in answers


class Below:
    """A part of a store as a store of its own."""

    def __init__(self, inner: ObjectStore, folder: str) -> None:
        self._inner, self._folder = inner, folder

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._inner.put_if_absent(f"{self._folder}/{key}", content)

    def get(self, key: str) -> bytes:
        return self._inner.get(f"{self._folder}/{key}")

    def list(self, prefix: str) -> list[str]:
        return [key.removeprefix(f"{self._folder}/") for key in self._inner.list(f"{self._folder}/{prefix}")]

    def delete(self, key: str) -> None:
        self._inner.delete(f"{self._folder}/{key}")


def test_a_claim_that_a_dead_promoter_left_is_named_and_keeps_only_other_choices_out(
    deaf: ObjectStore, log_engine: Engine
) -> None:
    log = SqlLog(log_engine)
    looks_for_others = 8  # after the record, three moments' promotions, two probes and its own claim
    with pytest.raises(RuntimeError):
        choose_log(Paused(deaf, looks_for_others, fail), log, "db-1")
    (claim,) = deaf.list("promotion-log-claims")
    with pytest.raises(Unavailable, match=rf"another promotion log.*remove the object {claim}"):
        choose_log(deaf, log, "db-2")
    assert chosen(deaf, log, "db-1") == "db-1"
    assert deaf.list("promotion-log-claims") == [claim]  # it agrees with the record, and nobody looks at it again
    assert chosen(deaf, log, "db-2") is None


def fail() -> None:
    raise RuntimeError("the process dies here")
