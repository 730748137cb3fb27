"""What the docs say of the code is what the code says."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tiercast import __version__
from tiercast.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _tables()


@pytest.mark.parametrize("page", TABLES.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_that_mirror_the_code_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert TABLES.filled(text) == text, f"run 'make docs': {page.name} differs from the code"


def test_every_table_that_can_be_written_stands_on_some_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in TABLES.pages())
    assert set(re.findall(r"<!-- table: (\w+) -->", text)) == set(TABLES.TABLES)


@pytest.mark.parametrize("page", TABLES.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_command() -> None:
    assert [name for name in COMMANDS if f"tiercast {name}" not in README] == []


def test_the_changelog_has_a_section_for_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    hosts = ("pypi" + ".org", "files." + "pythonhosted", "registry." + "npmjs", "/wo" + "rk/")
    files = [
        *TABLES.pages(),
        ROOT / "requirements.lock",
        ROOT / "pyproject.toml",
        ROOT / "Makefile",
        ROOT / ".ci" / "run",
    ]
    files += [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    found = [(str(file), host) for file in files for host in hosts if host in file.read_text(encoding="utf-8")]
    assert found == []
