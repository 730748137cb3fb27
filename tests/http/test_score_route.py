"""``POST /v1/score``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cli.program import item

pytest_plugins = ("http_homes",)

SIGNALS = {"behavioral": 72, "gemini": 64, "rules": 80, "trends": None}


def test_the_score_of_a_video_holds_what_predict_says_of_it(once: TestClient) -> None:
    predicted = once.post("/v1/predict", json={"videos": [item()]}).json()["predictions"][0]
    answer = once.post("/v1/score", json={"signals": SIGNALS, "video": item()})
    assert answer.status_code == 200
    document = answer.json()
    assert document["ml"] == predicted
    assert document["signals"] == {"behavioral": 72, "gemini": 64, "ml": predicted["score"], "rules": 80}
    assert (document["missing"], document["warnings"]) == (["trends"], [])
    assert sum(document["weights"].values()) == pytest.approx(1, abs=1e-9)
    assert document["overall_score"] == int(sum(document["contributions"].values()) + 0.5)


def test_a_moment_that_nobody_serves_is_a_missing_signal_with_a_warning(once: TestClient) -> None:
    document = once.post("/v1/score", json={"signals": SIGNALS, "moment": "draft", "video": item()}).json()
    assert (document["overall_score"], document["ml"], document["missing"]) == (71, None, ["ml", "trends"])
    assert "No model serves the moment draft yet" in document["warnings"][0]


def test_a_draft_that_no_champion_answers_is_one_too(once: TestClient) -> None:
    draft = {"video_id": "7301234567890123456", "description": "soon"}
    document = once.post("/v1/score", json={"signals": SIGNALS, "video": draft}).json()
    assert (document["overall_score"], document["ml"]) == (71, None)
    assert "no model serves draft" in document["warnings"][0]


def test_without_any_champion_only_a_video_alone_is_unavailable(
    serve: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    client = serve(tmp_path / "empty")
    assert client.post("/v1/score", json={"signals": SIGNALS}).json()["overall_score"] == 71
    with_video = client.post("/v1/score", json={"signals": SIGNALS, "video": item()})
    assert with_video.json()["warnings"][0].startswith("The signal 'ml' is missing. No model serves any moment yet")
    alone = client.post("/v1/score", json={"video": item()})
    assert (alone.status_code, alone.headers["content-type"]) == (503, "application/problem+json")
    assert "all there was to score by" in alone.json()["detail"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "Every signal is missing"),
        ({"signals": {"behavioral": None}}, "Every signal is missing"),
        ({"signals": {"behavioural": 3}}, "did you mean 'behavioral'"),
        ({"signals": {"rules": 101}}, "The signal 'rules' is 101; a signal is a number of 0 to 100"),
        ({"signals": {"rules": True}}, "The signal 'rules' is True"),
        ({"signals": {"rules": "80"}}, "The signal 'rules' is '80'"),
        ({"signals": {"rules": 10**400}}, "a number of more than 1,000 bits"),
        ({"signals": {"ml": 3}, "video": item()}, "Both a video and the signal 'ml' were given"),
        ({"signals": [3]}, "The field 'signals' is a list of 1"),
        ({"signal": {}}, "did you mean 'signals'"),
        ({"moment": "later"}, "The field 'moment' is 'later'; the moments are draft, early, observed"),
        ({"video": {"mood": 3}}, "mood"),
        ({"video": item(likes=5000)}, "The video cannot be predicted. It has 5000 likes but 1000 views"),
        ({"moment": "observed", "video": {"video_id": "7301234567890123456", "author": "a"}}, "needs views above 0"),
        ([1], "this is a list of 1"),
    ],
)
def test_what_cannot_be_scored_is_a_problem_that_says_why(once: TestClient, document: Any, told: str) -> None:
    answer = once.post("/v1/score", json=document)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b'{"signals": {"rules": NaN}}', 400), (b"[" * 100_000, 400), (b"\xff\xfe{}", 400)],
)
def test_a_body_that_is_no_json_is_malformed(once: TestClient, body: bytes, status: int) -> None:
    answer = once.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (status, "urn:tiercast:malformed")


def test_half_an_emoji_in_a_name_or_a_value_is_refused_like_any_other(once: TestClient) -> None:
    for body in (b'{"signals": {"\\ud83d": 3}}', b'{"signals": {"rules": "\\ud83d"}}', b'{"\\ud83d": 3}'):
        answer = once.post("/v1/score", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text
