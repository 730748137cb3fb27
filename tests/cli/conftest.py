"""Homes that the real program made: an empty one, and one with a champion."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.program import Answer, rows, tiercast, write_rows


@dataclass(frozen=True)
class Trained:
    """A home with a champion, the file it learned from, and what the two commands answered."""

    home: Path
    videos: Path
    ingested: Answer
    retrained: Answer


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    videos = write_rows(folder / "videos.parquet", rows())
    home = folder / "home"
    ingested = tiercast("ingest", videos, "--json", home=home)
    retrained = tiercast("retrain", "--json", home=home)
    assert (ingested.code, retrained.code) == (0, 0), retrained.err
    return Trained(home, videos, ingested, retrained)


@pytest.fixture
def trained(trained_once: Trained, tmp_path: Path) -> Trained:
    """A copy that the test may change."""
    shutil.copytree(trained_once.home, tmp_path / "home")
    return Trained(tmp_path / "home", trained_once.videos, trained_once.ingested, trained_once.retrained)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that is not there yet."""
    return tmp_path / "home"
