"""A home whose three moments are served."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_service import client_of
from starlette.testclient import TestClient

from cli.program import environment


@pytest.fixture(scope="session")
def three_champions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody may change: videos, their history, and a champion of every moment."""
    home = tmp_path_factory.mktemp("served") / "home"
    command = [sys.executable, "-m", "tiercast", "demo", "--home", str(home)]
    subprocess.run(command, env=environment(), check=True, capture_output=True)
    return home


@pytest.fixture
def home(three_champions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same to change as one likes, without any setting of this machine."""
    for name in [name for name in os.environ if name.startswith("TIERCAST_")]:
        monkeypatch.delenv(name)
    return Path(shutil.copytree(three_champions, tmp_path / "home"))


@pytest.fixture(scope="session")
def shared_client(three_champions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One service for every test that only asks: opening one takes most of a second."""
    home = shutil.copytree(three_champions, tmp_path_factory.mktemp("shared") / "home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TIERCAST_")]:
            patch.delenv(name)
        opened = client_of(Path(home))
        client = opened.__enter__()
    yield client
    opened.__exit__(None, None, None)


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """The service of the home, without an API key."""
    with client_of(home) as found:
        yield found
