"""``docs/security.md`` names tests that exist; and what no other test shows of it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import yaml

from tiercast.cli import main
from tiercast.http.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "http"))  # where the service as a program stands

from http_service import program  # noqa: E402

SECRETS = {
    "TIERCAST_API_KEY": "Api-Key-Of-Settings-7391",
    "TIERCAST_CRON_SECRET": "Cron-Secret-Of-Settings-2746",
    "TIERCAST_NOTIFY__WEBHOOK_URL": "http://127.0.0.1:1/Webhook-Path-5512",
}
RUNS_CODE = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
"""Libraries whose readers run what they read."""
SAID_AS_CODE = {"eval", "exec", "compile", "__import__"}


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    files = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", page))
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    defined = set(re.findall(r"^(?:async )?def (test_\w+)", "\n".join(files.values()), re.M))
    told = set(re.findall(r"`(test_\w+)`", page))
    assert len(told) > 30
    assert told - defined == set()


def modules() -> Iterator[tuple[Path, ast.AST]]:
    for path in (ROOT / "src").rglob("*.py"):
        yield path, ast.parse(path.read_text())


def test_nothing_that_is_read_is_ever_run() -> None:
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAID_AS_CODE:
                found.append(f"{path}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.Call) and any(each.arg == "shell" for each in node.keywords):
                found.append(f"{path}:{node.lineno} shell")
            found += [f"{path}:{node.lineno} {name}" for name in names if name.split(".")[0] in RUNS_CODE]  # type: ignore[attr-defined]
    assert found == []


def test_no_secret_stands_in_an_answer_or_in_the_log(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with program(home, settings=SECRETS) as served, httpx2.Client(base_url=served.url, timeout=60) as client:
        key = {"Authorization": f"Bearer {SECRETS['TIERCAST_API_KEY']}"}
        cron = {"Authorization": f"Bearer {SECRETS['TIERCAST_CRON_SECRET']}"}
        answers = [
            client.get(path, headers=header)
            for header in ({}, {"Authorization": "Bearer wrong"}, cron, key)
            for path in (
                "/openapi.json",
                "/metrics",
                "/v1/models",
                "/v1/runs",
                "/v1/runs/nothing",
                "/readyz",
                "/%2e%2e",
            )
        ]
        answers += [client.post("/v1/predict", headers=key, content=body) for body in (b"{", b'{"videos": [{}]}')]
        answers.append(client.post("/v1/cron/retrain?wait=60", headers=key))
        answers.append(client.post("/v1/cron/retrain?wait=60", headers=cron))  # held, so the webhook is asked as well
        held = answers[-1]
        served.stop()
        log = served.log.read_text()
    assert (held.status_code, held.json()["status"]) == (200, "held")
    told = [each.text + repr(each.headers) for each in answers]
    for secret in (*SECRETS.values(), "Webhook-Path-5512"):
        assert [each for each in [*told, log] if secret in each] == []
    assert "webhook_url" in log
    assert not any(str(tmp_path) in each or "Traceback" in each for each in told)


def test_metrics_and_options_that_the_page_on_serving_names_exist() -> None:
    page = (ROOT / "docs" / "serve.md").read_text()
    names = {family.name for family in Metrics().registry.collect()}
    told = {re.sub(r"_(total|bucket)$", "", name) for name in re.findall(r"\btiercast_[a-z_]+", page)}
    assert told - names == set()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.S)]
    assert [next(iter(block)) for block in blocks] == ["scrape_configs", "groups"]
    assert set(re.findall(r"tiercast (\w+)", page)) & set(main.COMMANDS) >= {"serve", "keys", "doctor", "retrain"}
