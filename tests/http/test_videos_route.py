"""``POST /v1/videos``: what ``tiercast ingest`` reads of a file, read of a request."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cli.program import item, tiercast, totals

pytest_plugins = ("http_homes",)

LINES = {"content-type": "application/x-ndjson"}
BAD = item("7500000000000000009", likes=5000)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return tmp_path / "empty"


def lines(*items: Any) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in items).encode()


def numbers(document: dict[str, Any]) -> tuple[int, ...]:
    return tuple(document[name] for name in ("read", "stored", "observations", "rejected"))


@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: {"data": items, "ok": True}])
def test_a_list_and_a_wrapped_list_are_stored_as_ingest_stores_them(
    serve: Callable[[Path], TestClient], empty: Path, tmp_path: Path, wrap: Callable[[Any], Any]
) -> None:
    body = wrap([item("7500000000000000001"), item("7500000000000000002"), BAD])
    answer = serve(empty).post("/v1/videos", json=body)
    assert answer.status_code == 200, answer.text
    file = tmp_path / "same.json"
    file.write_text(json.dumps(body))
    same = tiercast("ingest", file, "--json", home=tmp_path / "other").document
    same["files"][0] |= {"path": "request", "rejects_file": None}
    assert answer.json() == same
    assert numbers(answer.json()) == (3, 2, 2, 1)
    assert totals(empty) == (2, 2)


def test_json_lines_and_a_scraper_s_items_are_read(serve: Callable[[Path], TestClient], empty: Path) -> None:
    clockworks = {"id": "7301234567890123456", "createTimeISO": "2025-05-01T10:00:00Z", "playCount": 10, "diggCount": 1}
    clockworks |= {"authorMeta": {"name": "ana", "fans": 100}}
    answer = serve(empty).post(
        "/v1/videos", content=lines(clockworks, {**clockworks, "id": "8"}) + b"{\n", headers=LINES
    )
    document = answer.json()
    assert document["files"][0]["format"] == "clockworks"
    assert document["files"][0]["rejects"]["not_json"] == 1
    assert document["stored"] == 2


def test_the_same_body_twice_adds_nothing(serve: Callable[[Path], TestClient], empty: Path) -> None:
    client = serve(empty)
    first, second = (client.post("/v1/videos", json=[item()]).json() for _ in range(2))
    assert numbers(first) == (1, 1, 1, 0)
    assert numbers(second) == (0, 0, 0, 0)
    assert second["files"][0]["read_before"]


@pytest.mark.parametrize("headers", [LINES, {"content-type": "Application/JSON; charset=utf-8"}])
def test_a_byte_order_mark_and_how_the_kind_is_written_do_no_harm(
    serve: Callable[[Path], TestClient], empty: Path, headers: dict[str, str]
) -> None:
    answer = serve(empty).post("/v1/videos", content=b"\xef\xbb\xbf" + lines(item()), headers=headers)
    assert answer.status_code == 200, answer.text
    assert numbers(answer.json()) == (1, 1, 1, 0)


def test_platform_and_scrape_time_are_taken_where_items_state_none(
    serve: Callable[[Path], TestClient], empty: Path
) -> None:
    client, bare = serve(empty), {"video_id": "abc", "views": 10, "likes": 1}
    refused = client.post("/v1/videos", json=[bare])
    assert refused.status_code == 422
    taken = client.post("/v1/videos", json=[bare], params={"platform": "TikTok", "scraped_at": "2025-06-01"})
    assert numbers(taken.json()) == (1, 1, 1, 0)
    assert taken.json()["scrape_time_guessed"] == 0


def test_no_answer_tells_where_refused_rows_are_kept(serve: Callable[[Path], TestClient], empty: Path) -> None:
    client = serve(empty)
    some, none = client.post("/v1/videos", json=[item(), BAD]), client.post("/v1/videos", json=[BAD])
    assert (some.status_code, none.status_code) == (200, 422)
    assert none.json()["detail"].startswith("request: every row was rejected: 1 as likes_exceed_views")
    assert none.json()["rejected"] == 1
    for answer in (some, none):
        assert answer.json()["files"][0]["reject_examples"]["likes_exceed_views"].startswith("It has 5000 likes")
        assert str(empty) not in answer.text
        assert ".jsonl" not in answer.text
    assert len([*(empty / "rejects").glob("*.jsonl")]) == 1  # the same row, kept once


def test_refused_rows_of_requests_at_the_same_time_are_all_kept(
    serve: Callable[[Path], TestClient], empty: Path
) -> None:
    client = serve(empty)

    def send(number: int) -> int:
        bad = [item(f"75000000000000{number:02}{row:03}", likes=5000) for row in range(100)]
        return client.post("/v1/videos", json=[item(str(number)), *bad]).json()["rejected"]

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(send, range(8))] == [100] * 8
    kept = [line for file in (empty / "rejects").iterdir() for line in file.read_text().splitlines()]
    assert len({json.loads(line)["row"]["video_id"] for line in kept}) == len(kept) == 800


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (b"", {}, 400, "empty"),
        (b"[{]", {}, 400, "no JSON"),
        (b'[{"video_id": "1", "views": NaN}]', {}, 400, "no JSON"),
        (b"7", {}, 400, "no list of items"),
        (b"video_id,views\n1,10\n", LINES, 400, "no list of items"),
        (gzip.compress(lines(item()), mtime=0), LINES, 400, "no list of items"),
        (gzip.compress(lines(item()), mtime=0), {}, 400, "no JSON"),
        (b"video_id,views\n1,10\n", {"content-type": "text/csv"}, 415, "text/csv"),
        (b"[" * 5_000 + b"]" * 5_000, {}, 400, "no JSON"),
        (b"[]", {}, 422, "empty list"),
        (b'[{"mood": 3}]', {}, 422, "no known shape: its fields are mood"),
        (b'{"a": [{"video_id": "1"}], "b": [{"video_id": "1"}]}', {}, 422, "wraps 2 lists"),
        (b"[" + b"{}," * 1_000 + b"{}]", {}, 413, "1,001 items; 1,000 are allowed"),
        (b"{}\n" * 1_001, LINES, 413, "1,001 items"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, bytes | str) else None,
)
def test_what_cannot_be_read_is_a_problem(
    once: TestClient, body: bytes, headers: dict[str, str], status: int, told: str
) -> None:
    answer = once.post("/v1/videos", content=body, headers={"content-type": "application/json", **headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"platform": "my space!"}, "no platform name; write tiktok, youtube or instagram"),
        ({"scraped_at": "yesterday"}, "scraped_at 'yesterday' is no time; write 2026-11-01T06:00:00Z"),
        ({"platform": "x" * 65}, "platform is 'xxx"),
    ],
)
def test_a_wrong_query_is_a_problem(once: TestClient, query: dict[str, str], told: str) -> None:
    answer = once.post("/v1/videos", json=[item()], params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert told in answer.json()["detail"]
