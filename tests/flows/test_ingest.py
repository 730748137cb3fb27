"""Ingest in process: what counts as read, and what may be read again."""

from pathlib import Path

from cli.program import NOW, item, rows, write_items
from flows.conftest import Open
from tiercast.adapters.files import open_file
from tiercast.flows.ingest import FileReport, IngestOptions, IngestReport, ingest_file
from tiercast.render.output import Silence
from tiercast.wiring import Wiring


def ingest(wiring: Wiring, path: Path, **options: str) -> FileReport:
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


def test_totals_are_the_sums_of_the_files() -> None:
    files = [FileReport("a", "table", 3, 1, 1, 2, {"x": 1}), FileReport("b", "table", 5, 2, 0, 4, {"x": 1, "y": 2})]
    document = IngestReport(files, [("c", "c is empty.")]).to_document()
    assert (document["read"], document["stored"], document["updated"]) == (8, 3, 1)
    assert (document["observations"], document["rejected"]) == (6, 4)


def test_what_was_stored_is_what_was_given(home: Path, open_home: Open) -> None:
    wiring = open_home(home)
    assert wiring.videos.count() == (600, rows(600).height)
