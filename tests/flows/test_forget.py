"""Forgetting, wherever an author or a video is kept, also where an existing table still names them."""

from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text

from cli.program import NOW, rows
from flows.conftest import Open
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.flows.forget import Places, forget
from tiercast.flows.ingest import IngestOptions, ingest_table
from tiercast.ports.serving import ServedPrediction
from tiercast.render.output import Silence
from tiercast.wiring import Wiring


def places(wiring: Wiring) -> Places:
    return Places(wiring.videos, wiring.served, wiring.rejects, wiring.scraped_table)


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
    gone = forget(places(wiring), author="ana", video_id=None)
    assert (gone.videos, gone.observations, gone.left_in_table) == (1, 1, 1)
    assert wiring.videos.count() == (1, 1)
    with wiring.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM scraped_videos")).scalar_one() == 2


def test_one_video_is_forgotten_alone(home: Path, open_home: Open) -> None:
    wiring = open_home(home)
    video = rows(600)["video_id"][0]
    scrapes = rows(600).filter(video_id=video).height
    gone = forget(places(wiring), author=None, video_id=video)
    assert (gone.videos, gone.observations) == (1, scrapes)
    with pytest.raises(Missing, match="Nothing is stored"):
        forget(places(wiring), author=None, video_id=video)


def asked(video_id: str, author: str | None) -> ServedPrediction:
    """A draft of somebody, as it was predicted."""
    shares, features = (0.2,) * 5, (1.0, None)
    return ServedPrediction(
        f"{video_id} of {author}", NOW, "tiktok", video_id, author, Moment.DRAFT, "beef", "ab", shares, features, ()
    )


def test_predictions_are_forgotten_also_of_somebody_of_whom_no_video_is_stored(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    wiring.served.save([asked("1", "ana"), asked("2", "ana"), asked("2", None), asked("3", "ben")])
    gone = forget(places(wiring), author="ana", video_id=None)
    assert gone.to_document() == {
        "videos": 0,
        "observations": 0,
        "rejects": 0,
        "predictions": 2,
        "left_in_table": 0,
    }
    with pytest.raises(Missing, match="Nothing is stored of author 'ana'"):
        forget(places(wiring), author="ana", video_id=None)
    assert forget(places(wiring), author=None, video_id="2").predictions == 1
    assert [each.video_id for each in wiring.served.recent(limit=9)] == ["3"]


def test_what_was_asked_without_a_name_goes_with_the_author_of_the_stored_video(home: Path, open_home: Open) -> None:
    wiring = open_home(home)
    video, author = rows(600).filter(pl.col("author").is_not_null()).select("video_id", "author").row(0)
    other = "x"
    wiring.served.save([asked(video, None), asked(other, None)])
    assert forget(places(wiring), author=author, video_id=None).predictions == 1
    assert [each.video_id for each in wiring.served.recent(limit=9)] == [other]
