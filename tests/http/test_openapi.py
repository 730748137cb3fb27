"""The whole OpenAPI document against the real program: what it promises is what comes."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import schemathesis
from http_service import Program, client_of, program
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tiercast.http.app import create_app
from tiercast.http.guard import CRON_PATH, OLD_CRON_PATH
from tiercast.http.openapi import ANYWHERE
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 60
"""Requests of each operation and kind: all of them take half a minute."""
PROBLEM = "application/problem+json"
OPEN = ("/healthz", "/readyz")
PAGES = {"/"}
"""For people."""
OPERATIONS = [
    ("get", "/healthz"),
    ("get", "/metrics"),
    ("get", "/readyz"),
    ("get", CRON_PATH),
    ("get", "/v1/models"),
    ("get", "/v1/runs"),
    ("get", "/v1/runs/{run}"),
    ("post", CRON_PATH),
    ("post", "/v1/predict"),
    ("post", "/v1/rollback"),
    ("post", "/v1/score"),
    ("post", "/v1/videos"),
]
WITHOUT_INPUT = ("/healthz", "/metrics", "/readyz")
ASKED = [(*each, GenerationMode.POSITIVE) for each in OPERATIONS] + [
    (*each, GenerationMode.NEGATIVE) for each in OPERATIONS if each[1] not in WITHOUT_INPUT
]
Case = schemathesis.Case


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of any home: it does not depend on what is in it."""
    found: dict[str, Any] = create_app(Wiring(read_settings(tmp_path_factory.mktemp("any") / "home"))).openapi()
    return found


@pytest.fixture(scope="module")
def served(three_champions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for all requests; no cron secret is set, so that none of them starts a retrain."""
    home = Path(shutil.copytree(three_champions, tmp_path_factory.mktemp("stranger") / "home"))
    with program(home) as found:
        yield found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, one) for path, all_of_it in document["paths"].items() for method, one in all_of_it.items()]


# -- requests that nobody thought of


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_no_request_gets_an_answer_that_is_not_announced(
    document: dict[str, Any], served: Program, method: str, path: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(document)[path][method.upper()]

    @seed(20261126)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        answer = case.call(base_url=served.url)
        assert answer.status_code < 500 or (answer.status_code, path) == (503, CRON_PATH), answer.text
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == PROBLEM
            assert answer.json()["status"] == answer.status_code
        assert "Traceback" not in answer.text

    ask()
    assert served.process.poll() is None


def test_afterwards_it_is_ready_and_its_log_tells_of_no_fault(served: Program) -> None:
    assert httpx2.get(f"{served.url}/readyz").json()["status"] == "ready"
    assert {line["event"] for line in served.lines() if line["level"] in ("error", "critical")} == set()


# -- what it says


def test_every_route_is_told_but_the_address_of_former_cron_jobs(document: dict[str, Any], tmp_path: Path) -> None:
    assert sorted((method, path) for method, path, _ in operations(document)) == sorted(OPERATIONS)
    app = create_app(Wiring(read_settings(tmp_path / "home")))
    untold = {path for path in _paths(app.routes) if path not in document["paths"]}
    assert untold - PAGES == {OLD_CRON_PATH, "/openapi.json"}


def _paths(routes: Any) -> Iterator[str]:
    for route in routes:
        if hasattr(route, "path"):
            yield route.path
        else:
            yield from _paths(route.original_router.routes)


def test_every_route_says_what_it_does_who_may_ask_and_what_may_go_wrong(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {name: (each["type"], each["scheme"]) for name, each in schemes.items()} == {
        "api_key": ("http", "bearer"),
        "cron_secret": ("http", "bearer"),
    }
    for _, path, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        scheme = "cron_secret" if path == CRON_PATH else "api_key"
        assert operation["security"] == ([] if path in OPEN else [{scheme: []}])
        assert {str(int(status)) for status in ANYWHERE} <= set(operation["responses"])
        assert ("401" in operation["responses"]) == (path not in OPEN)
        for status, told in operation["responses"].items():
            if int(status) >= 400 and path != "/readyz":
                assert list(told["content"]) == [PROBLEM]


# -- its examples


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every example of a request body, with its path and media type."""
    for _, path, operation in operations(document):
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            found = [body["example"]] if "example" in body else body["schema"]["examples"]
            yield from ((path, kind, example) for example in found)


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def examples_of(document: dict[str, Any], body: dict[str, Any]) -> list[Any]:
    if "example" in body:
        return [body["example"]]
    schemas = body["schema"].get("anyOf", [body["schema"]])
    return [
        example
        for schema in schemas
        for example in document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["examples"]
    ]


def test_every_answer_has_an_example_that_is_one(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status in ("200", "202"):
            for kind, body in operation["responses"].get(status, {}).get("content", {}).items():
                examples = examples_of(document, body)
                assert examples, (path, status, kind)
                for example in examples:
                    validator(document, body["schema"]).validate(example)


def test_the_examples_of_requests_are_answered_as_their_routes_say(
    document: dict[str, Any], three_champions: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(three_champions, tmp_path / "home"))
    asked = list(bodies(document))
    assert {path for path, _, _ in asked} == {"/v1/predict", "/v1/score", "/v1/videos", "/v1/rollback"}
    with client_of(home) as client:
        for path, kind, example in asked:
            body = {"content": example} if isinstance(example, str) else {"json": example}
            answer = client.post(path, headers={"Content-Type": kind}, **body)
            told = document["paths"][path]["post"]["responses"][str(answer.status_code)]["content"]
            validator(document, told[answer.headers["content-type"]]["schema"]).validate(answer.json())
            assert answer.status_code == (404 if path == "/v1/rollback" else 200), answer.text  # one release is there
