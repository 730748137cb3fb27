"""What predict needs, what it does not need, and what it says where it cannot."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cli.conftest import Trained
from cli.program import Answer, assert_failed, environment, item, tiercast, write_items

BLOCKED = (
    "import sys\n"
    "for name in {names}: sys.modules[name] = None\n"
    "from tiercast.cli.main import run\n"
    "sys.argv = ['tiercast', *{arguments}]\n"
    "run()\n"
)


def without(names: list[str], *arguments: object, home: Path) -> Answer:
    """The program in an interpreter that cannot import these modules."""
    code = BLOCKED.format(names=names, arguments=[*map(str, arguments), "--home", str(home)])
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, env=environment(), timeout=120, check=False, cwd=home.parent)
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_predicting_needs_neither_scikit_learn_nor_the_video_table(trained: Trained) -> None:
    expected = tiercast("predict", trained.videos, "--json", home=trained.home).out
    for path in trained.home.glob("videos.db*"):
        path.unlink()
    answer = without(["sklearn"], "predict", trained.videos, "--json", home=trained.home)
    assert answer.code == 0, answer.err
    assert answer.out == expected
    assert not [*trained.home.glob("videos.db*")]


def test_training_does_need_scikit_learn_so_that_blocking_it_is_felt(trained: Trained) -> None:
    assert without(["sklearn"], "retrain", home=trained.home).code == 1


def test_without_a_champion_nothing_is_predicted(home: Path, tmp_path: Path) -> None:
    path = write_items(tmp_path / "a.jsonl", [item()])
    for asked, words in ((), "No model serves any moment yet"), (("--moment", "observed"), "the moment observed yet"):
        answer = tiercast("predict", path, *asked, "--json", home=home)
        assert_failed(answer, words, "tiercast retrain")
        assert answer.out == ""
        assert not home.exists()


def test_predict_wants_a_file_or_the_store_and_not_both(trained: Trained) -> None:
    neither = tiercast("predict", home=trained.home)
    both = tiercast("predict", trained.videos, "--stored", home=trained.home)
    assert (neither.code, both.code) == (2, 2)
    assert "--stored" in neither.err
    assert neither.out == both.out == ""


def test_videos_without_views_get_no_prediction_and_are_counted(trained: Trained, tmp_path: Path) -> None:
    path = write_items(tmp_path / "a.jsonl", [item("1"), item("2", views=None, likes=None), item("3", likes=9999)])
    answer = tiercast("predict", path, "--json", home=trained.home)
    assert answer.code == 0
    assert [line["video_id"] for line in answer.lines] == ["1"]
    assert "1 videos without views get no prediction: no model serves draft." in answer.err
    assert "Refused, so without prediction: 1. The first: It has 9999 likes" in answer.err


def test_a_file_of_which_no_row_can_be_predicted_fails(trained: Trained, tmp_path: Path) -> None:
    path = write_items(tmp_path / "a.jsonl", [item("2", views=None, likes=None)])
    answer = tiercast("predict", path, "--json", home=trained.home)
    assert answer.code == 1
    assert "No row of the input can be predicted" in answer.err


def test_an_empty_standard_input_fails(trained: Trained) -> None:
    assert_failed(tiercast("predict", "-", "--json", home=trained.home), "standard input", "empty")


def test_an_empty_store_has_nothing_to_predict(trained: Trained) -> None:
    for path in trained.home.glob("videos.db*"):
        path.unlink()
    assert_failed(tiercast("predict", "--stored", home=trained.home), "The store holds no video")


def test_a_file_of_unknown_ending_is_refused_with_those_known(trained: Trained, tmp_path: Path) -> None:
    answer = tiercast("predict", trained.videos, "-o", tmp_path / "out.xls", home=trained.home)
    assert_failed(answer, ".csv, .parquet, .jsonl")
    assert not (tmp_path / "out.xls").exists()


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_folder_that_does_not_exist_is_told(trained: Trained, tmp_path: Path, ending: str) -> None:
    answer = tiercast("predict", trained.videos, "-o", tmp_path / "no" / f"out.{ending}", home=trained.home)
    assert_failed(answer, "cannot be written")


def test_a_video_scraped_twice_is_predicted_once_by_its_last_scrape(trained: Trained, tmp_path: Path) -> None:
    early, late = item(), item(likes=400, shares=90, scraped_at="2025-06-02T00:00:00Z")
    both = tiercast("predict", write_items(tmp_path / "b.jsonl", [late, early]), "--json", home=trained.home).lines
    alone = tiercast("predict", write_items(tmp_path / "a.jsonl", [late]), "--json", home=trained.home).lines
    assert len(both) == 1
    assert both == alone


def test_people_see_the_first_twenty(trained: Trained) -> None:
    answer = tiercast("predict", trained.videos, home=trained.home)
    assert answer.code == 0
    assert "780 more" in answer.out
    assert pl.read_parquet(trained.videos)["video_id"][0] in answer.out


def test_a_video_id_of_a_hostile_shape_stays_text(trained: Trained) -> None:
    line = json.dumps(item("[bold]0007500000000000000000000")).encode()
    assert (
        tiercast("predict", "-", "--json", home=trained.home, stdin=line).lines[0]["video_id"].startswith("[bold]000")
    )
    assert "[bold]000" in tiercast("predict", "-", home=trained.home, stdin=line).out
