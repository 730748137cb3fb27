import gzip
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tiercast.adapters import contents, csv_files, json_files, parquet_files
from tiercast.adapters.files import expand, open_bytes, open_file
from tiercast.core.errors import InvalidInput

ROWS = [{"video_id": str(7_498_897_212_299_136_274 + n), "views": n, "description": f"tag #{n}, ok"} for n in range(5)]
FRAME = pl.DataFrame(ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = FRAME.write_csv().encode()


def parquet() -> bytes:
    import io

    FRAME.write_parquet(buffer := io.BytesIO())
    return buffer.getvalue()


KINDS = {
    "lines": LINES,
    "one line": LINES.splitlines()[0],
    "list": json.dumps(ROWS).encode(),
    "pretty list": json.dumps(ROWS, indent=2).encode(),
    "pretty object": json.dumps(ROWS[0], indent=2).encode(),
    "collector": json.dumps({"collector": ROWS}).encode(),
    "items": json.dumps({"total": 5, "items": ROWS}, indent=1).encode(),
    "csv": CSV,
    "csv with a mark": b"\xef\xbb\xbf" + CSV,
    "csv with crlf": CSV.replace(b"\n", b"\r\n"),
    "parquet": parquet(),
}


def read(content: bytes, form: str | None = None) -> tuple[list[dict], list]:
    opened = open_bytes(content, "given.json", form)
    batches = list(opened.batches())
    frame = pl.concat([batch.rows for batch in batches])
    assert sum(len(batch.raw) for batch in batches) == frame.height
    return frame.to_dicts(), [odd for batch in batches for odd in batch.unreadable]


def refusal(content: bytes, form: str | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        open_bytes(content, "given.json", form)
    assert "given.json" in str(caught.value)
    return str(caught.value)


@pytest.fixture
def small_batches(monkeypatch):
    for module in (contents, csv_files, json_files, parquet_files):
        monkeypatch.setattr(module, "BATCH_ROWS", 2)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_file_is_known_by_its_content_whatever_its_name(kind, zipped, tmp_path):
    path = tmp_path / "misleading.xml"
    path.write_bytes(gzip.compress(KINDS[kind]) if zipped else KINDS[kind])
    opened = open_file(path, None)
    rows = pl.concat([batch.rows for batch in opened.batches()])
    expected = FRAME if rows.height > 1 else FRAME[:1]
    assert rows.select(pl.all().cast(pl.String)).equals(expected.select(rows.columns).select(pl.all().cast(pl.String)))
    assert opened.format == "table"
    assert opened.content == hashlib.sha256(KINDS[kind]).hexdigest()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("kind", ["lines", "list", "csv", "parquet"])
def test_rows_come_in_batches_with_their_own_raw_content(kind):
    batches = list(open_bytes(KINDS[kind], "given", None).batches())
    assert [batch.rows.height for batch in batches] == [2, 2, 1]
    raw = [batch.raw[index] for batch in batches for index in range(len(batch.raw))]
    assert [item["video_id"] for item in raw] == [row["video_id"] for row in ROWS]


def test_a_file_tells_when_it_was_modified(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert open_file(path, None).modified_at == datetime.fromtimestamp(1_700_000_000, tz=UTC)


def test_an_empty_csv_cell_is_missing_and_a_quoted_empty_one_is_empty_text():
    rows, _ = read(b'video_id,views,description\n1,,""\n2,3,\n\n')
    assert rows == [
        {"video_id": "1", "views": None, "description": ""},
        {"video_id": "2", "views": "3", "description": None},
    ]


def test_a_quoted_cell_may_hold_lines_commas_and_quotes():
    rows, _ = read(b'video_id,views,description\n1,2,"a\n""b"", c"\n')
    assert rows[0]["description"] == 'a\n"b", c'


def test_a_table_with_no_rows_is_read_as_none():
    assert list(open_bytes(b"video_id,views\n", "given", None).batches()) == []


def test_unknown_columns_are_left_out_but_stay_in_the_raw_row():
    batch = next(open_bytes(b"video_id,views,mood\n1,2,fine\n", "given", None).batches())
    assert batch.rows.columns == ["video_id", "views"]
    assert batch.raw[0] == {"video_id": "1", "views": "2", "mood": "fine"}
    assert list(batch.raw[:1]) == [batch.raw[0]]


@pytest.mark.parametrize(
    "content", [b"video_id,views,mood\n1,2,fine\n", b'[{"video_id": "1", "views": 2, "mood": "fine"}]']
)
def test_columns_that_nothing_reads_are_named(content):
    assert next(open_bytes(content, "given", None).batches()).ignored == ("mood",)


def test_a_csv_export_of_a_scraped_videos_table_is_read_item_by_item():
    content = b'platform_video_id,views,metadata\n9,5,"{""bookmarks"": 3}"\n'
    opened = open_bytes(content, "given", None)
    assert opened.format == "scraped_videos"
    assert next(opened.batches()).rows["saves"].to_list() == [3]


def test_ten_megabytes_on_one_line_are_read():
    long = [{**row, "description": "x" * 2_000_000} for row in ROWS]
    assert len(read(json.dumps(long).encode())[0]) == 5
    assert len(read(pl.DataFrame(long).write_csv().encode())[0]) == 5
    assert len(read(json.dumps({**ROWS[0], "description": "x" * 10_000_000}).encode())[0]) == 1


def test_nan_and_infinity_in_json_are_read_as_numbers_for_cleaning_to_judge():
    rows, _ = read(b'[{"video_id": "1", "views": NaN}, {"video_id": "2", "views": Infinity}]')
    assert rows[1]["views"] == float("inf")


def test_lines_that_are_no_json_are_unreadable_and_the_rest_is_read():
    rows, odd = read(LINES + b'{"video_id": "9", "vie\n[1]\n')
    assert len(rows) == 5
    assert [(piece.reason, piece.raw) for piece in odd] == [
        ("not_json", '{"video_id": "9", "vie'),
        ("unknown_shape", [1]),
    ]
    assert "Line 6" in odd[0].detail


def test_a_first_line_that_is_no_json_does_not_hide_the_others():
    assert len(read(b"scraper 1.2 started\n" + LINES)[0]) == 5


def test_error_rows_before_the_first_video_do_not_hide_the_format():
    errors = b'{"url": "x", "error": "gone"}\n' * 250
    rows, odd = read(errors + LINES)
    assert (len(rows), len(odd)) == (5, 250)


def test_a_whole_file_of_broken_lines_is_refused():
    assert "damaged at line 1, column 2" in refusal(b"{a: 1}\n{b: 2}\n{c: 3}\n")


@pytest.mark.parametrize("content", [b"", b"  \n\n ", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(content):
    assert "is empty" in refusal(content)


def test_a_truncated_gzip_is_refused_before_any_row():
    zipped = gzip.compress(LINES * 1000)
    assert "cut short" in refusal(zipped[:-20])
    assert "damaged gzip" in refusal(zipped[:-6] + b"\0" * 6)
    assert "gzip" in refusal(zipped[:60] + b"\xff" * 40 + zipped[100:])


def test_a_binary_file_called_json_is_refused_with_the_first_bad_byte():
    assert "byte 0x89 on line 1" in refusal(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    assert "byte 0xff on line 6" in refusal(LINES + b"\xff\xfe")
    assert "byte 0xff on line 2" in refusal(b'[{"a": 1},\n{"b": "\xff"}]')


@pytest.mark.parametrize(("delimiter", "its_name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_delimiter_is_named(delimiter, its_name):
    told = refusal(FRAME.write_csv(separator=delimiter).encode())
    assert its_name in told
    assert "Commas are read" in told


def test_a_csv_row_with_other_cells_than_the_header_is_refused_by_its_line():
    assert "line 3 has 3 cells, but the header has 2" in refusal(b"video_id,views\n1,2\n1,2,3\n")
    assert "line 2 has 1 cells" in refusal(b"video_id,views\n1\n")


def test_a_csv_with_a_stray_quote_is_refused_and_not_misread():
    assert "CSV is damaged" in refusal(b'video_id,views,description\n1,2,a 5" screen\n3,4,b\n')
    assert "CSV is damaged" in refusal(b'video_id,views,description\n1,2,"never closed\n3,4,b\n')


def test_a_header_that_repeats_a_name_is_refused():
    assert "views more than once" in refusal(b"video_id,views,views\n1,2,3\n")


@pytest.mark.parametrize(
    "content",
    [b"[1, 2]", b'{"a": 1}', b'[{"a": 1}]', b"a,b\n1,2\n", b"hello", b"null", b'{"collector": []}', b"[[]]"],
)
def test_an_unknown_shape_lists_the_formats(content):
    assert "Formats: clockworks, apidojo" in refusal(content)


def test_an_unknown_shape_names_twelve_keys():
    told = refusal(json.dumps({f"key{n}": n for n in range(20)}).encode())
    assert "key11 and 8 more" in told
    assert "key12" not in told


def test_two_lists_in_one_object_are_refused():
    assert "wraps 2 lists" in refusal(json.dumps({"a": ROWS, "b": ROWS}).encode())


def test_an_empty_list_is_refused():
    assert "empty list" in refusal(b"[]")


def test_a_json_list_cut_short_tells_where():
    whole = json.dumps(ROWS, indent=1).encode()
    assert "cut short at line 9" in refusal(whole[: whole.index(b"views", 100) - 2])
    assert "is damaged at line 1, column" in refusal(b'[{"video_id": 1 "views": 2}]')


def test_json_nested_too_deeply_is_refused():
    assert "nested too deeply" in refusal(b"[" * 200_000)


def test_a_damaged_parquet_file_is_refused():
    whole = parquet()
    assert "damaged Parquet" in refusal(whole[: len(whole) // 2])
    assert "damaged Parquet" in refusal(b"PAR1" + bytes(100) + whole[104:])


def test_a_stated_format_must_be_in_the_file():
    assert read(LINES, "table")[0]
    told = refusal(LINES, "clockworks")
    assert "no clockworks items" in told
    assert "It looks like table" in told
    assert "no apidojo items" in refusal(CSV, "apidojo")


def test_an_unknown_format_name_is_refused():
    with pytest.raises(InvalidInput, match="no format 'vine'"):
        open_bytes(LINES, "given", "vine")


def test_folders_give_their_visible_files_sorted(tmp_path):
    for name in ("b.csv", "a.json", ".hidden", "deep/c.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CSV)
    assert [path.name for path in expand([tmp_path, str(tmp_path / "b.csv")])] == ["a.json", "b.csv", "c.gz", "b.csv"]


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"nowhere\.csv does not exist"):
        expand([tmp_path / "nowhere.csv"])
    with pytest.raises(InvalidInput, match="No such file"):
        open_file(tmp_path / "nowhere.csv", None)


def test_an_empty_folder_and_a_folder_as_a_file_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="folder without files"):
        expand([tmp_path])
    with pytest.raises(InvalidInput, match="is a folder"):
        open_file(tmp_path, None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    with pytest.raises(InvalidInput, match="Permission denied"):
        open_file(path, None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path):
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=Path.write_bytes, args=(pipe, CSV))
    writer.start()
    opened = open_file(pipe, None)
    writer.join()
    assert sum(batch.rows.height for batch in opened.batches()) == 5
