"""Every bad input ends in one clear sentence, and nothing is lost by it."""

import gzip
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cli.conftest import Trained
from cli.program import (
    FROZEN_NAMES,
    LENIENT,
    Answer,
    assert_failed,
    ended,
    hashes,
    item,
    rows,
    started,
    tiercast,
    totals,
    write_frozen,
    write_items,
    write_rows,
)
from tiercast.adapters.contents import OpenedFile
from tiercast.adapters.files import open_file
from tiercast.cli import ingest

Make = Callable[[Path], object]


def cut_short(path: Path) -> None:
    whole = gzip.compress(b"".join(json.dumps(item(str(n))).encode() + b"\n" for n in range(500)))
    path.write_bytes(whole[: len(whole) // 2])


UNREADABLE: dict[str, tuple[str, Make, tuple[str, ...]]] = {
    "an empty file": ("empty.csv", lambda path: path.touch(), ("empty.csv is empty",)),
    "only blank lines": ("blank.jsonl", lambda path: path.write_text("\n\n \n"), ("is empty",)),
    "a truncated gzip": ("cut.jsonl.gz", cut_short, ("gzip", "cut short", "download it again")),
    "a binary file called .json": (
        "photo.json",
        lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
        ("not text in UTF-8", "binary"),
    ),
    "semicolons for commas": (
        "semicolons.csv",
        lambda path: path.write_text("video_id;views;likes\n1;2;3\n"),
        ("semicolons", "comma-separated"),
    ),
    "an unknown shape": (
        "weather.json",
        lambda path: path.write_text(json.dumps([{"city": "Bern", "degrees": 12}])),
        ("city, degrees", "clockworks, apidojo, tiktok-web", "video_id and views"),
    ),
    "JSON cut short": (
        "cut.json",
        lambda path: path.write_text(json.dumps([item(), item("2")])[:-30]),
        ("cut short",),
    ),
    "10 MB on one line": ("line.json", lambda path: path.write_text("x" * 10_000_000), ("line.json",)),
    "10 MB of JSON of no known shape": (
        "text.json",
        lambda path: path.write_text(json.dumps({"text": "x" * 10_000_000})),
        ("no known shape", "text"),
    ),
    "a file that is not there": ("nowhere.csv", lambda path: path.name, ("does not exist",)),
    "a folder without files": ("folder", lambda path: path.mkdir(), ("without files",)),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_says_why_and_stops_no_other(home: Path, tmp_path: Path, what: str) -> None:
    name, make, words = UNREADABLE[what]
    make(tmp_path / name)
    first, last = (write_items(tmp_path / f"{n}.jsonl", [item(str(n))]) for n in (1, 2))
    answer = tiercast("ingest", first, tmp_path / name, last, "--json", home=home)
    assert_failed(answer, name, *words)
    document = answer.document
    assert document["stored"] == 2
    assert [file["path"] for file in document["files"]] == [str(first), str(last)]
    assert [(each["path"], f"Error: {each['error']}") for each in document["failed"]] == [
        (str(tmp_path / name), answer.errors[0])
    ]
    assert totals(home) == (2, 2)


def test_people_see_the_good_files_on_standard_output_and_the_bad_one_on_standard_error(
    home: Path, tmp_path: Path
) -> None:
    good, bad = write_items(tmp_path / "good.jsonl", [item()]), tmp_path / "bad.csv"
    bad.touch()
    answer = tiercast("ingest", bad, good, home=home)
    assert_failed(answer, "bad.csv is empty")
    assert "good.jsonl" in answer.out
    assert "is empty" not in answer.out


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "likes above views": ({"likes": 1001}, "likes_exceed_views"),
    "negative views": ({"views": -1, "likes": 0}, "negative_views"),
    "negative comments": ({"comments": -5}, "negative_comments"),
    "absurd views": ({"views": 10**13}, "absurd_views"),
    "more than 64 bits": ({"views": 10**30}, "absurd_views"),
    "posted in 2099": ({"published_at": "2099-01-01T00:00:00Z"}, "published_in_the_future"),
    "scraped in 2099": ({"scraped_at": "2099-01-01T00:00:00Z"}, "scraped_in_the_future"),
    "NaN": ({"shares": float("nan")}, ""),
    "infinity": ({"views": float("inf")}, "views_unreadable"),
    "minus infinity": ({"likes": float("-inf")}, "likes_unreadable"),
    "a word for a number": ({"views": "lots"}, "views_unreadable"),
    "no id": ({"video_id": None}, "no_video_id"),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """One file with a sound row and every impossible one, ingested once."""
    folder = tmp_path_factory.mktemp("refused")
    bad = [{**item(f"90{n}"), **values} for n, (values, _) in enumerate(REFUSED.values())]
    return folder, tiercast("ingest", write_items(folder / "mixed.jsonl", [item(), *bad]), "--json", home=folder / "h")


@pytest.mark.parametrize(("number", "what"), [*enumerate(REFUSED)])
def test_an_impossible_row_is_kept_raw_with_its_reason(refused: tuple[Path, Answer], number: int, what: str) -> None:
    _, answer = refused
    values, reason = REFUSED[what]
    assert answer.code == 0
    (file,) = answer.document["files"]
    kept = [json.loads(line) for line in Path(file["rejects_file"]).read_text().splitlines()]
    mine = [line for line in kept if line["row"] == pytest.approx({**item(f"90{number}"), **values}, nan_ok=True)]
    if not reason:  # NaN is what pandas writes for an unknown value
        assert mine == []
        return
    (line,) = mine
    assert line["reason"] == reason
    assert line["detail"].endswith(".")
    assert file["rejects"][reason] == sum(each[1] == reason for each in REFUSED.values())


def test_refused_rows_are_counted_and_the_sound_ones_stored(refused: tuple[Path, Answer]) -> None:
    folder, answer = refused
    document = answer.document
    bad = sum(1 for _, reason in REFUSED.values() if reason)
    assert (document["read"], document["rejected"]) == (len(REFUSED) + 1, bad)
    assert document["stored"] == document["read"] - bad
    assert totals(folder / "h") == (document["stored"], document["stored"])


def test_lines_that_are_no_json_are_kept_too(home: Path, tmp_path: Path) -> None:
    path = write_items(tmp_path / "mixed.jsonl", [item("1"), item("2")])
    path.write_text(path.read_text() + '{"video_id": "3", "vie\n')
    (file,) = tiercast("ingest", path, "--json", home=home).document["files"]
    assert (file["stored"], file["rejects"]) == (2, {"not_json": 1})
    (line,) = (json.loads(line) for line in Path(file["rejects_file"]).read_text().splitlines())
    assert line["row"] == '{"video_id": "3", "vie'


def test_one_video_with_a_caption_of_10_mb_on_one_line_is_stored(home: Path, tmp_path: Path) -> None:
    path = write_items(tmp_path / "long.jsonl", [item(description="é" * 10_000_000)])
    answer = tiercast("ingest", path, "--json", home=home)
    assert (answer.code, answer.document["stored"]) == (0, 1)


def test_duplicate_ids_in_one_file_are_one_video(home: Path, tmp_path: Path) -> None:
    later = item(views=2000, scraped_at="2025-06-02T00:00:00Z")
    other = item(views=900, likes=40)
    path = write_items(tmp_path / "twice.jsonl", [item(), item(), later, other])
    answer = tiercast("ingest", path, "--json", home=home)
    document = answer.document
    assert answer.code == 0
    assert (document["read"], document["stored"], document["observations"]) == (4, 1, 2)
    assert document["files"][0]["rejects"] == {"same_time_other_counts": 1}


def test_the_same_file_twice_and_its_gzip_twin_add_nothing(home: Path, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "week.jsonl", rows(100))
    twin = tmp_path / "twin.jsonl.gz"
    twin.write_bytes(gzip.compress(path.read_bytes()))
    parquet = write_rows(tmp_path / "week.parquet", rows(100))
    tiercast("ingest", path, home=home)
    before = totals(home)
    again = tiercast("ingest", path, twin, parquet, "--json", home=home)
    assert again.code == 0
    assert [(file["stored"], file["updated"], file["observations"]) for file in again.document["files"]] == [
        (0, 0, 0)
    ] * 3
    assert totals(home) == before == (100, rows(100).height)


def test_a_folder_is_read_whole(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scrapes" / "deep"
    folder.mkdir(parents=True)
    write_items(folder / "a.jsonl", [item("1")])
    write_items(folder.parent / "b.jsonl", [item("2")])
    assert tiercast("ingest", folder.parent, "--json", home=home).document["stored"] == 2


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--format", "myspace"), ("no format 'myspace'", "clockworks")),
        (("--platform", "???"), ("--platform", "tiktok, youtube or instagram")),
        (("--scraped-at", "yesterday"), ("--scraped-at 'yesterday'", "2026-11-01")),
    ],
)
def test_a_wrong_flag_of_ingest_names_what_is_possible(
    home: Path, tmp_path: Path, flags: tuple[str, str], words: tuple[str, ...]
) -> None:
    path = write_items(tmp_path / "a.jsonl", [item()])
    assert_failed(tiercast("ingest", path, *flags, home=home), *words)


URLS = {
    "no database": ("mysql://somewhere/x", ("neither sqlite:///PATH nor postgresql://",)),
    "no URL": ("postgresql://ana:secret-word@host:no-port/x", ("database_url",)),
    "nobody listens": ("postgresql://ana:secret-word@127.0.0.1:1/x", ("127.0.0.1", "server is running")),
    "no such host": ("postgresql://ana:secret-word@nowhere.invalid/x", ("nowhere.invalid",)),
}


@pytest.mark.parametrize("what", URLS)
def test_a_wrong_database_url_says_so_without_its_password(home: Path, tmp_path: Path, what: str) -> None:
    url, words = URLS[what]
    path = write_items(tmp_path / "a.jsonl", [item()])
    answer = tiercast("ingest", path, home=home, TIERCAST_DATABASE_URL=url)
    assert_failed(answer, *words)
    assert "secret-word" not in answer.err


def test_a_database_that_does_not_exist_says_so(home: Path, tmp_path: Path, postgres_url: str) -> None:
    path = write_items(tmp_path / "a.jsonl", [item()])
    url = make_url(postgres_url).set(database="nothing_here").render_as_string(hide_password=False)
    answer = tiercast("ingest", path, home=home, TIERCAST_DATABASE_URL=url)
    assert_failed(answer, 'database "nothing_here" does not exist', "Check the database name")


@pytest.fixture
def guarded_url(postgres_url: str) -> str:
    """A database whose user has to give the password 'right'; the URL gives a wrong one."""
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE guarded LOGIN PASSWORD 'right'"))
        rules = Path(connection.execute(text("SHOW hba_file")).scalar_one())
        rules.write_text("local all guarded scram-sha-256\nhost all guarded all scram-sha-256\n" + rules.read_text())
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    url = make_url(postgres_url).set(username="guarded", password="wrong-word")
    wrong = create_engine(url.set(drivername="postgresql+psycopg"))
    assert any(_is_refused(wrong) for _ in range(1000))
    wrong.dispose()
    return url.render_as_string(hide_password=False)


def _is_refused(engine) -> bool:  # type: ignore[no-untyped-def]
    try:
        engine.connect().close()
    except OperationalError:
        return True
    engine.dispose()
    return False


def test_a_wrong_password_says_so_and_is_not_shown(home: Path, tmp_path: Path, guarded_url: str) -> None:
    path = write_items(tmp_path / "a.jsonl", [item()])
    answer = tiercast("ingest", path, home=home, TIERCAST_DATABASE_URL=guarded_url)
    assert_failed(answer, "password authentication failed", "Check user and password")
    assert "wrong-word" not in answer.err


@pytest.mark.parametrize("name", ["manifest.json", "model.json"])
def test_one_flipped_byte_of_the_only_release_is_never_served(trained: Trained, name: str) -> None:
    release = trained.retrained.document["candidate"]
    folder = trained.home / "models" / "observed" / "releases" / release
    path = folder / name if (folder / name).exists() else next(p for p in folder.iterdir() if p.name != "manifest.json")
    flip(path)
    damaged = hashes(trained.home)
    answer = tiercast("predict", "--stored", "--json", home=trained.home)
    assert_failed(answer, "what was promoted for it is damaged", "tiercast doctor")
    for words in ("None of the 1 promotions of observed", path.name, release[:12], "does not match"):
        assert words in answer.err
    assert answer.out == ""
    (moment,) = tiercast("models", "--moment", "observed", "--json", home=trained.home).document["moments"]
    assert path.name in moment["releases"][0]["damage"]
    assert {k: v for k, v in hashes(trained.home).items() if "videos.db" not in k} == {
        k: v for k, v in damaged.items() if "videos.db" not in k
    }


def test_with_a_damaged_champion_the_release_before_it_serves_and_says_so(trained: Trained, tmp_path: Path) -> None:
    tiercast("ingest", write_rows(tmp_path / "more.parquet", rows(300, seed=8)), home=trained.home)
    second = tiercast("retrain", "--json", home=trained.home, **LENIENT).document["candidate"]
    folder = trained.home / "models" / "observed" / "releases" / second
    flip(next(path for path in folder.iterdir() if path.name != "manifest.json"))
    answer = tiercast("predict", "--stored", "--json", home=trained.home)
    assert answer.code == 0
    assert {line["release"] for line in answer.lines} == {trained.retrained.document["candidate"]}
    assert second[:12] in answer.err


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _without_a_feature(document: dict) -> None:  # type: ignore[type-arg]
    document["featureNames"].pop()
    for part in ("trainSet", "testSet"):
        document[part]["features"] = [row[:-1] for row in document[part]["features"]]


def _with_label(value: object, *, everywhere: bool) -> Callable[[dict], None]:  # type: ignore[type-arg]
    def change(document: dict) -> None:  # type: ignore[type-arg]
        for part in ("trainSet", "testSet"):
            labels = document[part]["labels"]
            document[part]["labels"] = [value] * len(labels) if everywhere else [value, *labels[1:]]

    return change


FROZEN = {
    "14 features": (_without_a_feature, ("14 features", "15 are needed", FROZEN_NAMES[-1])),
    "a label of 6": (_with_label(6, everywhere=False), ("not 1, 2, 3, 4 or 5", "6")),
    "a label of 0": (_with_label(0, everywhere=False), ("not 1, 2, 3, 4 or 5", "0")),
    "one class only": (_with_label(3, everywhere=True), ("all 500 labels are 3",)),
    "no test set": (lambda document: document.pop("testSet"), ("testSet",)),
    "a value above 1": (lambda document: document["trainSet"]["features"][7].__setitem__(2, 1.5), ("outside 0..1",)),
}


@pytest.mark.parametrize("what", FROZEN)
def test_a_bad_fallback_file_is_a_failed_run_that_says_why(home: Path, tmp_path: Path, what: str) -> None:
    change, words = FROZEN[what]
    path = write_frozen(tmp_path / "frozen.json")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    answer = tiercast("retrain", "--json", home=home, TIERCAST_RETRAIN__FALLBACK_PATH=str(path))
    assert_failed(answer, "frozen.json", *words)
    assert (answer.document["status"], answer.document["candidate"]) == ("failed", None)
    assert hashes(home / "models") == {}


def test_a_fallback_file_that_is_not_there_is_a_failed_run(home: Path) -> None:
    answer = tiercast("retrain", "--json", home=home, TIERCAST_RETRAIN__FALLBACK_PATH="nowhere.json")
    assert_failed(answer, "nowhere.json", "No such file")


def test_a_file_of_which_every_row_is_rejected_fails_the_command_and_keeps_its_rows(home: Path, tmp_path: Path) -> None:
    bad = write_items(tmp_path / "bad.jsonl", [item(likes=5000), item("2", views=-1, likes=0)])
    good = write_items(tmp_path / "good.jsonl", [item("3")])
    answer = tiercast("ingest", bad, good, "--json", home=home)
    assert_failed(answer, "bad.jsonl", "every row was rejected", "likes_exceed_views", "negative_views")
    assert [file["rejected"] for file in answer.document["files"]] == [2, 0]
    assert answer.document["stored"] == 1
    assert "--scraped-at" not in answer.err


def test_people_are_told_of_fallen_views_ignored_columns_and_files_read_before(home: Path, tmp_path: Path) -> None:
    fallen = item(views=900, scraped_at="2025-06-01T06:00:00Z", lieks=3)
    path = write_items(tmp_path / "a.jsonl", [item(), fallen])
    out = " ".join(tiercast("ingest", path, home=home).out.split())
    assert "1 observations have fewer views than the one before" in out
    assert "columns that are not read: lieks (did you mean likes?)." in out
    assert "read before" in tiercast("ingest", path, home=home).out


def test_a_fault_that_nobody_foresaw_in_one_file_stops_no_other(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, good = (write_items(tmp_path / f"{name}.jsonl", [item(name)]) for name in ("odd", "good"))

    def open_or_break(path: Path, form: str | None) -> OpenedFile:
        if path == odd:
            raise AttributeError("no such thing")
        return open_file(path, form)

    monkeypatch.setattr(ingest, "open_file", open_or_break)
    with pytest.raises(typer.Exit) as ending:
        ingest.ingest([str(odd), str(good)], home=home, as_json=True, debug=True)
    assert ending.value.exit_code == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["stored"] == 1
    assert "Traceback" in err
    assert "odd.jsonl failed in a way nobody foresaw (AttributeError: no such thing)" in err


def test_ctrl_c_during_an_ingest_keeps_what_was_stored_before(home: Path, tmp_path: Path) -> None:
    first = write_rows(tmp_path / "first.parquet", rows(100))
    pipe = tmp_path / "slow.jsonl"
    os.mkfifo(pipe)
    with started("ingest", first, pipe, "--json", home=home) as process:
        with pipe.open("w") as slow:
            slow.write((json.dumps(item()) + "\n") * 2000)
            slow.flush()  # more than a pipe holds, so the program has read some and waits for the rest
            process.send_signal(signal.SIGINT)
        answer = ended(process)
    assert answer.code == 130
    assert answer.out == ""
    assert [line for line in answer.err.splitlines() if line.strip()] == [
        "Interrupted. What was committed before stays; nothing is half-written. Run it again."
    ]
    assert totals(home) == (100, rows(100).height)
    again = tiercast("ingest", first, write_items(tmp_path / "next.jsonl", [item("1")]), "--json", home=home)
    assert (again.code, again.document["stored"]) == (0, 1)
