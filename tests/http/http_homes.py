"""Homes of the service with a past: a test module names this one in ``pytest_plugins``."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from http_service import client_of
from starlette.testclient import TestClient

from cli.program import LENIENT, OTHER, rows, tiercast, write_rows


@pytest.fixture(scope="session")
def promoted_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose champion of ``observed`` came after another; nobody may change it."""
    folder = tmp_path_factory.mktemp("promoted-twice")
    home = folder / "home"
    for number, settings in enumerate(({}, {**LENIENT, **OTHER})):
        videos = write_rows(folder / f"{number}.parquet", rows(800 + 100 * number))
        assert tiercast("ingest", videos, home=home).code == 0
        retrained = tiercast("retrain", home=home, **settings)
        assert retrained.code == 0, retrained.out + retrained.err
    return home


@pytest.fixture
def twice(promoted_twice: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may change."""
    return Path(shutil.copytree(promoted_twice, tmp_path / "twice"))


@pytest.fixture
def serve() -> Iterator[Callable[[Path], TestClient]]:
    """A client of the service of a home, which runs until the test ends."""
    with ExitStack() as stack:
        yield lambda home: stack.enter_context(client_of(home))


@pytest.fixture(scope="module")
def once(promoted_twice: Path) -> Iterator[TestClient]:
    """A client of one service for all tests of a module whose requests change nothing."""
    with client_of(promoted_twice) as client:
        yield client
