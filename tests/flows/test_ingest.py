"""Ingest in process: what counts as read, and what may be read again."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cli.program import NOW, item, rows, write_items
from flows.conftest import Open
from tiercast.adapters import json_files
from tiercast.adapters.contents import OpenedFile
from tiercast.adapters.files import open_file
from tiercast.core.errors import InvalidInput
from tiercast.flows.ingest import FileReport, IngestOptions, IngestReport, ingest_file
from tiercast.ports.videos import RawBatch
from tiercast.render.output import Silence
from tiercast.wiring import Wiring


def ingest(wiring: Wiring, path: Path, **options: object) -> FileReport:
    said = IngestOptions(NOW, **options)  # type: ignore[arg-type]
    return ingest_file(open_file(path, None), wiring.videos, wiring.rejects, options=said, progress=Silence())


def test_a_file_whose_platform_was_unknown_may_be_read_again(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    path = write_items(tmp_path / "a.jsonl", [item("x1", platform=None)])
    assert ingest(wiring, path).rejects == {"platform_unknown": 1}
    again = ingest(wiring, path, platform="youtube")
    assert (again.stored, again.rejected) == (1, 0)


def test_a_file_read_to_its_end_is_known_again_by_its_content(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    first = ingest(wiring, write_items(tmp_path / "a.jsonl", [item()]))
    twin = ingest(wiring, write_items(tmp_path / "b.jsonl", [item()]))
    assert (first.read_before, twin.read_before) == (False, True)
    assert twin.read == twin.stored == 0


def test_ids_of_mixed_types_and_no_platform_stop_nothing(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    ingest(wiring, write_items(tmp_path / "a.jsonl", [item("7")]))
    rows = [{**item(platform=None, scraped_at="2025-06-01T12:00:00Z"), "video_id": odd} for odd in (7, "x", ["y"])]
    report = ingest(wiring, write_items(tmp_path / "b.jsonl", rows))
    assert (report.updated, report.rejects) == (1, {"platform_unknown": 1, "video_id_unreadable": 1})


def test_a_file_read_again_with_its_scrape_time_is_observed_at_that_time(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    path = write_items(tmp_path / "a.jsonl", [item(scraped_at=None)])
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert ingest(wiring, path).scrape_time_guessed == 1
    stated = {"scraped_at": NOW - timedelta(days=3)}
    again = ingest(wiring, path, **stated)
    assert (again.read_before, again.observations, again.scrape_time_guessed) == (False, 1, 0)
    assert ingest(wiring, path, **stated).read_before
    assert ingest(wiring, path).read_before


def test_a_file_of_which_every_row_was_rejected_is_not_marked_as_read(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    path = write_items(tmp_path / "a.jsonl", [item(views=-1, likes=0), item("2", likes=5000)])
    first, again = ingest(wiring, path), ingest(wiring, path)
    assert first.all_rejected
    assert (again.read_before, again.rejected) == (False, 2)
    report = IngestReport([first])
    assert report.to_document()["failed"] == [{"path": str(path), "error": report.failures[0][1]}]
    assert "every row was rejected" in report.failures[0][1]
    assert "likes_exceed_views" in report.failures[0][1]


def test_views_that_fell_and_columns_that_nothing_read_are_reported(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    fallen = item(views=900, scraped_at="2025-06-01T06:00:00Z", mood="fine", lieks=3)
    report = ingest(wiring, write_items(tmp_path / "a.jsonl", [item(), fallen]))
    assert (report.observations, report.views_fell) == (2, 1)
    assert report.ignored_columns == {"mood": None, "lieks": "likes"}
    document = IngestReport([report]).to_document()
    assert document["views_fell"] == 1
    assert document["files"][0]["ignored_columns"] == {"mood": None, "lieks": "likes"}  # type: ignore[index]


def test_refused_rows_are_written_as_they_come_and_what_came_before_a_fault_is_kept(
    tmp_path: Path, open_home: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "BATCH_ROWS", 2)
    wiring = open_home(tmp_path / "home")
    bad = [item(str(n), views=-1, likes=0) for n in range(5)]
    source = open_file(write_items(tmp_path / "a.jsonl", [*bad, item("9")]), None)
    batches, kept = source.batches(), tmp_path / "home" / "rejects"

    def broken() -> Iterator[RawBatch]:
        yield next(batches)
        yield next(batches)
        assert len([*kept.iterdir()]) == 1
        raise InvalidInput("the rest is damaged.")

    cut = OpenedFile(source.path, source.format, source.content, source.modified_at, broken)
    with pytest.raises(InvalidInput, match="the rest is damaged"):
        ingest_file(cut, wiring.videos, wiring.rejects, options=IngestOptions(NOW), progress=Silence())
    (path,) = kept.iterdir()
    assert len(path.read_text().splitlines()) == 4
    whole = ingest_file(source, wiring.videos, wiring.rejects, options=IngestOptions(NOW), progress=Silence())
    assert (whole.rejects, whole.stored) == ({"negative_views": 5}, 1)
    assert len(Path(str(whole.rejects_file)).read_text().splitlines()) == 5


def test_totals_are_the_sums_of_the_files() -> None:
    files = [FileReport("a", "table", 3, 1, 1, 2, {"x": 1}), FileReport("b", "table", 5, 2, 0, 4, {"x": 1, "y": 2})]
    document = IngestReport(files, [("c", "c is empty.")]).to_document()
    assert (document["read"], document["stored"], document["updated"]) == (8, 3, 1)
    assert (document["observations"], document["rejected"]) == (6, 4)


def test_what_was_stored_is_what_was_given(home: Path, open_home: Open) -> None:
    wiring = open_home(home)
    assert wiring.videos.count() == (600, rows(600).height)
