"""What callers send decides about a candidate: real retrains beside real predictions that were kept."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from cli.program import NOW, rows, write_frozen
from flows.conftest import LENIENT_BARS, Open, put
from flows.forecasts import serve, videos
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.findings import Finding, Outcome
from tiercast.core.moments import Moment
from tiercast.flows.asked import Request, usable_rows
from tiercast.flows.champions import Roster
from tiercast.flows.kept import Kept, served_of
from tiercast.flows.predict import predict
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import retrain
from tiercast.render.output import Silence
from tiercast.wiring import Wiring

OTHER: Final = {**LENIENT_BARS, "RETRAIN__MIN_VIDEOS": "400"}
"""Another release than the first, of the same rows, which a lenient gate lets through."""
EARLIER: Final = NOW - timedelta(hours=1)


def run(wiring: Wiring, moment: Moment = Moment.OBSERVED, **order: Any) -> RunReport:
    world, asked = replace(world_of(wiring), now=lambda: NOW), order_of(wiring.settings, moment)
    return retrain(world, replace(asked, **order), progress=Silence())


def c218(report: RunReport) -> Finding:
    return next(each for each in report.findings if each.code == "C218")


def serve_these(wiring: Wiring, frame: pl.DataFrame, moment: Moment, *, at: datetime = EARLIER) -> None:
    """What the champion answers to these rows, kept as the service keeps it."""
    serving = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).servings[moment]
    request = Request(frame, at, wiring.settings.moments.early_max_age_hours)
    kept: list[Kept] = []
    predict(usable_rows(request, moment), serving, request, keep=kept.append)
    wiring.served.save([each for call in kept for each in served_of(call)])


@pytest.fixture
def second(home: Path, open_home: Open) -> Wiring:
    """A home with 600 videos and a champion, whose next run has another candidate."""
    assert run(open_home(home)).status == "promoted"
    return open_home(home, **OTHER)


# -- observed


def test_a_champion_that_is_asked_what_it_was_trained_on_stands_in_nobodys_way(second: Wiring) -> None:
    serve_these(second, rows(600), Moment.OBSERVED)
    report = run(second)
    assert report.status == "promoted", report.reason
    assert c218(report).outcome is Outcome.PASS
    assert c218(report).observed == pytest.approx(0, abs=0.05)
    assert c218(report).rows == second.served.count() > 500


def test_a_candidate_is_rejected_where_callers_never_send_what_it_learned_from(second: Wiring) -> None:
    serve_these(second, rows(600).with_columns(comments=pl.lit(None, pl.Int64)), Moment.OBSERVED)
    report = run(second)
    assert report.status == "rejected", report.reason
    assert [each.code for each in report.findings if each.objects] == ["C218"]
    assert (c218(report).outcome, c218(report).rows) == (Outcome.FAIL, second.served.count())
    assert "comment" in report.reason
    assert "was unknown in 100.0% of" in report.reason
    assert report.champion_after == report.champion_before


def test_a_count_for_which_another_stands_in_is_missing_all_the_same(second: Wiring) -> None:
    serve_these(second, rows(600).with_columns(saves=pl.lit(None, pl.Int64)), Moment.OBSERVED)
    one = second.served.recent(limit=1)[0]
    assert "save_rate" in one.missing
    assert not any(value is None for value in one.features)
    assert "save" in c218(run(second)).explanation


def test_a_feature_that_the_candidate_holds_constant_is_not_compared(second: Wiring) -> None:
    serve_these(second, rows(600), Moment.OBSERVED)
    served = second.served.recent(limit=1_000)
    second.served.drop_before(NOW)
    second.served.save([replace(each, missing=("views_per_follower",)) for each in served])
    report = run(second)
    assert "views_per_follower" in report.held_features
    assert (c218(report).outcome, report.status) == (Outcome.PASS, "promoted"), report.reason


@pytest.mark.parametrize(
    ("videos_asked", "at", "words"),
    [
        (150, EARLIER, "Only 150 recent predictions are recorded"),
        (500, NOW - timedelta(days=31), "No predictions are recorded"),
    ],
)
def test_few_or_old_predictions_say_nothing(second: Wiring, videos_asked: int, at: datetime, words: str) -> None:
    lacking = rows(600).with_columns(comments=pl.lit(None, pl.Int64))
    few = lacking["video_id"].unique(maintain_order=True).head(videos_asked)
    serve_these(second, lacking.filter(pl.col("video_id").is_in(few.implode())), Moment.OBSERVED, at=at)
    report = run(second)
    assert report.status == "promoted", report.reason
    assert (c218(report).outcome, words in c218(report).explanation) == (Outcome.NOT_APPLICABLE, True)


def test_another_versions_feature_set_is_not_compared(second: Wiring) -> None:
    serve_these(second, rows(600), Moment.OBSERVED)
    served = second.served.recent(limit=1_000)
    second.served.drop_before(NOW)
    second.served.save([replace(each, feature_schema="another", missing=("comment_rate",)) for each in served])
    assert c218(run(second)).outcome is Outcome.NOT_APPLICABLE


def test_a_fallback_file_is_not_compared_with_what_callers_send(
    second: Wiring, tmp_path: Path, open_home: Open
) -> None:
    serve_these(second, rows(600).with_columns(comments=pl.lit(None, pl.Int64)), Moment.OBSERVED)
    other = open_home(tmp_path / "empty", RETRAIN__FALLBACK_PATH=str(write_frozen(tmp_path / "frozen.json")))
    other.served.save(second.served.recent(limit=1_000))
    report = run(other)
    assert (report.source, report.status) == ("fallback", "promoted"), report.reason
    assert (c218(report).outcome, "finished vectors" in c218(report).explanation) == (Outcome.NOT_APPLICABLE, True)


def test_a_store_of_predictions_that_cannot_be_read_fails_the_run(second: Wiring) -> None:
    with second.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE predictions RENAME TO hidden")
    report = run(second)
    assert report.status == "failed"
    assert "predictions" in report.reason


# -- before posting


@pytest.fixture(scope="module")
def posts() -> pl.DataFrame:
    return videos(500)


def test_drafts_with_fewer_fields_than_posts_are_caught_and_drafts_like_the_posts_are_not(
    tmp_path: Path, open_home: Open, posts: pl.DataFrame
) -> None:
    first = open_home(tmp_path / "home", RETRAIN__MIN_VIDEOS="300")
    put(first, posts, tmp_path / "posts.parquet")
    serve(first, Moment.DRAFT)
    next_one = {"RETRAIN__MIN_VIDEOS": "301", "GATE__DRAFT__MAX_NEWEST_AGE_DAYS": "100000"}
    wiring = open_home(tmp_path / "home", **next_one)
    serve_these(wiring, posts, Moment.DRAFT)
    alike = c218(run(wiring, Moment.DRAFT))
    assert alike.outcome is Outcome.PASS, alike.explanation
    wiring.served.drop_before(NOW)
    bare = posts.with_columns(pl.lit(None, posts.schema[name]).alias(name) for name in ("description", "hashtags"))
    serve_these(wiring, bare, Moment.DRAFT)
    report = run(wiring, Moment.DRAFT)
    lacking = c218(report)
    assert (lacking.outcome, report.status) == (Outcome.FAIL, "rejected"), lacking.explanation
    assert "Send what it is computed from" in lacking.explanation
