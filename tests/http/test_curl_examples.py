"""The questions that the pages ask by curl are whole, and are answered."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

ROOT = Path(__file__).resolve().parents[2]
CURL = re.compile(r"curl [^\n]*http\S+(/v1/(?:predict|score))\b[^']*-d '(\{.*?\})'", re.DOTALL)
OF_THE_STORE = re.compile(r"creator_\w+|days_\w+|duration_over_usual|sound_(uses|lift)")
"""What a caller cannot send: it is known of creators and sounds that the store has."""
PAGES = [
    ("README.md", ["/v1/predict"]),
    ("docs/score.md", ["/v1/score"]),
    ("docs/serve.md", ["/v1/predict", "/v1/score"]),
    ("docs/supabase.md", ["/v1/predict", "/v1/score"]),
]


@pytest.mark.parametrize(("page", "paths"), PAGES)
def test_a_question_of_a_page_lacks_nothing_that_a_caller_can_send(
    page: str, paths: list[str], shared_client: TestClient
) -> None:
    examples = CURL.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [path for path, _ in examples] == paths
    for path, body in examples:
        answer = shared_client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        prediction = answer.json()["ml"] if path == "/v1/score" else answer.json()["predictions"][0]
        assert prediction["moment"] == "draft"
        assert [name for name in prediction["missing"] if not OF_THE_STORE.fullmatch(name)] == []
        assert answer.json()["warnings"] == []
