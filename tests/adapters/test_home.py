"""Refused rows: kept with everything, found and erased by author or video."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiercast.adapters.home import RejectFolder
from tiercast.core.errors import Unavailable

ROWS = [
    {"reason": "likes_exceed_views", "detail": "d", "row": {"id": "7498897212299136274", "authorMeta": {"n": "ana"}}},
    {"reason": "no_video_id", "detail": "d", "row": {"author": "@ana", "tags": ["x"]}},
    {"reason": "not_json", "detail": "d", "row": '{"id": "7498897212299136274", "author": "ana", "text": "cut of'},
    {"reason": "no_video_id", "detail": "d", "row": {"author": "anabel", "url": "https://www.tiktok.com/@anabel"}},
    {"reason": "absurd_views", "detail": "d", "row": {"id": 74988972122991, "author": "ben", "text": "half 🎉 \ud83d"}},
    {"reason": "absurd_views", "detail": "d", "row": {"url": "https://tiktok.com/@ana/video/1", "with": [["ana"]]}},
]  # fmt: skip


def kept(folder: Path) -> list[dict[str, object]]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


def test_every_refused_row_is_kept_with_its_reason_and_raw_content(tmp_path: Path) -> None:
    where = RejectFolder(tmp_path / "rejects").write("scrapes/week 1.json", ROWS)
    assert Path(where).parent == tmp_path / "rejects"
    assert kept(tmp_path / "rejects") == ROWS


def test_the_same_rejects_are_kept_once_and_others_beside_them(tmp_path: Path) -> None:
    folder = RejectFolder(tmp_path)
    assert folder.write("a.json", ROWS) == folder.write("a.json", ROWS)
    assert folder.write("a.json", ROWS[:2]) != folder.write("a.json", ROWS)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("label", ["../../etc/passwd", "a b?*:|.json", "é" * 300, "", "-", "x/" * 50])
def test_any_file_name_leads_into_the_folder(tmp_path: Path, label: str) -> None:
    where = Path(RejectFolder(tmp_path / "rejects").write(label, ROWS[:1]))
    assert where.resolve().parent == (tmp_path / "rejects").resolve()


@pytest.mark.parametrize("author", ["ana", "@ana"])
def test_erasing_an_author_drops_what_names_that_author_even_in_a_raw_line(tmp_path: Path, author: str) -> None:
    folder = RejectFolder(tmp_path)
    folder.write("one.json", ROWS)
    folder.write("two.json", ROWS[1:4])
    assert folder.erase(author=author, video_id=None) == 4 + 2
    assert [row["row"] for row in kept(tmp_path)] == [ROWS[3]["row"], ROWS[4]["row"], ROWS[3]["row"]]
    assert folder.erase(author=author, video_id=None) == 0


def test_erasing_a_video_drops_what_names_that_video_as_text_or_number(tmp_path: Path) -> None:
    folder = RejectFolder(tmp_path)
    folder.write("one.json", ROWS)
    assert folder.erase(author=None, video_id="7498897212299136274") == 2
    assert folder.erase(author=None, video_id="74988972122991") == 1
    assert len(kept(tmp_path)) == 3


def test_a_name_is_a_name_and_no_pattern(tmp_path: Path) -> None:
    folder = RejectFolder(tmp_path)
    folder.write("one.json", ROWS)
    assert folder.erase(author=".*", video_id=None) == 0
    assert folder.erase(author="an", video_id=None) == 0


@pytest.mark.parametrize("nobody", ["", "@"])
def test_an_empty_name_is_nobodys(tmp_path: Path, nobody: str) -> None:
    folder = RejectFolder(tmp_path)
    folder.write("one.json", ROWS)
    assert folder.erase(author=nobody, video_id=None) == 0


def test_erasing_where_nothing_was_ever_kept_erases_nothing(tmp_path: Path) -> None:
    assert RejectFolder(tmp_path / "none").erase(author="ana", video_id=None) == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "rejects").write_text("")
    with pytest.raises(Unavailable, match="Refused rows cannot be kept in"):
        RejectFolder(tmp_path / "rejects").write("a.json", ROWS)


def test_a_caption_or_a_count_that_happens_to_be_the_same_word_stays(tmp_path: Path) -> None:
    others = [
        {"reason": "r", "detail": "d", "row": {"author": "ben", "text": "we dance all night", "views": 1000}},
        {"reason": "r", "detail": "d", "row": {"author": "dance", "text": "x", "id": 1000}},
    ]
    folder = RejectFolder(tmp_path)
    folder.write("a.json", others)
    assert folder.erase(author="dance", video_id=None) == 1
    assert folder.erase(author=None, video_id="1000") == 0
    assert [row["row"]["author"] for row in kept(tmp_path)] == ["ben"]


def test_two_sources_of_one_name_that_are_read_at_the_same_time_are_kept_apart(tmp_path: Path) -> None:
    folder = RejectFolder(tmp_path)

    def slow() -> Iterator[dict[str, object]]:
        yield ROWS[0]
        folder.write("request", ROWS[1:3])
        yield ROWS[3]

    folder.write("request", slow())
    assert sorted(map(str, kept(tmp_path))) == sorted(map(str, ROWS[:4]))
