"""Metrics that several processes of one service tell together."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.program import environment

WORKER = """
import sys
from tiercast.http.metrics import Metrics

metrics = Metrics()
metrics.ready.set(float(sys.argv[1]))
metrics.predictions.labels("draft", 3).inc()
sys.stdout.write(metrics.page().decode())
sys.stdout.flush()
sys.stdin.read()
"""


class Worker:
    """A process that says whether it is ready, tells the metrics once, and lives until it is killed."""

    def __init__(self, folder: Path, ready: int) -> None:
        settings = environment(PROMETHEUS_MULTIPROC_DIR=str(folder))
        command = [sys.executable, "-c", WORKER, str(ready)]
        self._process = subprocess.Popen(command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def page(self) -> str:
        """Its metrics, once it ended by itself."""
        return self._process.communicate(b"")[0].decode()

    def wait_for(self, line: str) -> None:
        assert self._process.stdout is not None
        assert any(each.decode().strip() == line for each in self._process.stdout)


@pytest.mark.parametrize(("other_lives", "ready"), [(True, "0.0"), (False, "1.0")])
def test_a_service_is_as_ready_as_the_least_of_its_living_workers(
    tmp_path: Path, other_lives: bool, ready: str
) -> None:
    other = Worker(tmp_path, 0)
    try:
        other.wait_for("tiercast_ready 0.0")
        if not other_lives:
            other.kill()
        page = Worker(tmp_path, 1).page()
    finally:
        other.kill()
    assert f"tiercast_ready {ready}\n" in page
    assert 'tiercast_predictions_total{moment="draft",tier="3"} 2.0' in page  # which a dead worker's still count in
