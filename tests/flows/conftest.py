"""Worlds on real adapters: a home with videos, opened as the program opens it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from cli.program import LENIENT, NOW, rows
from tiercast.adapters.files import open_file
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.moments import Moment
from tiercast.flows.ingest import IngestOptions, ingest_file
from tiercast.flows.order import Order
from tiercast.flows.retrain import World
from tiercast.render.output import Silence
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

Open = Callable[..., Wiring]
LENIENT_BARS = {name.removeprefix("TIERCAST_"): value for name, value in LENIENT.items()}
"""The lenient gate as ``open_home`` takes it."""


@pytest.fixture
def open_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a home with settings by name, and closes its database after the test."""
    opened: list[Wiring] = []

    def opener(home: Path, **settings: str) -> Wiring:
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"TIERCAST_{name}", value)
            opened.append(Wiring(read_settings(home)))
        return opened[-1]

    yield opener
    for wiring in opened:
        if "engine" in vars(wiring):
            wiring.engine.dispose()


def put(wiring: Wiring, frame: pl.DataFrame, path: Path) -> None:
    """The rows as a file, through real ingest."""
    frame.write_parquet(path)
    ingest_file(open_file(path, None), wiring.videos, wiring.rejects, options=IngestOptions(NOW), progress=Silence())


def world_and_order(wiring: Wiring, *, now: datetime = NOW) -> tuple[World, Order]:
    """What a retrain of this home is given, at the time of the last scrape."""
    return replace(world_of(wiring), now=lambda: now), order_of(wiring.settings, Moment.OBSERVED)


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    wiring = Wiring(read_settings(folder / "home"))
    put(wiring, rows(600), folder / "videos.parquet")
    wiring.engine.dispose()
    return folder / "home"


@pytest.fixture
def home(filled_once: Path, tmp_path: Path) -> Path:
    """A home with 600 videos and no model."""
    return Path(shutil.copytree(filled_once, tmp_path / "home"))
