"""A retrain that takes too long, that is frozen, and who hears of those that did not promote."""

import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from adapters.test_webhook import listening
from cli.conftest import Trained
from cli.program import LENIENT, OTHER, assert_failed, ended, rows, started, tiercast, write_rows
from cli.test_retrain import runs_of, wait_for_lease
from model_store.proxies import Fault, Proxy, running

NOTIFY = "TIERCAST_NOTIFY__WEBHOOK_URL"


def test_a_retrain_from_system_cron_ends_itself_after_its_time(trained: Trained) -> None:
    """Frozen as soon as it has its lease, and woken after its time, so that no machine is fast enough."""
    limit = {"TIERCAST_RETRAIN__MAX_SECONDS": "1"}
    with (
        listening() as listener,
        started("retrain", "--json", home=trained.home, **limit, **{NOTIFY: listener.url}) as process,
    ):
        wait_for_lease(trained.home / "videos.db")
        os.kill(process.pid, signal.SIGSTOP)
        late = tiercast("doctor", "--json", home=trained.home)  # takes longer than a second
        late = tiercast("doctor", "--json", home=trained.home)
        os.kill(process.pid, signal.SIGCONT)
        answer = ended(process)
        notice = listener.heard.get(timeout=60)
    assert late.code == 0
    assert_failed(answer, "longer than retrain.max_seconds allows (1 s)", "Raise retrain.max_seconds")
    assert answer.document["status"] == "failed"
    assert (notice["run"], notice["status"]) == (answer.document["run"], "failed")
    assert runs_of(trained.home) == ["failed", "promoted"]
    assert tiercast("retrain", "--json", home=trained.home, **LENIENT, **OTHER).code == 0


def test_several_moments_share_the_time_and_each_is_recorded(trained: Trained) -> None:
    settings = {"TIERCAST_RETRAIN__MAX_SECONDS": "1", "TIERCAST_RETRAIN__MOMENTS": '["draft", "observed"]'}
    with started("retrain", "--json", home=trained.home, **settings) as process:
        wait_for_lease(trained.home / "videos.db")
        os.kill(process.pid, signal.SIGSTOP)
        for _ in range(2):
            tiercast("doctor", "--json", home=trained.home)
        os.kill(process.pid, signal.SIGCONT)
        answer = ended(process)
    assert [run["status"] for run in answer.document["runs"]] == ["failed", "failed"]
    assert runs_of(trained.home) == ["failed", "failed", "promoted"]


@pytest.mark.parametrize("status", [200, 500])
def test_a_held_run_is_told_and_a_failing_webhook_changes_nothing(home: Path, tmp_path: Path, status: int) -> None:
    assert tiercast("ingest", write_rows(tmp_path / "few.jsonl", rows(60)), home=home).code == 0
    with listening(status) as listener:
        answer = tiercast("retrain", "--json", home=home, **{NOTIFY: listener.url})
        notice = listener.heard.get_nowait()
        dry = tiercast("retrain", "--json", "--dry-run", home=home, **{NOTIFY: listener.url})
        assert listener.heard.qsize() == (0 if status == 200 else 1)
    assert (answer.code, dry.code) == (3, 3)
    assert {name: notice[name] for name in ("run", "status", "reason")} == {
        name: answer.document[name] for name in ("run", "status", "reason")
    }
    assert [finding["code"] for finding in notice["findings"]] == ["D101"]
    assert ("did not arrive" in answer.err) is (status == 500)
    assert "secret-part" not in answer.err
    assert runs_of(home) == ["held"]


def test_a_promotion_is_not_told(trained: Trained) -> None:
    with listening() as listener:
        assert tiercast("retrain", "--json", home=trained.home, **LENIENT, **OTHER, **{NOTIFY: listener.url}).code == 0
        assert listener.heard.empty()


def test_a_frozen_retrain_that_lost_its_lease_overwrites_nobody_and_judges_again(
    trained: Trained, tmp_path: Path, s3_bucket: str, s3_endpoint: str
) -> None:
    """Frozen while it writes its promotion; meanwhile its lease ends, and another run promotes under that number."""
    store = {"TIERCAST_MODEL_STORE_URL": f"s3://{s3_bucket}/models"}
    home = Path(shutil.copytree(trained.home, tmp_path / "frozen"))
    with running(Proxy(s3_endpoint)) as proxy:
        behind = {**store, "AWS_ENDPOINT_URL": proxy.address}
        with started("retrain", "--json", home=home, **behind) as process:
            freeze = lambda: os.kill(process.pid, signal.SIGSTOP)  # noqa: E731
            proxy.fault = Fault(below="/promotions/", act=freeze, times=1)
            while not os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT):
                pass
            with sqlite3.connect(home / "videos.db") as connection:
                connection.execute("DELETE FROM leases")
            connection.close()
            faster = tiercast("retrain", "--json", home=home, **store, **OTHER)
            assert (faster.code, faster.document["status"]) == (0, "promoted"), faster.err
            os.kill(process.pid, signal.SIGCONT)
            answer = ended(process)
    document = answer.document
    assert document["status"] != "promoted"
    assert any("Another promotion was faster" in warning for warning in document["warnings"]), document["warnings"]
    assert document["champion_after"] == faster.document["candidate"]
    (listed,) = tiercast("models", "--moment", "observed", "--json", home=home, **store).document["moments"]
    assert listed["champion"] == faster.document["candidate"]
    assert [entry["release"] for entry in listed["promotions"]] == [faster.document["candidate"]]


def test_a_frozen_retrain_that_lost_its_lease_before_it_promotes_ends_as_failed(trained: Trained) -> None:
    with started("retrain", "--json", home=trained.home, **LENIENT, **OTHER) as process:
        wait_for_lease(trained.home / "videos.db")
        os.kill(process.pid, signal.SIGSTOP)
        with sqlite3.connect(trained.home / "videos.db") as connection:
            connection.execute("DELETE FROM leases")
        connection.close()
        os.kill(process.pid, signal.SIGCONT)
        answer = ended(process)
    assert_failed(answer, "This run lost its lease")
    (listed,) = tiercast("models", "--moment", "observed", "--json", home=trained.home).document["moments"]
    assert [entry["release"] for entry in listed["promotions"]] == [trained.retrained.document["candidate"]]
    assert runs_of(trained.home) == ["failed", "promoted"]
