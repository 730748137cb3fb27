"""``POST /v1/predict`` as callers use it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from http_service import CLOCKWORKS, client_of, video
from starlette.testclient import TestClient

from cli.program import tiercast


@pytest.fixture
def client(shared_client: TestClient) -> TestClient:
    """A service that is only asked."""
    return shared_client


def ask(client: TestClient, *videos: object, **more: object) -> Any:
    return client.post("/v1/predict", json={"videos": list(videos), **more})


def test_one_video_gets_one_prediction(client: TestClient) -> None:
    answer = ask(client, video())
    assert answer.status_code == 200
    document = answer.json()
    assert [each["video_id"] for each in document["predictions"]] == [video()["video_id"]]
    assert document["refused"] == []
    assert document["predictions"][0]["moment"] == "observed"
    assert "save_rate" in document["predictions"][0]["missing"]


def test_the_route_answers_as_the_command(three_champions: Path, client: TestClient, tmp_path: Path) -> None:
    videos = [video(number) for number in range(40)] + [{"video_id": f"draft{n}", "author": "ana"} for n in range(5)]
    (tmp_path / "videos.json").write_text(json.dumps([{**each, "views": each.get("views")} for each in videos]))
    told = tiercast("predict", tmp_path / "videos.json", "--json", home=three_champions).lines
    answered = ask(client, *[{**each, "views": each.get("views")} for each in videos]).json()["predictions"]
    assert answered == told


def test_many_at_once_get_what_each_gets_alone(client: TestClient) -> None:
    videos = [video(number % 30, likes=number) for number in range(60)]  # the same id twice, with other counts
    alone = [ask(client, each).json() for each in videos]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(lambda each: ask(client, each).json(), videos))
    assert together == alone


def test_a_bad_video_among_many_does_not_stop_the_others(client: TestClient) -> None:
    bad = video(1, likes=10, views=3)
    answer = ask(client, video(0), bad, video(2)).json()
    assert [each["video_id"] for each in answer["predictions"]] == [video(0)["video_id"], video(2)["video_id"]]
    assert answer["refused"] == [
        {
            "video_id": bad["video_id"],
            "reason": "likes_exceed_views",
            "detail": "It has 10 likes but 3 views; a video has at most one like a view.",
        }
    ]


def test_a_bad_video_by_itself_is_a_problem_that_says_why(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: ask(client, video(n, likes=10 + n, views=3)), range(16)))
    for number, answer in enumerate(answers):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:tiercast:invalid"
        assert answer.json()["detail"].startswith(f"It has {10 + number} likes but 3 views")


def test_scraper_items_are_read_as_ingest_reads_them(client: TestClient) -> None:
    read = ask(client, CLOCKWORKS)
    assert read.status_code == 200, read.text
    assert read.json()["predictions"][0]["video_id"] == CLOCKWORKS["id"]
    unread = ask(client, {"made": "up"})
    assert unread.status_code == 422
    assert "its fields are made" in unread.json()["detail"]


def test_half_an_emoji_does_not_spoil_a_request(client: TestClient) -> None:
    body = json.dumps({"videos": [video(description="cut \ud83d")]}).encode()
    answer = client.post("/v1/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "The body is empty"),
        (b"\xff\xfe{", 400, "The body is no JSON in UTF-8"),
        (b'{"videos": [NaN]}', 400, "The body is no JSON"),
        (b"[" * 100_000, 400, "recursion limit exceeded"),
        (b'{"videos": [{"a": "\\ud83d' + b"[" * 10, 400, "The body is no JSON"),
        (b"[]", 422, "the document is []"),
        (b"{}", 422, "videos is missing"),
        (b'{"videos": []}', 422, "videos is []: list should have at least 1 item"),
        (b'{"videos": {}}', 422, "videos is {}: input should be a valid list"),
        (b'{"videos": [3]}', 422, "videos.0 is 3: input should be an object"),
        (b'{"videos": [{"video_id": "1"}], "moments": "draft"}', 422, "there is no field 'moments'"),
        (b'{"videos": [{"video_id": "1"}], "moment": "never"}', 422, "moment is 'never'"),
        (b'{"videos": [{"video_id": "1"}], "platform": "..."}', 422, "platform '...' is no platform name"),
        (b'{"videos": [{"video_id": 1.5e18, "views": 3}]}', 422, "floating-point numbers"),
    ],
)
def test_a_body_that_cannot_be_used_is_told_what_is_wrong(
    client: TestClient, body: bytes, status: int, told: str
) -> None:
    answer = client.post("/v1/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert told in answer.json()["detail"]


def test_a_moment_that_a_video_is_not_in_is_refused(client: TestClient) -> None:
    answer = ask(client, {"video_id": "1", "author": "ana"}, moment="observed")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "The moment observed needs views above 0."


def test_more_videos_than_allowed_are_refused_whole(home: Path) -> None:
    (home / "tiercast.toml").write_text("[serve]\nmax_videos = 3\n")
    with client_of(home) as client:
        answer = ask(client, *[video(number) for number in range(4)])
    assert answer.status_code == 413
    assert "holds 4 videos; 3 are allowed" in answer.json()["detail"]


def test_without_a_champion_nothing_is_made_up(tmp_path: Path) -> None:
    with client_of(tmp_path / "empty") as client:
        answer = ask(client, video())
        assert client.get("/readyz").status_code == 503
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:tiercast:no-champion"
    assert "tiercast retrain" in answer.json()["detail"]


def test_reasons_are_given_where_they_are_asked_for(client: TestClient) -> None:
    assert "reasons" not in ask(client, video()).json()["predictions"][0]
    assert set(ask(client, video(), reasons=True).json()["predictions"][0]["reasons"]) == {"changeable", "given"}
    too_many = ask(client, *[video(number) for number in range(101)], reasons=True)
    assert too_many.status_code == 422


def test_a_field_that_nearly_is_one_is_pointed_out(client: TestClient) -> None:
    assert ask(client, video(veiws=3)).json()["warnings"] == ["The field 'veiws' is not read; did you mean views?"]


def test_unread_fields_of_one_video_are_named_with_the_columns_that_they_may_be(client: TestClient) -> None:
    other = {"video_id": "x", "author": "zed", "views_count": 5_000, "likeCount": 3, "creator_username": "zed"}
    answer = ask(client, {**other, "c" * 50: 1}).json()
    assert [each["moment"] for each in answer["predictions"]] == ["draft"]
    assert answer["warnings"] == [
        "The field 'views_count' is not read; did you mean views?",
        "The field 'likeCount' is not read; did you mean likes?",
        "Without views the video is taken for a draft.",
        f"Not read: 'creator_username', '{'c' * 40}'.",
    ]
    assert ask(client, video(views_count=3, mood=3)).json()["warnings"] == ["Not read: 'views_count', 'mood'."]


def test_unread_fields_of_several_videos_and_of_scrapers_are_not(client: TestClient) -> None:
    assert ask(client, video(mood=3), video(1, mood=3)).json()["warnings"] == []
    assert ask(client, {**CLOCKWORKS, "isPinned": False, "veiws": 3, "mood": 3}).json()["warnings"] == []


def test_a_video_id_alone_is_a_draft_and_beside_unread_fields_it_is_not(client: TestClient) -> None:
    answer = ask(client, {"video_id": "x"}, moment="draft").json()
    assert [(each["video_id"], each["moment"]) for each in answer["predictions"]] == [("x", "draft")]
    refused = ask(client, {"video_id": "x", "caption": "Sourdough"}, moment="draft")
    assert refused.status_code == 422
    assert "of drafts (for predict only) video_id and what is known of the post, such as" in refused.json()["detail"]


def test_posts_to_come_may_stand_among_posted_ones(client: TestClient) -> None:
    draft = {"video_id": "next", "platform": "tiktok", "author": "zed", "duration_seconds": 10}
    answer = ask(client, video(), draft, video(1)).json()
    assert [each["moment"] for each in answer["predictions"]] == ["observed", "draft", "observed"]
    assert answer["predictions"][1]["tier"] == ask(client, draft).json()["predictions"][0]["tier"]
    strange = ask(client, video(), {"video_id": "odd", "veiws": 3}).json()
    assert [each["video_id"] for each in strange["refused"]] == ["odd"]


def test_a_million_odd_fields_keep_nobody_busy(client: TestClient) -> None:
    odd = {f"author_folowers{number}": 1 for number in range(200_000)}
    answer = ask(client, video(**odd))
    assert answer.status_code == 200
    assert len(answer.json()["warnings"]) == 11
    assert answer.json()["warnings"][-1].endswith("and 199,980 more.")
    draft = {"video_id": "next", "author": "zed", "duration_seconds": 10, **odd}
    assert ask(client, draft).status_code == 200
