"""What machines ask: alive, ready, metrics."""

import re
from pathlib import Path

import pytest
from http_service import client_of, video
from starlette.testclient import TestClient

from cli.program import tiercast
from tiercast.http.service import Service


def metrics(client: TestClient) -> dict[str, float]:
    """Every sample of the page by its name and labels."""
    page = client.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", page, flags=re.MULTILINE)}


def test_ready_means_that_a_champion_answers(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert set(answer.json()["champions"]) == {"draft", "early", "observed"}
    assert answer.json()["shortcomings"] == {}


def test_a_load_balancer_may_ask_for_the_head_alone(client: TestClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == client.get(path).headers["content-length"]


def test_degraded_is_still_ready_and_says_what_is_missing(home: Path) -> None:
    (home / "tiercast.toml").write_text('database_url = "sqlite:///{home}/videos.db"\n')
    with client_of(home) as client:
        service: Service = client.app.state.service  # type: ignore[attr-defined]
        (home / "videos.db").rename(home / "elsewhere.db")
        (home / "videos.db").mkdir()
        (home / "models").rename(home / "gone")
        (home / "models").write_text("a file where a folder belongs")
        service.wiring.engine.dispose()
        service.look_around()
        answer = client.get("/readyz")
        predicted = client.post("/v1/predict", json={"videos": [video()], "moment": "observed"})
        draft = client.post("/v1/predict", json={"videos": [{"video_id": "d", "author": "ana"}], "moment": "draft"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert {"video_store", "model_store"} <= set(answer.json()["shortcomings"])
    assert str(home) not in answer.text
    assert predicted.status_code == draft.status_code == 200
    assert "out of reach" in draft.json()["warnings"][0]
    assert predicted.json()["warnings"] == []


def test_requests_predictions_and_champions_are_counted(client: TestClient) -> None:
    told = client.post("/v1/predict", json={"videos": [video(), video(1, likes=9, views=3)]}).json()
    tier = told["predictions"][0]["tier"]
    found = metrics(client)
    assert found['tiercast_requests_total{method="POST",route="/v1/predict",status="200"}'] == 1
    assert found['tiercast_request_seconds_count{route="/v1/predict"}'] == 1
    assert found[f'tiercast_predictions_total{{moment="observed",tier="{tier}"}}'] == 1
    assert found['tiercast_unanswered_total{reason="likes_exceed_views"}'] == 1
    assert found['tiercast_champion_age_seconds{moment="observed"}'] > 0
    assert found['tiercast_training_age_seconds{moment="observed"}'] > 0
    assert found["tiercast_ready"] == 1


def test_the_newest_run_of_each_moment_is_told_whoever_ran_it(home: Path) -> None:
    with client_of(home) as client:
        before = metrics(client)
        assert (
            before['tiercast_last_run{moment="observed",status="promoted"}']
            + before['tiercast_last_run{moment="observed",status="rejected"}']
            == 1
        )
        done = tiercast("retrain", "--moment", "observed", "--json", home=home, TIERCAST_RETRAIN__MIN_VIDEOS="9999999")
        client.app.state.service.look_around()  # type: ignore[attr-defined]
        after = metrics(client)
    assert done.document["status"] == "held"
    assert after['tiercast_last_run{moment="observed",status="held"}'] == 1
    assert after['tiercast_last_run{moment="observed",status="promoted"}'] == 0
    objections = {each["code"] for each in done.document["findings"] if each["outcome"] in ("fail", "inconclusive")}
    assert objections
    for code in objections:
        assert after[f'tiercast_last_run_objection{{code="{code}",moment="observed"}}'] == 1


def test_unknown_addresses_make_no_new_series(client: TestClient) -> None:
    for number in range(20):
        client.get(f"/nothing/{number}")
    assert sum("route=" in name and "requests_total" in name for name in metrics(client)) <= 3


def test_what_is_refused_before_its_route_is_counted_and_logged_under_that_route(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiercast("keys", "add", "app", home=home)
    asked = [
        ("POST", "/v1/predict"),
        ("GET", "/v1/runs/a"),
        ("GET", "/v1/runs/b"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/"),
        ("GET", "/v1/nothing"),
    ]
    with client_of(home) as client:
        assert {client.request(method, path).status_code for method, path in asked} == {401}
        page: str = client.app.state.service.metrics.page().decode()  # type: ignore[attr-defined]
    found = re.findall(r'tiercast_requests_total{method="(\w+)",route="([^"]+)",status="401"} (\S+)', page)
    assert sorted(found) == [
        ("GET", "/", "1.0"),
        ("GET", "/metrics", "1.0"),
        ("GET", "/openapi.json", "1.0"),
        ("GET", "/v1/runs/{run}", "2.0"),
        ("GET", "unmatched", "1.0"),
        ("POST", "/v1/predict", "1.0"),
    ]
