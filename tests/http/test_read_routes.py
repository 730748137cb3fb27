"""Models, rollback and runs over HTTP: the same documents as the commands give."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from cli.program import item, tiercast
from tiercast.flows.keys import add_key
from tiercast.settings import read_settings
from tiercast.wiring import Wiring, now

pytest_plugins = ("http_homes",)


def champions(client: TestClient) -> dict[str, Any]:
    return {each["moment"]: each["champion"] for each in client.get("/v1/models").json()["moments"]}


def assert_problem(answer: Any, status: int, told: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert told in answer.json()["detail"]


# -- models


def test_models_are_the_command_s_document(once: TestClient, promoted_twice: Path) -> None:
    assert once.get("/v1/models").json() == tiercast("models", "--json", home=promoted_twice).document


def test_models_of_one_moment(once: TestClient) -> None:
    (models,) = once.get("/v1/models", params={"moment": "observed"}).json()["moments"]
    assert models["moment"] == "observed"
    assert [entry["number"] for entry in models["promotions"]] == [1, 2]
    assert "token" not in models["promotions"][0]


def test_a_moment_that_does_not_exist_is_a_problem_that_names_those_that_do(once: TestClient) -> None:
    assert_problem(once.get("/v1/models", params={"moment": "later"}), 422, "'draft', 'early' or 'observed'")


def test_a_home_without_models_has_none(serve: Callable[[Path], TestClient], tmp_path: Path) -> None:
    assert set(champions(serve(tmp_path / "empty")).values()) == {None}


# -- rollback


def test_a_rollback_serves_at_once_and_is_an_entry_as_the_command_gives(
    serve: Callable[[Path], TestClient], twice: Path
) -> None:
    client = serve(twice)
    before = champions(client)["observed"]
    answer = client.post("/v1/rollback", json={"reason": " short clips look wrong "})
    assert answer.status_code == 200, answer.text
    entry = answer.json()
    assert (entry["number"], entry["action"], entry["previous"]) == (3, "rollback", before)
    assert entry["reason"] == "short clips look wrong"
    assert entry["actor"] == "somebody on this machine, without an API key"
    assert "token" not in entry
    predicted = client.post("/v1/predict", json={"videos": [item()]}).json()["predictions"][0]
    assert predicted["release"] == entry["release"] != before
    assert champions(client)["observed"] == entry["release"]


def test_the_log_names_the_key_that_rolled_back(serve: Callable[[Path], TestClient], twice: Path) -> None:
    wiring = Wiring(read_settings(twice))
    key = add_key(wiring.keys, "ops", now=now()).key
    wiring.engine.dispose()
    client = serve(twice)
    assert_problem(client.post("/v1/rollback", json={"reason": "x"}), 401, "API key is missing")
    headers = {"authorization": f"Bearer {key}"}
    entry = client.post("/v1/rollback", json={"reason": "x", "moment": "observed"}, headers=headers).json()
    assert entry["actor"] == "API key ops"


def test_a_release_is_named_by_its_first_digits(serve: Callable[[Path], TestClient], twice: Path) -> None:
    client = serve(twice)
    first, second = (entry["release"] for entry in client.get("/v1/models").json()["moments"][2]["promotions"])
    answer = client.post("/v1/rollback", json={"reason": "x", "release": first[:10]})
    assert answer.json()["release"] == first
    assert client.post("/v1/rollback", json={"reason": "x", "release": second[:10]}).json()["release"] == second


@pytest.mark.parametrize(
    ("document", "status", "told"),
    [
        ({}, 422, "reason is missing"),
        ({"reason": "  "}, 422, "reason"),
        ({"reason": 7}, 422, "reason is 7"),
        ({"reason": "x" * 2_001}, 422, "reason"),
        ({"reason": "x", "moment": "later"}, 422, "moment is 'later'"),
        ({"reason": "x", "realease": "ab"}, 422, "no field 'realease'"),
        ({"reason": "x", "release": "zz"}, 422, "'zz' is no release"),
        ({"reason": "x", "release": "00000000"}, 404, "00000000"),
        ({"reason": "x", "moment": "draft"}, 404, "Nothing was ever promoted for draft"),
        ({"reason": "x", "moment": "draft"}, 404, "There are promotions for observed: name the moment."),
        ([], 422, "The body does not fit"),
    ],
)
def test_a_rollback_that_cannot_be_is_a_problem(once: TestClient, document: Any, status: int, told: str) -> None:
    assert_problem(once.post("/v1/rollback", json=document), status, told)


def test_half_an_emoji_is_no_reason(once: TestClient) -> None:
    body, headers = b'{"reason": "\\ud83d"}', {"content-type": "application/json"}
    assert_problem(once.post("/v1/rollback", content=body, headers=headers), 422, "reason")


def test_nothing_can_be_rolled_back_where_nothing_was_promoted(
    serve: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    assert_problem(
        serve(tmp_path / "empty").post("/v1/rollback", json={"reason": "x"}), 404, "Nothing was ever promoted"
    )


def test_a_model_store_that_is_gone_is_out_of_reach_and_not_empty(
    serve: Callable[[Path], TestClient], twice: Path
) -> None:
    client = serve(twice)
    (twice / "models").rename(twice / "elsewhere")
    for answer in (client.get("/v1/models"), client.post("/v1/rollback", json={"reason": "x"})):
        assert_problem(answer, 503, "The promotion log is gone; what serves from memory goes on.")
    assert not (twice / "models").exists()


# -- runs


def test_runs_are_the_command_s_documents_newest_first(once: TestClient, promoted_twice: Path) -> None:
    answer = once.get("/v1/runs")
    assert answer.json() == tiercast("runs", "--json", home=promoted_twice).document
    assert [run["status"] for run in answer.json()["runs"]] == ["promoted", "promoted"]
    assert once.get("/v1/runs", params={"limit": 1}).json()["runs"] == answer.json()["runs"][:1]


def test_one_run_is_found_by_its_id_and_by_the_start_of_it(once: TestClient) -> None:
    newest = once.get("/v1/runs").json()["runs"][0]
    for name in (newest["run"], newest["run"][:-1]):
        assert once.get(f"/v1/runs/{name}").json() == newest


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", ""])
def test_a_limit_that_is_none_is_a_problem(once: TestClient, limit: str) -> None:
    assert_problem(once.get("/v1/runs", params={"limit": limit}), 422, "limit is")


@pytest.mark.parametrize("run", ["zz", "%25", "..%2f..%2fvideos.db", "a%00b", "x" * 90])
def test_an_unknown_run_is_missing(once: TestClient, run: str) -> None:
    answer = once.get(f"/v1/runs/{run}")
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_damaged_run_file_is_named_without_its_path(serve: Callable[[Path], TestClient], twice: Path) -> None:
    (twice / "runs").mkdir(exist_ok=True)
    (twice / "runs" / "damaged.json").write_text("{")
    client = serve(twice)
    for address in ("/v1/runs", "/v1/runs/damaged"):
        answer = client.get(address)
        assert_problem(answer, 422, "The run file {home}/runs/damaged.json cannot be read")
        assert str(twice) not in answer.text


def test_a_database_that_fails_is_told_without_its_path(serve: Callable[[Path], TestClient], twice: Path) -> None:
    client = serve(twice)
    wiring = client.app.state.service.wiring  # type: ignore[attr-defined]
    with wiring.engine.begin() as connection:
        connection.execute(text("ALTER TABLE runs RENAME TO away"))
    answer = client.get("/v1/runs")
    assert_problem(answer, 503, "A store that this needs is out of reach")
    assert str(twice) not in answer.text
    assert "no such table" not in answer.text


# -- the document of the routes


def test_openapi_has_examples_and_problems_for_these_routes(once: TestClient) -> None:
    paths = once.get("/openapi.json").json()["paths"]
    for path, method in (
        ("/v1/models", "get"),
        ("/v1/rollback", "post"),
        ("/v1/runs", "get"),
        ("/v1/runs/{run}", "get"),
        ("/v1/videos", "post"),
        ("/v1/score", "post"),
    ):
        route = paths[path][method]
        assert {"200", "401", "422", "503"} <= set(route["responses"]), path
        if method == "post":
            assert "example" in json.dumps(route["requestBody"]), path


def test_a_run_that_goes_on_names_neither_host_nor_process(serve: Callable[[Path], TestClient], twice: Path) -> None:
    client = serve(twice)
    with client.app.state.service.wiring.lease("20261123T030000-1a2b3c"):  # type: ignore[attr-defined]
        document = client.get("/v1/runs/20261123T030000-1a2b3c").json()
    assert document.keys() == {"run", "status", "started_at", "runs"}
    assert document["status"] == "running"
