"""The contract of the client: every question goes to both sides, and both answer the same."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from http_service import CLOCKWORKS, video
from two_sides import Ask, Both

from cli.program import item
from tiercast import InvalidInput, Missing, Prediction, Tiercast, TiercastError, Unavailable
from tiercast.core.errors import NoChampion

DRAFT = {
    "video_id": "a-draft",
    "author": "ana",
    "description": "Sourdough",
    "duration_seconds": 20,
    "published_at": "2026-01-05T12:00:00Z",  # without it each side asks as of its own now
}
BAD = video(1, likes=10, views=3)


# -- predictions


def test_one_video_gets_one_prediction(both: Both) -> None:
    (found,) = both.answer(lambda side: side.predict(video()))
    assert isinstance(found, Prediction)
    assert (found.video_id, found.moment) == (video()["video_id"], "observed")
    assert found.tier == 1 + max(range(5), key=lambda tier: found.probabilities[tier])
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-6)
    assert "save_rate" in found.missing
    assert found.document["release"] == found.release


def test_drafts_and_measured_videos_are_answered_together(both: Both) -> None:
    asked = [video(), {**DRAFT, "views": None, "platform": "tiktok"}]
    found = both.answer(lambda side: side.predict(asked))
    assert [each.moment for each in found] == ["observed", "draft"]
    assert found[1].views_interval is not None
    assert found.refused == ()


def test_a_draft_alone_needs_no_views(both: Both) -> None:
    (found,) = both.answer(lambda side: side.predict(DRAFT, platform="TikTok"))
    assert (found.moment, found.platform) == ("draft", "tiktok")


def test_items_of_a_scraper_are_read_as_ingest_reads_them(both: Both) -> None:
    (found,) = both.answer(lambda side: side.predict([CLOCKWORKS]))
    assert found.video_id == CLOCKWORKS["id"]


def test_reasons_are_given_where_they_are_asked_for(both: Both) -> None:
    (found,) = both.answer(lambda side: side.predict(video(), reasons=True))
    assert found.reasons is not None
    assert set(found.reasons) == {"changeable", "given"}
    many = [video(number) for number in range(101)]
    assert "100" in both.error(lambda side: side.predict(many, reasons=True), InvalidInput)


def test_a_frame_of_polars_is_read_with_its_times_and_unknown_numbers(both: Both) -> None:
    frame = pl.from_dicts([{**video(n), "saves": float("nan") if n else 7.0} for n in range(3)])
    frame = frame.with_columns(pl.lit(datetime(2025, 6, 1, 10, tzinfo=UTC)).alias("scraped_at"))
    found = both.answer(lambda side: side.predict(frame))
    assert ["save_rate" in each.missing for each in found] == [False, True, True]
    assert found == both.answer(lambda side: side.predict([video(0, saves=7), video(1), video(2)]))


def test_refused_videos_are_told_beside_the_others(both: Both) -> None:
    found = both.answer(lambda side: side.predict([video(0), BAD, video(2)]))
    assert [each.video_id for each in found] == [video(0)["video_id"], video(2)["video_id"]]
    assert [(each.video_id, each.reason) for each in found.refused] == [(BAD["video_id"], "likes_exceed_views")]
    assert repr(found).startswith("<Predictions of 2 videos: ")
    assert repr(found).endswith("; 1 refused>")


def test_a_field_that_nearly_is_one_is_pointed_out(both: Both) -> None:
    found = both.answer(lambda side: side.predict(video(veiws=3)))
    assert found.warnings == ("The field 'veiws' is not read; did you mean views?",)


def test_a_score_points_out_the_fields_of_its_video_too(both: Both) -> None:
    found = both.answer(lambda side: side.score({"rules": 3}, video=video(veiws=3)))
    assert found.warnings == ("The field 'veiws' is not read; did you mean views?",)


def test_half_an_emoji_is_no_obstacle(both: Both) -> None:
    assert len(both.answer(lambda side: side.predict(video(description="cut \ud83d")))) == 1


def test_thousands_are_answered_as_one_and_in_order(both: Both) -> None:
    asked = [video(number) for number in range(2_300)]
    found = both.answer(lambda side: side.predict(asked))
    assert [each.video_id for each in found] == [each["video_id"] for each in asked]
    assert found[7] == both.answer(lambda side: side.predict(asked[7]))[0]
    assert found[-2:] == tuple(both.answer(lambda side: side.predict(asked[-2:])))


def test_scrapes_of_one_video_far_apart_give_one_answer(both: Both) -> None:
    later = video(0, views=99_999, scraped_at="2025-06-02T10:00:00Z")
    found = both.answer(lambda side: side.predict([*(video(number) for number in range(1_200)), later]))
    assert len(found) == 1_200
    assert found[0] == both.answer(lambda side: side.predict(later))[0]


def test_a_part_that_is_refused_whole_does_not_stop_the_others(both: Both) -> None:
    asked = [video(number, likes=0 if number < 1_000 else 10, views=3) for number in range(1_500)]
    found = both.answer(lambda side: side.predict(asked))
    assert (len(found), len(found.refused)) == (1_000, 500)
    told = both.error(lambda side: side.predict([{**each, "likes": 10} for each in asked]), InvalidInput)
    assert told.startswith("None of the 1,500 videos can be predicted. The first: It has 10 likes but 3 views")


def test_large_items_are_sent_in_bodies_that_a_service_takes(both: Both) -> None:
    asked = [video(number, description="x" * 100_000) for number in range(120)]
    assert len(both.answer(lambda side: side.predict(asked))) == 120


def test_predictions_become_a_frame(both: Both) -> None:
    frame = both.opened.predict([video(), {**DRAFT, "views": None}]).to_polars()
    assert frame["tier"].to_list() == [
        each.tier for each in both.connected.predict([video(), {**DRAFT, "views": None}])
    ]
    assert frame.schema["probabilities"] == pl.List(pl.Float64)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda side: side.predict([]), "No video was given"),
        (lambda side: side.predict("7301234567890123456"), "The videos are of type str"),
        (lambda side: side.predict([video(), 3]), "Video 1 is of type int"),
        (lambda side: side.predict(video(views=float("nan"))), "Write null (None) for unknown"),
        (lambda side: side.predict(video(views={1, 2})), "a value is of type set"),
        (lambda side: side.predict({"made": "up"}), "its fields are made"),
        (lambda side: side.predict(BAD), "It has 10 likes but 3 views"),
        (
            lambda side: side.predict(video(), moment="never"),
            "moment is 'never'; the moments are draft, early, observed",
        ),
        (lambda side: side.predict(video(), platform="..."), "platform '...' is no platform name"),
        (lambda side: side.predict(DRAFT, moment="observed"), "The moment observed needs views above 0."),
        (lambda side: side.predict({"video_id": 1.5e18, "views": 3}), "floating-point numbers"),
    ],
)
def test_what_cannot_be_predicted_is_the_caller_s_mistake_on_both_sides(
    both: Both, ask: Ask[object], told: str
) -> None:
    assert told in both.error(ask, InvalidInput)


def test_without_a_champion_it_is_missing(nobody_serves: Both) -> None:
    assert "tiercast retrain" in nobody_serves.error(lambda side: side.predict(video()), NoChampion)
    told = nobody_serves.error(lambda side: side.predict(DRAFT, moment="draft"), NoChampion)
    assert told.startswith("No model serves the moment draft yet")


def test_damage_of_one_moment_keeps_no_other_from_answering(damaged_drafts: Both) -> None:
    (found,) = damaged_drafts.answer(lambda side: side.predict(video()))
    assert found.moment == "observed"
    told = damaged_drafts.error(lambda side: side.predict(DRAFT, moment="draft"), NoChampion)
    assert told.startswith("No model serves the moment draft: what was promoted for it is damaged. Served: early, ob")
    assert "tiercast doctor" in told
    score = damaged_drafts.answer(lambda side: side.score({"rules": 50}, video=DRAFT, moment="draft"))
    assert "damaged" in score.warnings[0]


# -- scores


def test_a_missing_signal_is_shared_out(both: Both) -> None:
    found = both.answer(lambda side: side.score({"behavioral": 72, "gemini": 64, "rules": 80, "trends": None}))
    assert found.missing == ("ml", "trends")
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-9)
    assert found.overall_score == round(sum(found.contributions.values()))
    assert found.ml is None


def test_the_signal_ml_is_the_prediction_of_the_video(both: Both) -> None:
    found = both.answer(lambda side: side.score({"behavioral": 72}, moment="observed", video=video()))
    assert found.ml == both.answer(lambda side: side.predict(video(), moment="observed"))[0]
    assert found.signals["ml"] == found.ml.score


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda side: side.score({}), "missing"),
        (lambda side: side.score({"behavioural": 3}), "did you mean 'behavioral'"),
        (lambda side: side.score({"behavioral": 101}), "101"),
        (lambda side: side.score({"ml": 3}, video=video()), "Both a video and the signal 'ml' were given"),
        (lambda side: side.score({"rules": 3}, video=BAD), "It has 10 likes but 3 views"),
    ],
)
def test_a_score_that_cannot_be_given_is_the_caller_s_mistake(both: Both, ask: Ask[object], told: str) -> None:
    assert told in both.error(ask, InvalidInput)


def test_a_score_goes_on_without_a_champion_and_says_so(nobody_serves: Both) -> None:
    found = nobody_serves.answer(lambda side: side.score({"rules": 3}, video=video()))
    assert found.overall_score == 3
    assert found.warnings[0].startswith("The signal 'ml' is missing. No model serves any moment yet")
    nobody_serves.error(lambda side: side.score({}, video=video()), Unavailable)


# -- videos


def test_items_are_stored_once_and_known_to_later_forecasts(both: Both) -> None:
    draft = {**DRAFT, "author": "newcomer", "platform": "tiktok"}
    unknown = both.answer(lambda side: side.predict(draft))
    items = [item(f"76{n:017}", author="newcomer", published_at="2025-05-01T00:00:00Z") for n in range(5)]
    first = both.answer(lambda side: side.ingest([*items, item("769", likes=5000)]))
    assert (first.read, first.stored, first.observations, first.rejected) == (6, 5, 5, 1)
    assert first.rejects == {"likes_exceed_views": 1}
    again = both.answer(lambda side: side.ingest([*items, item("769", likes=5000)]))
    assert (again.read, again.stored) == (0, 0)
    known = both.answer(lambda side: side.predict(draft))
    assert len(known[0].missing) < len(unknown[0].missing)


def test_platform_and_scrape_time_are_taken_where_items_state_none(both: Both) -> None:
    bare = {"video_id": "bare", "views": 10, "likes": 1}
    assert "platform" in both.error(lambda side: side.ingest(bare), InvalidInput)
    at = datetime(2025, 6, 1, tzinfo=UTC)
    assert both.answer(lambda side: side.ingest(bare, platform="tiktok", scraped_at=at)).stored == 1
    later = both.answer(lambda side: side.ingest({**bare, "views": 20}, platform="tiktok", scraped_at="2025-06-02"))
    assert (later.stored, later.observations) == (0, 1)


def test_thousands_are_stored_in_parts(both: Both) -> None:
    items = [item(f"75{number:017}") for number in range(1_500)]
    found = both.answer(lambda side: side.ingest(items))
    assert (found.read, found.stored, len(found.documents)) == (1_500, 1_500, 2)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda side: side.ingest([]), "No video was given"),
        (lambda side: side.ingest({"mood": 3}), "its fields are mood"),
        (lambda side: side.ingest(item(likes=5000)), "every row was rejected: 1 as likes_exceed_views"),
        (lambda side: side.ingest(item(), platform="my space!"), "is no platform name"),
        (lambda side: side.ingest(item(), scraped_at="yesterday"), "scraped_at 'yesterday' is no time"),
    ],
)
def test_what_cannot_be_stored_is_the_caller_s_mistake(both: Both, ask: Ask[object], told: str) -> None:
    assert told in both.error(ask, InvalidInput)


# -- models and runs


def test_models_name_who_serves(both: Both) -> None:
    found = both.answer(lambda side: side.models())
    assert [each.moment for each in found] == ["draft", "early", "observed"]
    (observed,) = both.answer(lambda side: side.models("observed"))
    assert observed == found[2]
    assert observed.champion in {each["release"] for each in observed.releases}
    assert "never" in both.error(lambda side: side.models("never"), InvalidInput)


def test_runs_are_listed_and_found_by_their_start(both: Both) -> None:
    newest = both.answer(lambda side: side.runs(2))
    assert len(newest) == 2
    assert newest[0].status == "promoted"
    assert newest[0].champion_after == newest[0].candidate
    assert both.answer(lambda side: side.run(newest[0].run)) == (newest[0],)
    assert both.error(lambda side: side.run("19990101T"), Missing).startswith("There is no run '19990101T'")
    assert "is not unique" in both.error(lambda side: side.run("2"), InvalidInput)


@pytest.mark.parametrize("limit", [0, 201, True, "3"])
def test_a_limit_out_of_range_is_the_caller_s_mistake(both: Both, limit: Any) -> None:
    assert "from 1 to 200" in both.error(lambda side: side.runs(limit), InvalidInput)


@pytest.mark.parametrize("run", ["", "..", "../models", "a/b", "x" * 101])
def test_what_is_no_id_of_a_run_is_never_sent(both: Both, run: str) -> None:
    assert "is no id of a run" in both.error(lambda side: side.run(run), InvalidInput)


def test_after_a_rollback_the_release_before_answers_at_once(both: Both) -> None:
    (before,) = both.answer(lambda side: side.predict(video()))
    opened, connected = (side.rollback(reason=" odd scores ") for side in (both.opened, both.connected))
    assert (opened.action, opened.reason, opened.previous) == ("rollback", "odd scores", before.release)
    assert (opened.release, opened.number) == (connected.release, connected.number)
    assert connected.actor == "API key settings"
    (after,) = both.answer(lambda side: side.predict(video()))
    assert after.release == opened.release != before.release
    back = {side.rollback(before.release[:12], reason="as before").release for side in (both.opened, both.connected)}
    assert back == {before.release}


@pytest.mark.parametrize(
    ("ask", "kind", "told"),
    [
        (lambda side: side.rollback(reason="  "), InvalidInput, "The reason has 0 characters"),
        (lambda side: side.rollback(reason="x" * 2_001), InvalidInput, "2,001 characters"),
        (lambda side: side.rollback("abcdef" * 6, reason="odd"), Missing, "No release of observed starts with"),
        (lambda side: side.rollback("latest", reason="odd"), InvalidInput, "'latest' is no release"),
        (lambda side: side.rollback(moment="early", reason="odd"), Missing, "No other release of early served before"),
        (lambda side: side.rollback(moment="never", reason="odd"), InvalidInput, "moment is 'never'"),
    ],
)
def test_a_rollback_that_cannot_be_is_told_alike(
    both: Both, ask: Ask[object], kind: type[TiercastError], told: str
) -> None:
    assert told in both.error(ask, kind)


def test_nothing_can_be_rolled_back_where_nothing_was_promoted(nobody_serves: Both) -> None:
    told = nobody_serves.error(lambda side: side.rollback(reason="odd"), Missing)
    assert told.startswith("Nothing was ever promoted")


# -- the object itself


def test_what_is_closed_answers_no_more(both: Both) -> None:
    for side in (Tiercast.open("nowhere"), Tiercast.connect(both.url, "a-secret")):
        assert "a-secret" not in repr(side)
        with side as entered:
            assert entered is side
        with pytest.raises(InvalidInput, match="is closed; open or connect again"):
            side.predict(video())
