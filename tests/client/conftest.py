"""A home in this process and its twin behind HTTP."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from http_service import program
from two_sides import KEY, Both

from cli.program import LENIENT, OTHER, environment, rows, tiercast, write_rows
from tiercast import Tiercast


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody may change: a champion of every moment, that of ``observed`` after another."""
    folder = tmp_path_factory.mktemp("grown")
    home = folder / "home"
    demo = [sys.executable, "-m", "tiercast", "demo", "--home", str(home)]
    subprocess.run(demo, env=environment(), check=True, capture_output=True)
    assert tiercast("ingest", write_rows(folder / "more.parquet", rows(900)), home=home).code == 0
    retrained = tiercast("retrain", "--moment", "observed", home=home, **LENIENT, **OTHER)
    assert retrained.code == 0, retrained.out + retrained.err
    return home


@pytest.fixture(scope="module", autouse=True)
def no_settings_of_this_machine() -> Iterator[None]:
    """The home's own settings alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TIERCAST_")]:
            patch.delenv(name)
        yield


@contextmanager
def both_sides(here: Path, there: Path) -> Iterator[Both]:
    """A home opened in this process, and another asked over HTTP."""
    with (
        program(there, settings={"TIERCAST_API_KEY": KEY}) as served,
        Tiercast.open(here) as opened,
        Tiercast.connect(served.url, KEY) as connected,
    ):
        yield Both(opened, connected, served.url)


@pytest.fixture(scope="module")
def both(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both sides of the module's two homes, which begin alike: what is asked of one is asked of the other."""
    folder = tmp_path_factory.mktemp("both")
    here, there = (Path(shutil.copytree(grown, folder / name / "home")) for name in ("here", "there"))
    with both_sides(here, there) as both:
        yield both


@pytest.fixture(scope="module")
def damaged_drafts(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both sides of two homes in which nothing that was promoted for drafts can be used."""
    folder = tmp_path_factory.mktemp("damaged")
    here, there = (Path(shutil.copytree(grown, folder / name / "home")) for name in ("here", "there"))
    for home in (here, there):
        for entry in (home / "models" / "draft" / "promotions").iterdir():
            entry.write_bytes(b"{")
    with both_sides(here, there) as both:
        yield both


@pytest.fixture(scope="module")
def nobody_serves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both sides of two homes without anything."""
    folder = tmp_path_factory.mktemp("empty")
    for name in ("here", "there"):
        (folder / name).mkdir()
    with both_sides(folder / "here" / "home", folder / "there" / "home") as both:
        yield both
