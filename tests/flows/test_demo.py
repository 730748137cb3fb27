"""How the demo damages a week."""

import polars as pl

from cli.program import rows
from tiercast.flows.demo import ENGAGEMENT, damaged


def test_a_damaged_week_keeps_views_and_gives_every_video_the_rates_of_another() -> None:
    sound = rows(300)
    spoilt = damaged(sound)
    kept = [name for name in sound.columns if name not in ENGAGEMENT]
    assert spoilt.select(kept).equals(sound.select(kept))
    assert spoilt.select(pl.sum_horizontal(ENGAGEMENT).ne_missing(0)).height == sound.height
    same = (sound["likes"] == spoilt["likes"]).fill_null(value=False).mean()
    assert same is not None
    assert same < 0.05
    assert spoilt.filter(pl.col("likes") > pl.col("views")).is_empty()
