"""The audit of dependencies, by the real tool: red where something is vulnerable, loud where nobody could be asked."""

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".ci" / "audit.py"
FLAW = {
    "id": "GHSA-462w-v97r-4m45",
    "summary": "Sandbox escape",
    "published": "2019-04-10T14:30:24Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
        }
    ],
}


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = _module()


class _Vulnerabilities(BaseHTTPRequestHandler):
    """A vulnerability service that knows one flaw."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": [FLAW]} if asked["package"]["name"] == "jinja2" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Vulnerabilities)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def lock(folder: Path, *pins: str) -> Path:
    path = folder / "some.lock"
    path.write_text("".join(f"{pin} --hash=sha256:{'0' * 64}\n" for pin in pins))
    return path


def asked(path: Path, url: str) -> Any:
    return audit.ask(path, "osv", "--osv-url", url)


def test_a_vulnerable_package_is_red_and_named_with_what_fixes_it(tmp_path: Path, service: str) -> None:
    code, words = audit.verdict([("osv", asked(lock(tmp_path, "jinja2==2.4.1", "pytz==2025.2"), service))])
    assert code == 1
    assert words == "VULNERABLE:\n  jinja2 2.4.1: GHSA-462w-v97r-4m45; fixed in 2.10.1"


def test_packages_without_a_known_flaw_are_green_and_counted(tmp_path: Path, service: str) -> None:
    answer = asked(lock(tmp_path, "pytz==2025.2"), service)
    assert audit.verdict([("osv", answer)]) == (0, "Audited: 1 packages, no known vulnerability.")


def test_a_service_out_of_reach_is_loud_and_not_red(tmp_path: Path) -> None:
    answer = asked(lock(tmp_path, "pytz==2025.2"), "http://127.0.0.1:1/v1/query")
    code, words = audit.verdict([("osv", answer)])
    assert code == 0
    assert words.startswith("NOT AUDITED: no vulnerability service could be asked (osv).")


def test_an_index_that_knows_no_package_audits_nothing_though_the_tool_ends_well() -> None:
    """As pip-audit answers, with exit code 0, where the index has no vulnerability data."""
    said = "Dependency not found on PyPI and could not be audited: pytz (2025.2)"
    answer = {"dependencies": [{"name": "pytz", "skip_reason": said}], "fixes": []}
    code, words = audit.verdict([("pypi", answer), ("osv", "requests.exceptions.ConnectionError: refused")])
    assert code == 0
    assert words.startswith("NOT AUDITED: no vulnerability service could be asked (pypi, osv).")


def test_a_package_that_was_left_out_is_told() -> None:
    answer = {
        "dependencies": [
            {"name": "pytz", "skip_reason": "unknown"},
            {"name": "numpy", "version": "2.4.0", "vulns": []},
        ]
    }
    code, words = audit.verdict([("pypi", answer)])
    assert code == 0
    assert words == "NOT AUDITED IN PART: 1 packages are unknown to pypi; 1 have no known vulnerability."


@pytest.mark.parametrize("name", ["without-hashes.lock", "absent.lock"])
def test_a_lock_that_cannot_be_audited_is_red(tmp_path: Path, name: str) -> None:
    (tmp_path / "without-hashes.lock").write_text("pytz==2025.2\n")
    ended = subprocess.run([sys.executable, PROGRAM, tmp_path / name], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "NOT AUDITED, the audit itself failed" in ended.stderr


def test_ci_audits_after_the_checks() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-2:] == ["make check", "make audit"]
