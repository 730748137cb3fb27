"""Prediction in process: one row a video, the champion or nothing."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from cli.program import NOW, rows
from flows.conftest import Open
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.flows.predict import Request, latest_of_each, load_champion, moments_of, usable_rows


def test_of_many_scrapes_the_last_remains_in_the_order_of_first_sight() -> None:
    scrapes = rows(100).sample(fraction=1, shuffle=True, seed=2)
    one = latest_of_each(scrapes)
    assert one["video_id"].to_list() == scrapes["video_id"].unique(maintain_order=True).to_list()
    newest = scrapes.group_by("video_id").agg(pl.col("scraped_at").max())
    assert one.select("video_id", "scraped_at").sort("video_id").equals(newest.sort("video_id"))


def test_without_a_promotion_there_is_no_champion(home, open_home: Open) -> None:  # type: ignore[no-untyped-def]
    wiring = open_home(home)
    with pytest.raises(Missing, match="No model serves the moment observed yet"):
        load_champion(wiring.objects, wiring.read_log(), Moment.OBSERVED, lambda: wiring.history)


def test_a_scrape_that_found_no_views_does_not_hide_those_that_did() -> None:
    one = rows(100).head(1)
    blank = one.with_columns(views=pl.lit(None, dtype=pl.Int64), scraped_at=pl.col("scraped_at") + timedelta(days=1))
    never = blank.with_columns(video_id=pl.lit("7"))
    latest = latest_of_each(pl.concat([never, blank, one]))
    assert latest["video_id"].to_list() == ["7", one["video_id"][0]]
    assert latest["views"].to_list() == [None, one["views"][0]]


POSTED = datetime(2025, 5, 1, tzinfo=UTC)


def asked(**ages: float | None) -> Request:
    """Videos by name, each with one observation at an age in hours; None: without views."""
    sound = rows(100).head(1)
    given = [
        sound.with_columns(
            video_id=pl.lit(name),
            published_at=pl.lit(POSTED).cast(sound.schema["published_at"]),
            scraped_at=pl.lit(POSTED + timedelta(hours=age or 0)).cast(sound.schema["scraped_at"]),
            views=pl.lit(None if age is None else 1000, dtype=pl.Int64),
        )
        for name, age in ages.items()
    ]
    return Request(pl.concat(given), NOW, early_max_age_hours=72)


@pytest.mark.parametrize(
    ("served", "answers"),
    [
        ({Moment.DRAFT, Moment.EARLY, Moment.OBSERVED}, ["observed", "draft", "early", "early"]),
        ({Moment.DRAFT, Moment.OBSERVED}, ["observed", "draft", "observed", "observed"]),
        ({Moment.DRAFT, Moment.EARLY}, ["draft", "draft", "early", "early"]),
        ({Moment.EARLY, Moment.OBSERVED}, ["observed", None, "early", "early"]),
        ({Moment.EARLY}, [None, None, "early", "early"]),
        ({Moment.DRAFT}, ["draft", "draft", "draft", "draft"]),
    ],
)
def test_each_video_is_answered_by_the_richest_moment_that_is_served(
    served: set[Moment], answers: list[str | None]
) -> None:
    request = asked(old=72.1, none=None, young=3.0, border=72.0)
    placed = moments_of(request, dict.fromkeys(served))  # type: ignore[arg-type]
    assert placed["video_id"].to_list() == ["old", "none", "young", "border"]
    assert placed["moment"].to_list() == answers
    assert placed["naturally"].to_list() == ["observed", "draft", "early", "early"]


def test_early_is_asked_of_the_last_early_observation_whatever_was_measured_since() -> None:
    several = pl.concat([asked(twice=age).rows for age in (200.0, 5.0, 60.0)])
    several = several.with_columns(author_followers=pl.Series([900, 100, 300]))
    request = Request(pl.concat([several, asked(late=100.0).rows]), NOW, early_max_age_hours=72)
    (row,) = usable_rows(request, Moment.EARLY).rows(named=True)
    assert (row["video_id"], row["author_followers"]) == ("twice", 300)
    assert request.early().height == 2
    assert usable_rows(request, Moment.OBSERVED)["author_followers"].to_list()[0] == 900
    assert usable_rows(request, Moment.DRAFT).height == 2
