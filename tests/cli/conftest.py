"""Homes that the real program made: an empty one, and one with a champion."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from cli.program import Answer, rows, tiercast, write_rows
from flows.forecasts import SCRAPED_ONCE, SMALL, serve, variables, videos
from tiercast.core.moments import Moment
from tiercast.flows.model_store import standing
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


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


@dataclass(frozen=True)
class Forecasting:
    """A home of generated videos in which every moment that has labels serves, and how its plain retrain ended."""

    home: Path
    rows: pl.DataFrame
    retrained: Answer


def _forecasting(folder: Path, rows: pl.DataFrame, moments: Sequence[Moment]) -> Forecasting:
    home = folder / "home"
    assert tiercast("ingest", write_rows(folder / "videos.parquet", rows), home=home).code == 0
    settings = variables(SMALL) | {"TIERCAST_RETRAIN__MOMENTS": "auto"}
    retrained = tiercast("retrain", "--json", home=home, **settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        wiring = Wiring(read_settings(home))
        for moment in moments:  # also where the gate held it: so few videos prove little
            if standing(wiring.objects, wiring.read_log(), moment).release is None:
                serve(wiring, moment)
        wiring.engine.dispose()
    return Forecasting(home, rows, retrained)


@pytest.fixture(scope="session")
def forecasting(tmp_path_factory: pytest.TempPathFactory) -> Forecasting:
    """700 videos, each scraped within two days of posting and again later; nobody may change this home."""
    return _forecasting(tmp_path_factory.mktemp("forecasting"), videos(700), list(Moment))


@pytest.fixture(scope="session")
def scraped_once(tmp_path_factory: pytest.TempPathFactory) -> Forecasting:
    """600 videos of which there is one observation each; nobody may change this home."""
    rows, moments = videos(600, SCRAPED_ONCE), [Moment.DRAFT, Moment.OBSERVED]
    return _forecasting(tmp_path_factory.mktemp("scraped-once"), rows, moments)
