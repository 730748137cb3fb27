"""Help, usage errors, and what starting the program imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.program import environment, tiercast
from tiercast import __version__
from tiercast.cli.main import COMMANDS

CONTRACT = ("demo", "ingest", "retrain", "models", "rollback", "predict", "forget", "runs", "doctor")


def test_help_names_every_command_of_the_contract(tmp_path: Path) -> None:
    answer = tiercast("--help", home=None, cwd=tmp_path)
    assert answer.code == 0
    for name in CONTRACT:
        assert f" {name} " in answer.out
    assert {*CONTRACT} <= {*COMMANDS}


EVERY = [*(name for name in COMMANDS if name != "keys"), "keys add", "keys list", "keys revoke"]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help(name: str, tmp_path: Path) -> None:
    answer = tiercast(*name.split(), "--help", home=None, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert "--home" in answer.out
    assert "--json" in answer.out or name == "serve"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("retrain", "--dance"),
        ("retrain", "--moment", "tomorrow"),
        ("rollback",),
        ("rollback", "--reason", "  "),
        ("ingest",),
        ("predict",),
        ("forget",),
        ("forget", "--author", "a", "--video", "1"),
        ("runs", "--limit", "0"),
    ],
)
def test_wrong_usage_ends_with_2_and_an_explanation(arguments: tuple[str, ...], tmp_path: Path) -> None:
    answer = tiercast(*arguments, home=None, cwd=tmp_path)
    assert answer.code == 2
    assert answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert [*tmp_path.iterdir()] == []


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert tiercast("--version", home=None, cwd=tmp_path).out.strip() == __version__


def test_a_traceback_is_shown_with_debug_only(home: Path) -> None:
    assert "Traceback" not in tiercast("predict", "--stored", home=home).err
    assert "Traceback" in tiercast("predict", "--stored", "--debug", home=home).err


def test_help_imports_neither_scikit_learn_nor_xgboost(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from tiercast.cli.main import run\n"
        "sys.argv = ['tiercast', '--help']\n"
        "try: run()\n"
        "except SystemExit: print('IMPORTED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment(), check=True, text=True)
    imported = {*done.stdout.split("IMPORTED")[1].split()}
    assert "typer" in imported
    assert not imported & {"sklearn", "xgboost", "sqlalchemy", "polars"}


def test_the_home_comes_from_the_environment_where_no_flag_names_it(tmp_path: Path) -> None:
    answer = tiercast("doctor", "--json", home=None, cwd=tmp_path, TIERCAST_HOME=str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere") in answer.document["parts"][0]["detail"]
    plain = tiercast("doctor", "--json", home=None, cwd=tmp_path)
    assert str(tmp_path / ".tiercast") in plain.document["parts"][0]["detail"]
