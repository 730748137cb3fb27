"""The examples of the page and of the README are true: they run here, against a real home and a real service."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from http_service import program
from two_sides import KEY

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", ["docs/client.md", "README.md"])
def test_the_examples_of_a_page_run_as_they_stand(
    page: str, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(grown, tmp_path / ".tiercast")
    monkeypatch.setenv("SCORES_KEY", KEY)
    names: dict[str, Any] = {}
    blocks = examples(page)
    assert blocks
    with program(tmp_path / ".tiercast", settings={"TIERCAST_API_KEY": KEY}) as served:
        for block in blocks:
            exec(block.replace(ADDRESS, served.url), names)
