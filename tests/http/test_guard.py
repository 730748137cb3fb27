"""Who may ask, and how much."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_service import client_of, video
from starlette.testclient import TestClient

from cli.program import tiercast

ROUTES = [
    ("GET", "/"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/models"),
    ("GET", "/v1/runs"),
    ("POST", "/v1/predict"),
    ("POST", "/v1/score"),
    ("POST", "/v1/videos"),
    ("POST", "/v1/rollback"),
    ("GET", "/models/observed/promotions/00000001.json"),
    ("GET", "/tiercast.toml"),
    ("GET", "/../tiercast.toml"),
]


@pytest.fixture
def client(shared_client: TestClient) -> TestClient:
    """A service that is only asked."""
    return shared_client


@pytest.fixture
def locked(home: Path) -> Iterator[tuple[TestClient, str]]:
    key = tiercast("keys", "add", "app", home=home).out.strip()
    with client_of(home) as client:
        yield client, key


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_with_a_key_nothing_but_health_is_open(locked: tuple[TestClient, str], method: str, path: str) -> None:
    client, key = locked
    for bearer in ("", "Bearer", "Bearer wrong", f"Basic {key}", f"Bearer {key}x", f"Bearer {key[:-1]}"):
        answer = client.request(method, path, headers={"Authorization": bearer})
        assert answer.status_code == 401, bearer
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["type"] == "urn:tiercast:unauthorized"
    assert client.request(method, path, headers={"Authorization": f"Bearer {key}"}).status_code != 401
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_a_revoked_key_opens_nothing_after_the_next_look(home: Path) -> None:
    keys = [tiercast("keys", "add", name, home=home).out.strip() for name in ("app", "other")]
    with client_of(home) as client:
        opened = [client.get("/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code for key in keys]
        tiercast("keys", "revoke", "app", home=home)
        client.app.state.service.look_around()  # type: ignore[attr-defined]
        after = [client.get("/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code for key in keys]
    assert (opened, after) == ([200, 200], [401, 200])


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil", "0.0.0.0:8000"])
def test_without_a_key_only_loopback_names_are_answered(client: TestClient, host: str) -> None:
    answer = client.get("/v1/models", headers={"Host": host})
    assert answer.status_code == 421
    assert "this server answers to 127.0.0.1" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]", "[::1]:8000"])
def test_loopback_names_are(client: TestClient, host: str) -> None:
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


def test_without_a_key_a_page_of_another_site_may_not_ask(client: TestClient) -> None:
    body = json.dumps({"reason": "x"})
    for origin in ("https://evil.example", "null", "http://localhost:1"):
        headers = {"Origin": origin, "Content-Type": "application/json"}
        assert client.post("/v1/rollback", content=body, headers=headers).status_code == 403
    own = client.post("/v1/predict", json={"videos": [video()]}, headers={"Origin": "http://localhost"})
    assert own.status_code == 200


def test_named_hosts_are_the_only_ones(home: Path) -> None:
    (home / "tiercast.toml").write_text('api_key = "k"\n[serve]\nhosts = ["models.example"]\n')
    with client_of(home, Authorization="Bearer k") as client:
        assert client.get("/v1/models", headers={"Host": "models.example:443"}).status_code == 200
        assert client.get("/v1/models", headers={"Host": "localhost"}).status_code == 421
        assert client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


def test_a_body_beyond_the_limit_is_refused_announced_or_not(home: Path) -> None:
    (home / "tiercast.toml").write_text("[serve]\nmax_body_bytes = 1000\n")

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    with client_of(home) as client:
        announced = client.post("/v1/predict", content=b" " * 2000)
        streamed = client.post("/v1/predict", content=pieces())
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert "A body may hold 1,000 bytes" in answer.json()["detail"]


def test_a_head_beyond_the_limit_is_refused(client: TestClient) -> None:
    assert client.get("/v1/models", headers={"X-Long": "a" * 20_000}).status_code == 431
    assert client.get(f"/v1/models?{'a' * 20_000}").status_code == 431


def test_every_answer_has_its_id_and_the_headers_that_browsers_heed(client: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/v1/models"):
        headers = client.get(path, headers={"X-Request-Id": "mine-1"}).headers
        assert headers["x-request-id"] == "mine-1"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
    assert client.get("/healthz", headers={"X-Request-Id": "a\tb"}).headers["x-request-id"] != "a\tb"


def test_what_does_not_exist_is_a_problem_too(client: TestClient) -> None:
    missing = client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:tiercast:not-found")
    method = client.get("/v1/predict")
    assert (method.status_code, method.headers["allow"]) == (405, "POST")
    assert method.headers["content-type"] == "application/problem+json"
