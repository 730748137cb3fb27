"""The command line on a bucket: honest, without put-if-absent, and missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Trained
from cli.program import LENIENT, OTHER, assert_failed, tiercast
from model_store.proxies import Proxy, running


@pytest.fixture
def on_s3(s3_bucket: str) -> dict[str, str]:
    return {"TIERCAST_MODEL_STORE_URL": f"s3://{s3_bucket}/team/models"}


@pytest.fixture
def unconditional(s3_endpoint: str, on_s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The same bucket behind a proxy that drops the condition of put-if-absent."""
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield on_s3


def test_the_whole_path_works_on_a_bucket(trained: Trained, on_s3: dict[str, str]) -> None:
    first = tiercast("retrain", "--json", home=trained.home, **on_s3)
    assert (first.code, first.document["champion_before"]) == (0, None), first.err
    other = tiercast("retrain", "--json", home=trained.home, **OTHER, **LENIENT, **on_s3)
    assert other.document["status"] == "promoted", other.err
    back = tiercast("rollback", "--reason", "as before", "--json", home=trained.home, **on_s3)
    assert back.document["release"] == first.document["candidate"] == trained.retrained.document["candidate"]
    (moment,) = tiercast("models", "--moment", "observed", "--json", home=trained.home, **on_s3).document["moments"]
    assert moment["champion"] == first.document["candidate"]
    assert [entry["number"] for entry in moment["promotions"]] == [1, 2, 3]
    predicted = tiercast("predict", trained.videos, "--json", home=trained.home, **on_s3)
    assert predicted.lines[0]["release"] == first.document["candidate"]
    doctor = tiercast("doctor", "--json", home=trained.home, **on_s3)
    assert doctor.document["ok"], doctor.out


def test_without_put_if_absent_and_postgres_nothing_is_promoted(
    trained: Trained, unconditional: dict[str, str]
) -> None:
    answer = tiercast("retrain", "--json", home=trained.home, **unconditional)
    assert_failed(answer, "put-if-absent", "use a store with put-if-absent", "database_url to a Postgres")
    assert (answer.document["status"], answer.document["champion_after"]) == ("failed", None)
    doctor = tiercast("doctor", "--json", home=trained.home, **unconditional)
    (part,) = [each for each in doctor.document["parts"] if each["name"] == "model store"]
    assert (doctor.code, part["ok"]) == (1, False)
    assert "put-if-absent" in part["detail"]
    assert "database_url" in part["detail"]
    assert tiercast("predict", trained.videos, home=trained.home, **unconditional).code == 1


def test_doctor_notices_where_a_store_in_use_no_longer_honours_put_if_absent(
    trained: Trained, on_s3: dict[str, str], s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiercast("retrain", home=trained.home, **on_s3).code == 0
    with running(Proxy(s3_endpoint, drop="If-None-Match")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        doctor = tiercast("doctor", "--json", home=trained.home, **on_s3)
    (part,) = [each for each in doctor.document["parts"] if each["name"] == "model store"]
    assert (doctor.code, part["ok"]) == (1, False)
    assert "does not honour put-if-absent" in part["detail"]


def test_credentials_in_the_stores_address_are_never_printed(trained: Trained) -> None:
    store = {"TIERCAST_MODEL_STORE_URL": "s3://ana:s3cret-word@bucket/models"}
    for command in (("doctor",), ("doctor", "--json"), ("models",), ("retrain", "--json")):
        answer = tiercast(*command, home=trained.home, **store)
        assert answer.code == 1
        assert "s3cret-word" not in answer.out + answer.err


def test_without_put_if_absent_the_promotion_log_goes_to_postgres(
    trained: Trained, unconditional: dict[str, str], postgres_url: str
) -> None:
    both = {**unconditional, "TIERCAST_DATABASE_URL": postgres_url}
    assert tiercast("ingest", trained.videos, home=trained.home, **both).code == 0
    answer = tiercast("retrain", "--json", home=trained.home, **both)
    assert (answer.code, answer.document["status"]) == (0, "promoted"), answer.err
    (moment,) = tiercast("models", "--moment", "observed", "--json", home=trained.home, **both).document["moments"]
    assert moment["champion"] == answer.document["candidate"]
    doctor = tiercast("doctor", "--json", home=trained.home, **both).document
    assert doctor["ok"]
    assert "Postgres" in next(part["detail"] for part in doctor["parts"] if part["name"] == "model store")
    elsewhere = tiercast("predict", trained.videos, home=trained.home, **unconditional)
    assert_failed(elsewhere, "Two logs would name two champions", "database_url")


def test_a_bucket_that_does_not_exist_is_named(trained: Trained, s3_bucket: str) -> None:
    store = {"TIERCAST_MODEL_STORE_URL": f"s3://{s3_bucket}-not/models"}
    words = (f"{s3_bucket}-not", "the bucket does not exist")
    retrained = tiercast("retrain", "--json", home=trained.home, **store)
    assert_failed(retrained, *words)
    assert retrained.document["status"] == "failed"
    assert_failed(tiercast("predict", trained.videos, home=trained.home, **store), *words)


def test_a_store_of_an_unknown_kind_is_refused(trained: Trained, tmp_path: Path) -> None:
    answer = tiercast("models", home=trained.home, TIERCAST_MODEL_STORE_URL="ftp://somewhere/models")
    assert_failed(answer, "ftp")
