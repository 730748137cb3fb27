"""A database of one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tiercast.adapters.databases import open_sqlite


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_sqlite(tmp_path / "videos.db")
    yield opened
    opened.dispose()
