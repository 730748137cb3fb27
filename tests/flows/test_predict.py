"""Prediction in process: one row a video, the champion or nothing."""

import polars as pl
import pytest

from cli.program import rows
from flows.conftest import Open
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.flows.predict import latest_of_each, load_champion


def test_of_many_scrapes_the_last_remains_in_the_order_of_first_sight() -> None:
    scrapes = rows(100).sample(fraction=1, shuffle=True, seed=2)
    one = latest_of_each(scrapes)
    assert one["video_id"].to_list() == scrapes["video_id"].unique(maintain_order=True).to_list()
    newest = scrapes.group_by("video_id").agg(pl.col("scraped_at").max())
    assert one.select("video_id", "scraped_at").sort("video_id").equals(newest.sort("video_id"))


def test_without_a_promotion_there_is_no_champion(home, open_home: Open) -> None:  # type: ignore[no-untyped-def]
    wiring = open_home(home)
    with pytest.raises(Missing, match="No model serves the moment observed yet"):
        load_champion(wiring.objects, wiring.read_log(), Moment.OBSERVED)
