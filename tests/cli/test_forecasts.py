"""Forecasts as a user meets them: what a run says, which moment answers which video, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cli.conftest import Forecasting
from cli.program import NOW, Answer, assert_failed, tiercast, write_items, write_rows
from flows.forecasts import SMALL, YOUNG, elsewhere, variables, videos
from tiercast.checks import CHECKS
from tiercast.core.tiers import TIER_MIDPOINTS

SETTINGS = variables(SMALL)
BEFORE_POSTING = ["C205", "C208", "C209"]
"""Checks with a bar for draft alone."""
CREATORS = {"creator_mean", "creator_recent", "creator_last", "creator_trend", "days_since_post", "followers"}
"""Some of the features that rest on a creator's earlier posts."""


def run_of(forecasting: Forecasting, moment: str) -> dict[str, Any]:
    return next(run for run in forecasting.retrained.document["runs"] if run["moment"] == moment)


def ask(forecasting: Forecasting, items: list[dict[str, object]], *flags: str) -> Answer:
    """Predict these items, given on standard input."""
    lines = "".join(json.dumps(each) + "\n" for each in items).encode()
    return tiercast("predict", "-", *flags, "--json", home=forecasting.home, stdin=lines)


def at(hours: float) -> str:
    """A time so long after POSTED."""
    return (POSTED + timedelta(hours=hours)).isoformat()


POSTED = NOW - timedelta(days=20)


def seen(video_id: str, hours: float | None, **values: object) -> dict[str, object]:
    """A video posted at POSTED with one observation at this age, or none: then without views."""
    known = {"platform": "tiktok", "video_id": video_id, "published_at": POSTED.isoformat(), "duration_seconds": 20}
    counts = {"views": 5000, "likes": 300, "comments": 40} if hours is not None else {"views": None}
    return {**known, **counts, "scraped_at": at(hours or 0), **values}


# -- what a retrain answers


def test_every_moment_that_the_data_allow_is_trained_and_told_in_one_document(forecasting: Forecasting) -> None:
    answer = forecasting.retrained
    document = answer.document
    assert document.keys() == {"runs", "skipped"}
    assert [run["moment"] for run in document["runs"]] == ["draft", "early", "observed"]
    assert document["skipped"] == {}
    statuses = {run["status"] for run in document["runs"]}
    assert statuses <= {"promoted", "held", "rejected"}, answer.err
    assert answer.code == (0 if statuses == {"promoted"} else 3)
    logged = [json.loads(line) for line in answer.err.splitlines()]
    assert [line["moment"] for line in logged] == ["draft", "early", "observed"]


@pytest.mark.parametrize(
    ("moment", "rivals"),
    [("draft", {"majority", "creators_usual"}), ("early", {"majority", "creators_usual", "first_views"})],
)
def test_a_forecast_run_is_complete_whatever_the_verdict(
    forecasting: Forecasting, moment: str, rivals: set[str]
) -> None:
    run = run_of(forecasting, moment)
    assert (run["source"], run["marks"], run["embargoed"]) == ("videos", [], None)
    assert run["candidate"] is not None
    labels = run["labels"]
    assert labels["candidates"] == labels["labelled"] + labels["unlabelled"] >= 700
    assert sum(labels["how"].values()) == labels["labelled"] >= run["videos"] == sum(run["tier_distribution"])
    assert labels["how"].keys() == {"nearest", "interpolated", "later"}
    assert (labels["history"], labels["known_at"]) == ("observed", "strict")
    assert 0 < labels["training_rows_strict"] <= labels["training_rows_as_scraped"] < run["videos"]
    assert labels["age_days"].keys() == {"training", "test"}
    assert 0 <= labels["history_known"] <= labels["history_there"] <= 1
    assert {slice_["name"] for slice_ in run["slices"]} >= {"platform tiktok"}
    assert run["rivals"].keys() == rivals
    for metrics in (run["metrics"], *run["rivals"].values(), *(part["metrics"] for part in run["slices"])):
        assert {"accuracy", "log_loss", "within_one", "expected_calibration_error", "spearman"} <= metrics.keys()
    assert run["metrics"]["accuracy"]["interval"] is not None
    assert run["metrics"]["interval_coverage"]["value"] is not None
    assert run["learning_curve"][-1] == {
        "rows": labels["training_rows_strict"],
        "accuracy": run["test_accuracy"],
        "log_loss": run["metrics"]["log_loss"]["value"],
    }
    assert [point["rows"] for point in run["learning_curve"]] == sorted(p["rows"] for p in run["learning_curve"])
    assert run["coverage_curve"][-1]["coverage"] == 1
    for part in (*run["coverage_curve"], *([run["confident"]] if run["confident"] else [])):
        assert part.keys() == {"threshold", "coverage", "rows", "accuracy"}
    findings = {finding["code"]: finding for finding in run["findings"]}
    assert [*findings] == [check.code for check in CHECKS]
    assert findings["C203"]["outcome"] == "pass"
    applies = [findings[code]["outcome"] != "not_applicable" for code in BEFORE_POSTING]
    assert applies == [moment == "draft"] * len(BEFORE_POSTING)
    assert {findings[code]["outcome"] for code in ("C206", "C207", "C217")} <= {"pass", "fail"}


def test_a_run_of_a_forecast_is_shown_to_people_and_as_a_page(forecasting: Forecasting, tmp_path: Path) -> None:
    page, run = tmp_path / "run.html", run_of(forecasting, "draft")["run"]
    shown = tiercast("runs", run, "--report", page, home=forecasting.home)
    assert shown.code == 0, shown.err
    assert run in page.read_text()
    assert "NaN" not in page.read_text()


def test_a_store_scraped_once_is_marked_in_the_run_the_manifest_and_every_prediction(scraped_once: Forecasting) -> None:
    marks = ["history as of scrape", "labels of any age", "labels as scraped"]
    document, run = scraped_once.retrained.document, run_of(scraped_once, "draft")
    assert [each["moment"] for each in document["runs"]] == ["draft", "observed"]
    assert document["skipped"].keys() == {"early"}
    assert "0 early observations" in document["skipped"]["early"]
    assert run["marks"] == marks
    assert (run["labels"]["how"], run["labels"]["training_rows_strict"]) == ({"later": 600}, 0)
    assert run["embargoed"]["days"] == 3
    assert run["embargoed"]["metrics"].keys() == run["metrics"].keys()
    assert {each["as_scraped"] for each in run["features"] if each["needs"] == "earlier videos"} == {True}
    (models,) = tiercast("models", "--moment", "draft", "--json", home=scraped_once.home).document["moments"]
    assert models["releases"][0]["marks"] == marks
    manifest = scraped_once.home / "models" / "draft" / "releases" / models["champion"] / "manifest.json"
    assert json.loads(manifest.read_text())["marks"] == marks
    predicted = tiercast("predict", "--stored", "--moment", "draft", "--json", home=scraped_once.home).lines
    assert len(predicted) == 600
    assert {tuple(each["marks"]) for each in predicted} == {tuple(marks)}


def test_strict_labels_in_a_store_scraped_once_say_how_many_rows_each_rule_leaves(scraped_once: Forecasting) -> None:
    strict = {"TIERCAST_LABELS__KNOWN_AT": "strict", **SETTINGS}
    answer = tiercast("retrain", "--moment", "draft", "--dry-run", "--json", home=scraped_once.home, **strict)
    run = answer.document
    assert (answer.code, run["status"], run["candidate"]) == (3, "held", None)
    left = run["labels"]["training_rows_as_scraped"]
    assert run["labels"]["training_rows_strict"] == 0 < left
    assert f"labels.known_at = strict leaves 0 for training, as_scraped {left}" in run["reason"]
    assert "Traceback" not in answer.err
    assert "skipped" not in run


def test_a_store_in_which_nothing_is_a_week_old_is_held_until_the_first_labels_mature(
    home: Path, tmp_path: Path
) -> None:
    rows = videos(300, YOUNG)
    tiercast("ingest", write_rows(tmp_path / "young.parquet", rows), home=home)
    answer = tiercast("retrain", "--moment", "draft", "--json", home=home)
    matures = rows["published_at"] + timedelta(days=7)
    first = matures.filter(matures > rows["scraped_at"].max()).min()
    assert (answer.code, answer.document["status"], answer.document["videos"]) == (3, "held", 0)
    assert answer.document["labels"]["first_matures_at"] == first.isoformat()  # type: ignore[union-attr]
    assert f"by a scrape at or after {first:%Y-%m-%d %H:%M} UTC" in answer.document["reason"]
    plain = tiercast("retrain", home=home, TIERCAST_RETRAIN__MOMENTS="auto")
    assert plain.code == 3
    assert "draft: not trained." in plain.err
    assert "early: not trained." in plain.err


# -- which moment answers


@pytest.fixture(scope="module")
def told(forecasting: Forecasting) -> Answer:
    """One file with videos of every moment, and one that cannot be."""
    author, platform = forecasting.rows.group_by("author", "platform").len().sort("len")["author", "platform"].row(-1)
    ahead = (datetime.now(UTC) + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    items = [
        seen("old", 200),
        seen("never seen", None, author="nobody_yet"),
        seen("young", 10),
        seen("impossible", -2),
        seen("late", 72.5),
        seen("at 3", None, published_at=ahead.replace(hour=3).isoformat()),
        seen("at 18", None, published_at=ahead.replace(hour=18).isoformat()),
        seen("first", 3),
        seen("known", None, author=author, platform=platform, published_at="2025-06-03T18:00:00Z"),
        seen("stated", None, author="nobody_yet", author_followers=5000),
    ]
    return ask(forecasting, items)


def named(answer: Answer, video_id: str) -> dict[str, Any]:
    return next(each for each in answer.lines if each["video_id"] == video_id)


def test_each_video_is_answered_by_the_richest_moment_in_the_order_of_the_input(told: Answer) -> None:
    assert told.code == 0, told.err
    assert [(each["video_id"], each["moment"]) for each in told.lines] == [
        ("old", "observed"), ("never seen", "draft"), ("young", "early"), ("late", "observed"), ("at 3", "draft"),
        ("at 18", "draft"), ("first", "early"), ("known", "draft"), ("stated", "draft"),
    ]  # fmt: skip


def test_every_answer_is_whole_and_of_its_moments_champion(forecasting: Forecasting, told: Answer) -> None:
    moments = tiercast("models", "--json", home=forecasting.home).document["moments"]
    champions = {each["moment"]: each["champion"] for each in moments}
    for each in told.lines:
        assert each["release"] == champions[each["moment"]]
        assert sum(each["probabilities"]) == pytest.approx(1)
        expected = sum(p * midpoint for p, midpoint in zip(each["probabilities"], TIER_MIDPOINTS, strict=True))
        assert each["score"] == pytest.approx(expected, abs=0.051)
        assert each["relative_to"] == "all"
        assert each["marks"] == []
        assert "reasons" not in each
        if each["moment"] == "observed":
            assert (each["views_interval"], each["creator_relative"]) == (None, None)
        else:
            low, high = each["views_interval"]
            assert 0 <= low < high
            assert isinstance(low, int)


def test_a_creator_whose_posts_are_stored_gets_a_multiple_of_their_usual_views(told: Answer) -> None:
    known = named(told, "known")
    assert known["creator_relative"] > 0
    assert not {"creator_mean", "creator_recent", "days_since_post"} & {*known["missing"]}


def test_a_creator_never_seen_is_unknown_and_told_so(told: Answer) -> None:
    stranger = named(told, "never seen")
    assert {*stranger["missing"]} >= CREATORS
    assert "creator_posts" not in stranger["missing"]
    assert stranger["creator_relative"] is None
    assert {*stranger["missing"]} - {*named(told, "stated")["missing"]} == {"followers"}


def test_a_post_planned_for_a_future_hour_is_predicted(told: Answer) -> None:
    night, evening = named(told, "at 3"), named(told, "at 18")
    assert not {"hour", "weekday"} & {*night["missing"]}
    assert night["probabilities"] != evening["probabilities"]


def test_a_video_dated_after_its_own_observation_is_refused_with_its_reason(told: Answer) -> None:
    assert "Refused, so without prediction: 1." in told.err
    assert f"before it was published at {POSTED:%Y-%m-%d %H:%M:%S} UTC" in told.err


def test_without_any_history_everything_that_rests_on_it_is_unknown(forecasting: Forecasting, tmp_path: Path) -> None:
    empty = {"TIERCAST_DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    item = {"video_id": "1", "description": "what a day #fyp", "platform": "tiktok", "author": "creator_000001"}
    answer = tiercast("predict", "-", "--json", home=forecasting.home, stdin=json.dumps(item).encode(), **empty)
    (prediction,) = answer.lines
    assert (prediction["moment"], prediction["creator_relative"]) == ("draft", None)
    unknown = CREATORS | {"platform_week", "hashtag_lift", "hour", "weekday", "duration"}
    assert {*prediction["missing"]} >= unknown
    assert "caption_length" not in prediction["missing"]
    assert all(probability > 0 for probability in prediction["probabilities"])


def test_the_same_instants_by_another_clock_give_the_same_predictions(forecasting: Forecasting, tmp_path: Path) -> None:
    young = pl.col("scraped_at") - pl.col("published_at") <= timedelta(hours=48)
    some = pl.concat([forecasting.rows.head(60), forecasting.rows.tail(60).filter(young)])
    here = tiercast("predict", write_rows(tmp_path / "utc.parquet", some), "--json", home=forecasting.home)
    there = write_rows(tmp_path / "there.jsonl", elsewhere(some, hours=5.5))
    assert '+05:30"' in there.read_text()
    assert tiercast("predict", there, "--json", home=forecasting.home).lines == here.lines
    assert {each["moment"] for each in here.lines} == {"early", "observed"}


def test_people_see_which_moment_answered_and_whose_release(forecasting: Forecasting, tmp_path: Path) -> None:
    path = write_items(tmp_path / "both.jsonl", [seen("old", 200), seen("planned", None)])
    answer = tiercast("predict", path, home=forecasting.home)
    assert answer.code == 0
    assert "observed" in answer.out
    assert "draft" in answer.out
    assert "draft: release" in answer.err
    saved = tmp_path / "told.csv"
    assert tiercast("predict", path, "-o", saved, home=forecasting.home).code == 0
    assert pl.read_csv(saved)["moment"].to_list() == ["observed", "draft"]


# -- what is refused


def test_early_without_an_early_observation_is_refused_and_says_what_it_needs(forecasting: Forecasting) -> None:
    none = ask(forecasting, [seen("planned", None)], "--moment", "early")
    assert_failed(none, "the moment early needs a posting time and an observation with views at most 72 hours after it")
    assert none.out == ""
    late = ask(forecasting, [seen("late", 100)], "--moment", "early")
    assert_failed(late, "1 videos get no prediction", "the youngest that was given is 100 hours old")
    assert late.out == ""


def test_what_cannot_be_early_does_not_stop_the_rest_of_the_file(forecasting: Forecasting) -> None:
    items = [seen("late", 100), seen("young", 20), seen("planned", None), seen("other", 70)]
    answer = ask(forecasting, items, "--moment", "early")
    assert (answer.code, [each["video_id"] for each in answer.lines]) == (0, ["young", "other"])
    assert "2 videos get no prediction: the moment early needs" in answer.err
    assert "the youngest that was given is 100 hours old" in answer.err


def test_at_most_five_reasons_are_given_apart_by_what_can_still_be_changed(forecasting: Forecasting) -> None:
    items = [seen("young", 10), seen("planned", None, description="what a day?! #fyp", hashtags=["fyp"])]
    answer = ask(forecasting, items, "--reasons")
    assert answer.code == 0, answer.err
    for each in answer.lines:
        assert each["reasons"].keys() == {"changeable", "given"}
        both = [*each["reasons"]["changeable"], *each["reasons"]["given"]]
        assert 0 < len(both) <= 5
        for reason in both:
            assert reason.keys() == {"feature", "meaning", "unit", "value", "usual", "effect"}
            assert reason["effect"] != 0
    early, draft = answer.lines
    assert "seen_views" in {reason["feature"] for reason in early["reasons"]["given"]}
    assert not {reason["feature"] for reason in draft["reasons"]["given"]} & {"duration", "hashtag_count", "hour"}


def test_reasons_for_more_than_a_hundred_videos_are_refused(forecasting: Forecasting) -> None:
    items = [seen(f"{number}", 10 if number % 2 else None) for number in range(102)]
    answer = ask(forecasting, items, "--reasons")
    assert_failed(answer, "at most 100 videos at a time; these are 102")
    assert answer.out == ""


def test_every_champion_is_named_by_the_doctor(forecasting: Forecasting) -> None:
    parts = {part["name"]: part for part in tiercast("doctor", "--json", home=forecasting.home).document["parts"]}
    assert parts["champion"]["ok"]
    for moment in ("draft", "early", "observed"):
        assert f"{moment}: " in parts["champion"]["detail"]
