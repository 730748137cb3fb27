"""The examples of the page and of the README are true: they run here, against a real home and a real service."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from http_service import program
from two_sides import KEY

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/client.md", "README.md")
ADDRESS = "http://127.0.0.1:8000"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


UNREAD = "[mypy-polars.*,pydantic.*,pydantic_settings.*,sqlalchemy.*]\nfollow_imports = skip\n"
"""What no example uses the types of, and what takes mypy seconds to read."""


def test_the_examples_pass_a_strict_type_checker(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / f"{Path(page).stem}.py").write_text("".join(examples(page)), encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\n{UNREAD}", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", *(f"{Path(page).stem}.py" for page in PAGES)]
    checked = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", PAGES)
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
