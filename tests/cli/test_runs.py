"""Past runs: with their table, without it, and as a page."""

from pathlib import Path

import pytest

from cli.conftest import Trained
from cli.program import tiercast

DOWN = {"TIERCAST_DATABASE_URL": "postgresql://ana:secret-word@127.0.0.1:1/videos"}


def test_without_the_database_the_runs_of_the_home_are_listed_with_a_warning(home: Path) -> None:
    home.mkdir()
    failed = tiercast("retrain", "--json", home=home, **DOWN).document
    listed = tiercast("runs", "--json", home=home, **DOWN)
    assert (listed.code, listed.document["runs"]) == (0, [failed])
    assert "Warning: only runs kept in" in listed.err
    assert "server is running" in listed.err
    assert "secret-word" not in listed.err
    one = tiercast("runs", failed["run"], "--json", home=home, **DOWN)
    assert (one.code, one.document) == (0, failed)


@pytest.mark.parametrize("named", [False, True], ids=["no run", "no .html"])
def test_a_page_of_no_run_or_no_page_is_wrong_usage(trained: Trained, tmp_path: Path, named: bool) -> None:
    run = trained.retrained.document["run"]
    arguments = [run, "--report", tmp_path / "page.pdf"] if named else ["--report", tmp_path / "page.html"]
    answer = tiercast("runs", *arguments, home=trained.home)
    assert answer.code == 2
    assert (".html" if named else "RUN") in answer.err
    assert [*tmp_path.glob("page.*")] == []
