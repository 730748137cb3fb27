"""The demo: the whole loop once, honest about what its videos are."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.program import Answer, environment, tiercast


@dataclass(frozen=True)
class Shown:
    """A finished demo."""

    home: Path
    answer: Answer


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    home = tmp_path_factory.mktemp("demo") / "a home"
    return Shown(home, tiercast("demo", home=home))


def test_the_demo_promotes_then_refuses_then_forecasts_and_ends_well(shown: Shown) -> None:
    assert shown.answer.code == 0, shown.answer.err
    honest, damaged, *forecasts = reversed(tiercast("runs", "--json", home=shown.home).document["runs"])
    assert (honest["status"], damaged["status"]) == ("promoted", "rejected")
    assert damaged["champion_before"] == damaged["champion_after"] == honest["candidate"]
    assert [(run["moment"], run["status"]) for run in forecasts] == [("draft", "promoted"), ("early", "promoted")]
    champions = [run["candidate"] for run in (*forecasts, honest)]
    moments = tiercast("models", "--json", home=shown.home).document["moments"]
    assert [moment["champion"] for moment in moments] == champions
    for moment in moments:
        assert len(moment["promotions"]) == len(moment["releases"]) == 1


def test_the_demo_says_that_its_videos_are_generated(shown: Shown) -> None:
    assert "Generated videos, no real ones" in shown.answer.err
    assert "These videos are invented" in " ".join(shown.answer.out.split())


def test_the_demo_learns_what_can_be_learned_and_no_more(shown: Shown) -> None:
    told = " ".join(shown.answer.out.split())
    best, error = map(float, re.findall(r"is known: ([\d.]+)% \(give or take ([\d.]+)%\)", told)[0])
    honest = tiercast("runs", "--json", home=shown.home).document["runs"][-1]
    assert 100 * honest["test_accuracy"] == pytest.approx(best, abs=4 * error)
    assert 0 < error < 2


def test_no_draft_beats_whoever_knows_every_creators_true_audience(shown: Shown) -> None:
    told = " ".join(shown.answer.out.split())
    drafted, best = map(float, re.findall(r"right for ([\d.]+)% of newer test videos; .*?expect ([\d.]+)%", told)[0])
    draft = tiercast("runs", "--json", home=shown.home).document["runs"][1]
    error = 100 * (best / 100 * (1 - best / 100) / sum(map(sum, draft["confusion_matrix"]))) ** 0.5
    assert drafted == pytest.approx(100 * draft["test_accuracy"], abs=0.051)
    assert best - 12 * error < drafted < best + 4 * error


def test_the_commands_that_the_demo_prints_work(shown: Shown) -> None:
    told = [line for line in shown.answer.out.splitlines() if "# " in line]
    commands = [shlex.split(line.split("   # ")[0]) for line in told]
    complete = [line for line in commands if str(shown.home) in line]
    assert [next(w for w in line if w in ("models", "runs", "predict")) for line in complete] == [
        *("models", "runs", "predict"),
    ]
    for line in complete:
        done = subprocess.run(line, capture_output=True, env=environment(), check=False, timeout=600)
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout


def test_the_demo_leaves_a_page(shown: Shown) -> None:
    assert "promoted" in (shown.home / "report.html").read_text()


def test_the_demo_refuses_a_home_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    answer = tiercast("demo", home=tmp_path / "home")
    assert answer.code == 1
    assert "needs a fresh home" in answer.err
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]
