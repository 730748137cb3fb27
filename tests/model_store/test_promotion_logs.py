"""One contract for every promotion log, and the choice between them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import create_engine

from model_store.conftest import Place
from model_store.proxies import Proxy, running
from model_store.samples import OBSERVED, entry_of, publish, release_of
from tiercast.adapters.log_choice import RECORD_KEY, choose_log, probe, recorded_log
from tiercast.adapters.objects import open_objects
from tiercast.adapters.promotion_logs import SqlLog
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.flows.model_store import ModelStore, champion, history, promote, standing
from tiercast.ports.models import ObjectStore


def test_an_entry_reads_back_and_its_number_is_taken(store: ModelStore) -> None:
    assert store.log.append(OBSERVED, 1, b"first") is True
    assert store.log.append(OBSERVED, 1, b"second") is False
    assert store.log.read(OBSERVED, 1) == b"first"


def test_numbers_ascend_beyond_the_padding(store: ModelStore) -> None:
    assert store.log.numbers(OBSERVED) == []
    for number in (100_000_000, 2, 99_999_999, 10):
        store.log.append(OBSERVED, number, b"{}")
    assert store.log.numbers(OBSERVED) == [2, 10, 99_999_999, 100_000_000]


def test_an_entry_that_is_not_there_is_missing(store: ModelStore) -> None:
    with pytest.raises(Missing):
        store.log.read(OBSERVED, 7)


def test_eight_promoters_at_once_get_one_entry_a_number(store: ModelStore) -> None:
    start = Barrier(8)

    def promote_until_won(who: int) -> tuple[int, list[str]]:
        start.wait()
        lost_to: list[str] = []
        while True:
            number = standing(store.objects, store.log, OBSERVED).last_number + 1
            race = promote(store, entry_of(release_of(who), number=number, token=f"token-{who}"))
            if race.won:
                return number, lost_to
            lost_to.append(race.entry.token)

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(promote_until_won, range(8)))
    assert sorted(number for number, _ in ends) == list(range(1, 9))
    entries = {entry.number: entry.promotion for entry in history(store.log, OBSERVED)}
    assert {number: f"token-{who}" for who, (number, _) in enumerate(ends)} == {
        number: promotion.token for number, promotion in entries.items() if promotion
    }
    assert all(f"token-{who}" not in lost_to for who, (_, lost_to) in enumerate(ends))


def test_a_database_that_is_gone_is_unavailable_in_one_line() -> None:
    log = SqlLog(create_engine("postgresql://ana:secret@127.0.0.1:1/nothing"))
    for call in (lambda: log.append(OBSERVED, 1, b""), lambda: log.numbers(OBSERVED), lambda: log.read(OBSERVED, 1)):
        with pytest.raises(Unavailable, match=r"(?i)refused.*database_url") as caught:
            call()
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_database_without_the_table_is_unavailable(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with pytest.raises(Unavailable, match="promotions"):
        SqlLog(engine).numbers(OBSERVED)
    engine.dispose()


def test_a_store_with_promotions_but_without_the_record_of_their_log_is_no_new_store(place: Place) -> None:
    log = choose_log(place.objects, None, None)
    publish(ModelStore(place.objects, log), 1)
    lost = _WithoutRecord(place.objects)
    for ask in (recorded_log, choose_log):
        with pytest.raises(InvalidInput, match=r'promotion-log\.json is missing.*1 promotions.*\{"log":"objects"\}'):
            ask(lost, None, None)


@dataclass
class _WithoutRecord:
    """A store from which somebody has removed the record."""

    inner: ObjectStore
    address: str = "a store"

    def get(self, key: str) -> bytes:
        if key == RECORD_KEY:
            raise Missing(key)
        return self.inner.get(key)

    def list(self, prefix: str) -> list[str]:
        return self.inner.list(prefix)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self.inner.put_if_absent(key, content)

    def delete(self, key: str) -> None:
        self.inner.delete(key)


@pytest.fixture
def deaf(s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The bucket through a proxy that drops the condition of a write, as Supabase Storage does."""
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield open_objects(f"s3://{s3_bucket}/team/models")


@pytest.fixture
def direct(s3_bucket: str) -> ObjectStore:
    """The same bucket without a proxy; ask for it before ``deaf``."""
    return open_objects(f"s3://{s3_bucket}/team/models")


def test_a_store_that_refuses_second_writes_is_safe_however_often_it_is_asked(objects: ObjectStore) -> None:
    assert [probe(objects), probe(objects)] == [True, True]
    assert objects.get("probe.json")


def test_a_store_that_ignores_the_condition_is_unsafe(deaf: ObjectStore) -> None:
    assert [probe(deaf), probe(deaf)] == [False, False]


def test_the_first_promoter_records_objects_and_readers_follow(objects: ObjectStore, sql_log: SqlLog) -> None:
    assert recorded_log(objects, None, None) is None
    assert choose_log(objects, sql_log, "db-1").name == "objects"
    assert objects.get("promotion-log.json") == b'{"log":"objects"}'
    found = recorded_log(objects, None, None)
    assert found is not None
    assert found.name == "objects"


def test_without_put_if_absent_the_log_is_in_postgres_and_promoting_works(deaf: ObjectStore, sql_log: SqlLog) -> None:
    store = ModelStore(deaf, choose_log(deaf, sql_log, "db-1"))
    assert store.log.name == "postgres"
    assert deaf.get("promotion-log.json") == b'{"database":"db-1","log":"postgres"}'
    release = publish(store, 1)
    now = champion(deaf, recorded_log(deaf, sql_log, "db-1"), OBSERVED)
    assert now is not None
    assert now.release.id == release.id
    assert choose_log(deaf, sql_log, "db-1").name == "postgres"


def test_without_put_if_absent_and_postgres_it_refuses_with_both_remedies(deaf: ObjectStore) -> None:
    with pytest.raises(Unavailable, match=r"does not honour put-if-absent.*use a store with.*database_url"):
        choose_log(deaf, None, None)
    with pytest.raises(Missing):
        deaf.get("promotion-log.json")


@pytest.mark.parametrize("choose", [choose_log, recorded_log])
def test_a_machine_with_another_database_refuses_naming_both(
    deaf: ObjectStore, sql_log: SqlLog, choose: Callable[..., object]
) -> None:
    choose_log(deaf, sql_log, "db-1")
    with pytest.raises(InvalidInput, match=r"db-1.*configured for rows in Postgres database db-2"):
        choose(deaf, sql_log, "db-2")
    with pytest.raises(InvalidInput, match=r"db-1.*configured for no Postgres"):
        choose(deaf, None, None)


def test_a_machine_that_reaches_the_store_through_a_deaf_proxy_refuses(
    direct: ObjectStore, deaf: ObjectStore, sql_log: SqlLog
) -> None:
    assert choose_log(direct, None, None).name == "objects"
    with pytest.raises(InvalidInput, match=r"as objects in the store.*rows in Postgres database db-1 would be used"):
        choose_log(deaf, sql_log, "db-1")
    assert direct.get("promotion-log.json") == b'{"log":"objects"}'


def test_a_store_that_learns_put_if_absent_keeps_its_recorded_log(
    direct: ObjectStore, deaf: ObjectStore, sql_log: SqlLog
) -> None:
    choose_log(deaf, sql_log, "db-1")
    assert choose_log(direct, sql_log, "db-1").name == "postgres"
    with pytest.raises(InvalidInput, match="db-1"):
        choose_log(direct, None, None)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"log":"paper"}', b'{"log":"postgres"}', b'{"log":"objects","x":1}', b"\xff"]
)
def test_a_record_that_cannot_be_read_stops_promoters_and_readers(tmp_path: Path, content: bytes) -> None:
    objects = open_objects(tmp_path.as_uri())
    objects.put_if_absent("promotion-log.json", content)
    for choose in (choose_log, recorded_log):
        with pytest.raises(InvalidInput, match="names no promotion log"):
            choose(objects, None, None)


@pytest.mark.parametrize("lost", [1, 4])
def test_a_winner_whose_answer_was_lost_knows_that_it_won(
    s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    # The client tries four times by itself: one loss comes back as "already exists", four as a fault.
    with running(Proxy(s3_endpoint, lose=lost, lose_below="/promotions/")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        objects = open_objects(f"s3://{s3_bucket}")
        store = ModelStore(objects, choose_log(objects, None, None))
        publish(store, 1)
        assert proxy.writes > 1
        tokens = [entry.promotion.token for entry in history(store.log, OBSERVED) if entry.promotion]
    assert tokens == ["token-1"]


def test_a_loser_whose_answer_was_lost_learns_who_won(
    s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects(f"s3://{s3_bucket}")
    publish(ModelStore(objects, choose_log(objects, None, None)), 1)
    with running(Proxy(s3_endpoint, lose=4, lose_below="/promotions/")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        behind = open_objects(f"s3://{s3_bucket}")
        store = ModelStore(behind, choose_log(behind, None, None))
        race = promote(store, entry_of(release_of(2), number=1, token="late"))
    assert not race.won
    assert race.entry.token == "token-1"


def test_an_outcome_that_nobody_can_tell_is_said_to_be_unknown(store: ModelStore) -> None:
    store.log.append(OBSERVED, 1, b"damaged")
    with pytest.raises(Unavailable, match=r"outcome of promotion 1 .* unknown.*tiercast models"):
        promote(store, entry_of(release_of(1), number=1))
