"""Scores as callers ask for them: what a request may hold, and what a prediction or its absence does to a score."""

from typing import Any

import pytest

from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.given import NO_PREDICTION, Unanswered
from tiercast.flows.score import Forecast, ScoreRequest, forecast_of, score

WEIGHTS = {"behavioral": 0.35, "gemini": 0.25, "ml": 0.15, "rules": 0.15, "trends": 0.10}
VIDEO = {"video_id": "1", "views": 10}
PREDICTION: dict[str, Any] = {"video_id": "1", "score": 61.4}


def asked(**document: object) -> ScoreRequest:
    return ScoreRequest.of(document, WEIGHTS)


def test_the_prediction_s_score_is_the_signal_ml() -> None:
    scored = score(WEIGHTS, asked(signals={"rules": 40}, video=VIDEO), Forecast(PREDICTION))
    document = scored.to_document()
    assert document["signals"] == {"ml": 61.4, "rules": 40.0}
    assert document["contributions"] == pytest.approx({"ml": 30.7, "rules": 20.0})
    assert (document["overall_score"], document["ml"], document["warnings"]) == (51, PREDICTION, [])
    assert document["missing"] == ["behavioral", "gemini", "trends"]


def test_a_signal_ml_of_the_caller_s_own_is_taken_as_it_is() -> None:
    document = score(WEIGHTS, asked(signals={"ml": 50.5})).to_document()
    assert (document["overall_score"], document["ml"], document["signals"]) == (51, None, {"ml": 50.5})


def test_a_null_for_ml_leaves_room_for_the_prediction() -> None:
    scored = score(WEIGHTS, asked(signals={"ml": None}, video=VIDEO), Forecast(PREDICTION))
    assert scored.to_document()["signals"] == {"ml": 61.4}


def test_a_video_without_a_champion_is_a_missing_signal_and_never_a_default() -> None:
    document = score(WEIGHTS, asked(signals={"rules": 40}, video=VIDEO), Forecast(why_none="No model.")).to_document()
    assert (document["overall_score"], document["ml"]) == (40, None)
    assert "ml" in document["missing"]  # type: ignore[operator]
    assert document["warnings"] == ["The signal 'ml' is missing. No model."]


def test_where_only_the_champion_could_have_scored_it_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"The video is all there was to score by.*No model\."):
        score(WEIGHTS, asked(signals={"rules": None}, video=VIDEO), Forecast(why_none="No model."))
    with pytest.raises(InvalidInput, match="Every signal is missing"):
        score(WEIGHTS, asked())


def test_a_moment_without_a_video_is_told() -> None:
    document = score(WEIGHTS, asked(signals={"rules": 40}, moment="draft")).to_document()
    assert document["warnings"] == [
        "A moment says how a video is predicted; no video was given, so it changed nothing."
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "this is a list of 0"),
        (None, "this is None"),
        ({"signal": {}}, r"no field 'signal'; did you mean 'signals'\? The fields are signals, moment, video"),
        ({"signals": [1]}, "The field 'signals' is a list of 1; it has to be an object, or null"),
        ({"video": "v"}, "The field 'video' is 'v'; it has to be an object"),
        ({"moment": "now"}, "The field 'moment' is 'now'; the moments are draft, early, observed"),
        ({"moment": True}, "The field 'moment' is True"),
        ({"signals": {"rules": True}}, "The signal 'rules' is True"),
        ({"signals": {"mood": 1}}, "There is no signal 'mood'"),
        ({"signals": {"ml": 3}, "video": VIDEO}, r"Both a video and the signal 'ml' were given.*\(3\)"),
    ],
)
def test_what_does_not_fit_is_named(document: object, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        ScoreRequest.of(document, WEIGHTS)


def test_a_video_needs_a_signal_that_its_prediction_can_be() -> None:
    with pytest.raises(InvalidInput, match=r"score\.weights has no signal 'ml'.*it has rules, mood"):
        ScoreRequest.of({"signals": {"rules": 3}, "video": VIDEO}, {"rules": 1, "mood": 2})


def test_only_a_video_that_nobody_answers_lacks_a_prediction_without_blame() -> None:
    nobody = Unanswered("1", NO_PREDICTION, "No model serves draft.")
    assert forecast_of([PREDICTION], [], None) == Forecast(PREDICTION)
    assert forecast_of([], [nobody], None) == Forecast(why_none="No model serves draft.")
    with pytest.raises(InvalidInput, match=r"cannot be predicted\. No model serves draft"):
        forecast_of([], [nobody], Moment.OBSERVED)
    with pytest.raises(InvalidInput, match="It has 9 likes"):
        forecast_of([], [Unanswered("1", "likes_exceed_views", "It has 9 likes but 3 views.")], None)
    with pytest.raises(InvalidInput, match="no sound row"):
        forecast_of([], [], None)
