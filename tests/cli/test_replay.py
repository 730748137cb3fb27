"""``tiercast replay`` as people call it: a table, a document, a page; what cannot be replayed says why."""

import re
from html import unescape
from pathlib import Path

import pytest

from cli.program import Answer, assert_failed, hashes, tiercast, write_rows
from flows.forecasts import SCRAPED_ONCE, variables, videos
from flows.test_replay import LENIENT

RANGE = ("--from", "2025-02-03", "--to", "2025-03-24", "--every", "2w", "--moment", "observed")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 generated videos, scraped within two days of posting and again later."""
    folder = tmp_path_factory.mktemp("replayed")
    file = write_rows(folder / "videos.parquet", videos(1_200))
    assert tiercast("ingest", file, home=folder / "home").code == 0
    return folder / "home"


def replay(home: Path, *arguments: object) -> Answer:
    return tiercast("replay", *RANGE, *arguments, home=home, **variables(LENIENT))


def test_a_replay_gives_a_table_a_document_and_a_page_and_then_knows_them(home: Path, tmp_path: Path) -> None:
    before = hashes(home)
    first = replay(home)
    assert first.code == 0, first.err
    assert "Starting afresh: 4 steps" in first.err
    assert re.search(r"2025-02-17 +promoted +[0-9a-f]{6} 02-17", first.out)
    assert "4 retrains: 4 promoted" in first.out
    second = replay(home, "--json", "--out", tmp_path / "pages" / "page.html")
    assert (second.code, "Going on: 4 of 4 steps" in second.err) == (0, True)
    document = second.document
    assert [step["at"][:10] for step in document["steps"]] == ["2025-02-03", "2025-02-17", "2025-03-03", "2025-03-17"]
    assert document["summary"]["promoted"] == 4
    assert document["cost"]["steps_resumed"] == 4
    assert document["page"] == str(tmp_path / "pages" / "page.html")
    kept = {name: digest for name, digest in hashes(home).items() if not name.startswith("replays/")}
    assert {name: kept[name] for name in before} == before


def test_the_page_needs_nothing_else_and_shows_every_verdict(home: Path) -> None:
    document = replay(home, "--json").document
    page = unescape(Path(document["page"]).read_text(encoding="utf-8"))
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page
    assert page.count("<polyline") >= 4
    for step in document["steps"]:
        assert step["champion"][:6] in page
        for finding in step["findings"]:
            assert finding["title"] in page
    assert "no release was ever" not in page


def test_a_longer_range_goes_on_where_the_shorter_one_ended(home: Path) -> None:
    if not (home / "replays").exists():
        replay(home)
    longer = replay(home, "--to", "2025-03-31", "--json")
    assert "Going on: 4 of 5 steps" in longer.err
    assert longer.document["cost"]["steps_resumed"] == 4
    changed = tiercast("replay", *RANGE, "--json", home=home, **variables({**LENIENT, "RETRAIN__SEED": "7"}))
    assert "since the last replay of it settings changed" in changed.err


def test_nothing_promoted_is_a_result(home: Path) -> None:
    strict = variables({**LENIENT, "RETRAIN__MIN_VIDEOS": "5000"})
    answer = tiercast("replay", *RANGE, home=home, **strict)
    assert answer.code == 0, answer.err
    assert "Nothing was ever promoted" in answer.out
    assert "5,000" in answer.out
    assert len(re.findall(r"held +D101 +none yet", answer.out)) == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--every", "0d"), ("--every", "'0d'", "12h, 7d or 2w")),
        (("--every", "week"), ("--every", "'week'")),
        (("--every", "-7d"), ("--every",)),
        (("--from", "yesterday"), ("--from", "'yesterday' is no time", "2026-11-01")),
        (("--to", "2025-13-01"), ("--to", "'2025-13-01' is no time")),
        (("--from", "2025-04-01"), ("--from", "after --to", "forwards")),
        (("--moment", "tomorrow"), ("--moment", "draft")),
        (("--out", "page.pdf"), ("--out", ".html")),
    ],
)
def test_wrong_usage_says_what_was_possible(changes: tuple[str, str], words: tuple[str, ...], tmp_path: Path) -> None:
    answer = tiercast("replay", *RANGE, *changes, home=None, cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    told = re.sub(r"[\s│]+", " ", answer.err)
    for word in words:
        assert word in told
    assert [*tmp_path.iterdir()] == []


def test_a_range_without_data_fails_and_names_the_one_that_has_some(home: Path, tmp_path: Path) -> None:
    answer = replay(home, "--from", "2030-01-01", "--to", "2030-03-01")
    assert_failed(answer, "holds no data", "were made from 2024-", "to 2025-0", "--as-scraped")
    assert_failed(replay(tmp_path / "empty"), "no videos", "Ingest")


def test_a_store_scraped_once_is_replayed_as_scraped_and_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tiercast("ingest", write_rows(tmp_path / "once.parquet", videos(700, SCRAPED_ONCE)), home=home)
    assert_failed(replay(home), "holds no data", "--as-scraped")
    answer = replay(home, "--as-scraped", "--moment", "draft", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["as_scraped"] is True
    assert answer.document["marks"] == ["history as of scrape", "labels of any age", "labels as scraped"]
    page = Path(answer.document["page"]).read_text(encoding="utf-8")
    assert "As scraped" in page
    assert "could not have known that much" in page
