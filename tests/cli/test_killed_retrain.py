"""The whole program, killed in the middle of publishing."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from cli.conftest import Trained
from cli.program import ended, started, tiercast
from model_store.proxies import Fault, Proxy, running
from tiercast.core.moments import Moment
from tiercast.flows.model_store import load_release, releases
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


@pytest.mark.parametrize(
    ("below", "performs"),
    [("/manifest.json", False), ("/promotions/", False), ("/promotions/", True)],
    ids=["before the manifest", "before the entry", "before the answer about the entry"],
)
def test_a_retrain_that_is_killed_while_publishing_leaves_nothing_by_halves(
    trained: Trained,
    tmp_path: Path,
    s3_bucket: str,
    s3_endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    below: str,
    performs: bool,
) -> None:
    """On a bucket; another machine with the same videos, which waits for no lease, ends what the dead one began."""
    store = {"TIERCAST_MODEL_STORE_URL": f"s3://{s3_bucket}/models"}
    other = Path(shutil.copytree(trained.home, tmp_path / "other"))
    with running(Proxy(s3_endpoint)) as proxy:
        behind = {**store, "AWS_ENDPOINT_URL": proxy.address}
        with started("retrain", "--json", home=trained.home, **behind) as process:
            kill = lambda: os.kill(process.pid, signal.SIGKILL)  # noqa: E731
            proxy.fault = Fault(below=below, performs=performs, act=kill)
            assert ended(process).code == -signal.SIGKILL
    monkeypatch.setenv("TIERCAST_MODEL_STORE_URL", store["TIERCAST_MODEL_STORE_URL"])
    objects = Wiring(read_settings(other)).objects
    whole = [load_release(objects, Moment.OBSERVED, release).id for release in releases(objects, Moment.OBSERVED)]
    expected = trained.retrained.document["candidate"]
    assert whole == ([] if below == "/manifest.json" else [expected])
    (listed,) = tiercast("models", "--moment", "observed", "--json", home=other, **store).document["moments"]
    assert (listed["champion"], listed["warnings"]) == (expected if performs else None, [])
    if not performs:
        again = tiercast("retrain", "--json", home=other, **store)
        assert (again.code, again.document["champion_after"]) == (0, expected), again.err
        assert tiercast("predict", trained.videos, "--json", home=other, **store).lines[0]["release"] == expected
