"""Forgetting, also where an existing table still names the author."""

from pathlib import Path

import pytest
from sqlalchemy import text

from cli.program import NOW, rows
from flows.conftest import Open
from tiercast.core.errors import Missing
from tiercast.flows.forget import forget
from tiercast.flows.ingest import IngestOptions, ingest_table
from tiercast.render.output import Silence


def test_rows_of_an_existing_table_are_counted_and_left(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    with wiring.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE scraped_videos (platform text, platform_video_id text, author text, views int)")
        )
        connection.execute(
            text("INSERT INTO scraped_videos VALUES ('tiktok', '1', 'ana', 5), ('tiktok', '2', 'ben', 6)")
        )
    table = wiring.scraped_table
    assert table is not None
    ingest_table(table, wiring.videos, wiring.rejects, options=IngestOptions(NOW), progress=Silence())
    gone = forget(wiring.videos, wiring.rejects, table, author="ana", video_id=None)
    assert (gone.videos, gone.observations, gone.left_in_table) == (1, 1, 1)
    assert wiring.videos.count() == (1, 1)
    with wiring.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM scraped_videos")).scalar_one() == 2


def test_one_video_is_forgotten_alone(home: Path, open_home: Open) -> None:
    wiring = open_home(home)
    video = rows(600)["video_id"][0]
    scrapes = rows(600).filter(video_id=video).height
    gone = forget(wiring.videos, wiring.rejects, None, author=None, video_id=video)
    assert (gone.videos, gone.observations) == (1, scrapes)
    with pytest.raises(Missing, match="Nothing is stored"):
        forget(wiring.videos, wiring.rejects, None, author=None, video_id=video)
