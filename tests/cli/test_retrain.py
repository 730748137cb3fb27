"""How a retrain ends, in exit codes, sentences and what it leaves behind."""

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cli.conftest import Trained
from cli.program import (
    LENIENT,
    OTHER,
    assert_failed,
    command,
    ended,
    environment,
    hashes,
    rows,
    started,
    tiercast,
    write_frozen,
    write_rows,
)
from tiercast.adapters.databases import open_sqlite
from tiercast.adapters.sql_lease import SqlLease

PATIENCE_SECONDS = 120
STRICT = {**LENIENT, "TIERCAST_GATE__MIN_ACCURACY": "0.99"}


def runs_of(home: Path) -> list[str]:
    return [run["status"] for run in tiercast("runs", "--json", home=home).document["runs"]]


@pytest.fixture
def few(home: Path, tmp_path: Path) -> Path:
    """A home with 60 videos."""
    assert tiercast("ingest", write_rows(tmp_path / "few.jsonl", rows(60)), home=home).code == 0
    return home


def test_a_refused_candidate_leaves_the_model_store_byte_for_byte_as_it_was(trained: Trained, tmp_path: Path) -> None:
    more = write_rows(tmp_path / "more.parquet", rows(200, seed=9))
    tiercast("ingest", more, home=trained.home)
    before = hashes(trained.home / "models")
    answer = tiercast("retrain", "--json", home=trained.home, **STRICT)
    document = answer.document
    assert (answer.code, document["status"]) == (3, "rejected")
    assert document["candidate"] != document["champion_before"]
    assert document["champion_after"] == document["champion_before"] == trained.retrained.document["candidate"]
    assert "99% is required" in document["reason"]
    assert hashes(trained.home / "models") == before
    served = {line["release"] for line in tiercast("predict", "--stored", "--json", home=trained.home).lines}
    assert served == {document["champion_before"]}
    assert runs_of(trained.home) == ["rejected", "promoted"]


def test_a_refused_first_candidate_leaves_no_model_store_at_all(home: Path, trained: Trained) -> None:
    for file in sorted((trained.home / "models").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    answer = tiercast("retrain", "--json", home=trained.home, **STRICT)
    assert (answer.code, answer.document["champion_after"]) == (3, None)
    assert hashes(trained.home / "models") == {}


@pytest.mark.parametrize(("settings", "code", "status"), [(LENIENT, 0, "promoted"), (STRICT, 3, "rejected")])
def test_a_dry_run_exits_as_the_real_run_and_leaves_no_trace(
    trained: Trained, tmp_path: Path, settings: dict[str, str], code: int, status: str
) -> None:
    tiercast("ingest", write_rows(tmp_path / "more.parquet", rows(200, seed=9)), home=trained.home)
    before = hashes(trained.home / "models")
    dry = tiercast("retrain", "--dry-run", "--json", home=trained.home, **settings)
    assert (dry.code, dry.document["status"], dry.document["dry_run"]) == (code, status, True)
    assert dry.document["champion_after"] == dry.document["champion_before"]
    assert hashes(trained.home / "models") == before
    assert runs_of(trained.home) == ["promoted"]
    real = tiercast("retrain", "--json", home=trained.home, **settings)
    assert (real.code, real.document["candidate"]) == (code, dry.document["candidate"])


def test_few_videos_hold_with_their_count_and_without_a_candidate(few: Path) -> None:
    answer = tiercast("retrain", "--json", home=few)
    document = answer.document
    assert (answer.code, document["status"], document["source"]) == (3, "held", "videos")
    assert (document["candidate"], document["confusion_matrix"], document["videos"]) == (None, None, 60)
    assert "60 usable videos" in document["reason"]
    assert "500 are required" in document["reason"]
    assert hashes(few / "models") == {}
    assert "held" in tiercast("retrain", home=few).out


def test_a_home_without_any_video_holds_with_a_count_of_none(home: Path) -> None:
    answer = tiercast("retrain", "--json", home=home)
    assert (answer.code, answer.document["status"], answer.document["videos"]) == (3, "held", 0)


def test_few_videos_train_on_the_fallback_file_which_is_provisional(few: Path, tmp_path: Path) -> None:
    fallback = {"TIERCAST_RETRAIN__FALLBACK_PATH": str(write_frozen(tmp_path / "frozen.json"))}
    first = tiercast("retrain", "--json", home=few, **fallback)
    document = first.document
    assert (first.code, document["status"], document["source"]) == (0, "promoted", "fallback"), document["reason"]
    assert (document["tier_edges"], document["videos"], document["held_features"]) == (None, 500, {})
    predicted = tiercast("predict", "--stored", "--json", home=few).lines
    assert {line["relative_to"] for line in predicted} == {None}
    assert "as labelled" in tiercast("runs", document["run"], home=few).out

    tiercast("ingest", write_rows(tmp_path / "week.parquet", rows(800)), home=few)
    second = tiercast("retrain", "--json", home=few, **LENIENT, **fallback).document
    assert (second["status"], second["source"]) == ("promoted", "videos")
    assert second["test_accuracy"] < document["test_accuracy"]
    assert second["champion_before"] == document["candidate"]

    empty = {"TIERCAST_DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    back = tiercast("retrain", "--json", home=few, **fallback, **empty)
    assert (back.code, back.document["source"], back.document["status"]) == (3, "fallback", "rejected")
    assert "learned real views; a candidate on given labels is never compared" in back.document["reason"]
    assert back.document["champion_after"] == second["candidate"]


def test_a_fallback_candidate_passes_the_same_gate(few: Path, tmp_path: Path) -> None:
    fallback = write_frozen(tmp_path / "noise.json", noise=True)
    answer = tiercast("retrain", "--json", home=few, TIERCAST_RETRAIN__FALLBACK_PATH=str(fallback))
    assert (answer.code, answer.document["status"], answer.document["source"]) == (3, "rejected", "fallback")
    assert hashes(few / "models") == {}


def test_a_database_that_cannot_be_opened_never_trains_on_the_fallback(few: Path, tmp_path: Path) -> None:
    fallback = {"TIERCAST_RETRAIN__FALLBACK_PATH": str(write_frozen(tmp_path / "frozen.json"))}
    sound = {path.name: path.read_bytes() for path in few.glob("videos.db*")}
    for name in sound:
        (few / name).unlink()
    (few / "videos.db").write_bytes(b"this is no database, whatever its name says" * 100)
    answer = tiercast("retrain", "--json", home=few, **fallback)
    assert_failed(answer, "not a database")
    document = answer.document
    assert (document["status"], document["source"], document["candidate"]) == ("failed", "videos", None)
    assert hashes(few / "models") == {}
    (kept,) = (few / "runs").iterdir()
    assert document["run"] in kept.name
    for name, content in sound.items():
        (few / name).write_bytes(content)
    assert runs_of(few) == ["failed"]
    assert tiercast("runs", document["run"], "--json", home=few).document == document


def test_a_query_that_fails_never_trains_on_the_fallback(few: Path, tmp_path: Path) -> None:
    fallback = {"TIERCAST_RETRAIN__FALLBACK_PATH": str(write_frozen(tmp_path / "frozen.json"))}
    with sqlite3.connect(few / "videos.db") as connection:
        connection.execute("ALTER TABLE observations RENAME TO elsewhere")
    connection.close()
    answer = tiercast("retrain", "--json", home=few, **fallback)
    assert_failed(answer, "observations")
    assert (answer.document["status"], answer.document["candidate"]) == ("failed", None)
    assert runs_of(few) == ["failed"]


def test_an_unreachable_postgres_is_a_failed_run_with_a_remedy(home: Path) -> None:
    home.mkdir()
    url = "postgresql://ana:secret-word@127.0.0.1:1/videos"
    answer = tiercast("retrain", "--json", home=home, TIERCAST_DATABASE_URL=url)
    assert_failed(answer, "the server is running")
    assert "secret-word" not in answer.out + answer.err
    assert answer.document["status"] == "failed"
    assert len([*(home / "runs").iterdir()]) == 1


def test_the_second_of_two_retrains_says_who_runs(trained: Trained) -> None:
    with started("retrain", "--json", home=trained.home, **LENIENT, **OTHER) as first:
        holder = wait_for_lease(trained.home / "videos.db")
        os.kill(first.pid, signal.SIGSTOP)
        second = tiercast("retrain", home=trained.home)
        os.kill(first.pid, signal.SIGCONT)
        answer = ended(first)
    assert_failed(second, "A retrain is running already", f"process {first.pid} on")
    assert f"process {first.pid} on" in holder
    assert answer.code == 0
    assert runs_of(trained.home) == ["promoted", "promoted"], "of what never began nothing is told, as nothing failed"


def test_a_lease_of_another_process_is_respected_until_it_is_given_back(trained: Trained) -> None:
    engine = open_sqlite(trained.home / "videos.db")
    with SqlLease(engine, "the test's database", "20260101T000000-abcdef"):
        blocked = tiercast("retrain", "--json", home=trained.home)
    engine.dispose()
    assert_failed(blocked, f"process {os.getpid()} on")
    assert tiercast("retrain", "--json", home=trained.home, **LENIENT, **OTHER).code == 0


@pytest.mark.parametrize(
    ("when", "sent", "code"),
    [("at once", signal.SIGINT, 130), ("under way", signal.SIGINT, 130), ("under way", signal.SIGTERM, 143)],
)
def test_an_interrupted_retrain_is_recorded_and_leaves_the_home_usable(
    trained: Trained, tmp_path: Path, when: str, sent: signal.Signals, code: int
) -> None:
    tiercast("ingest", write_rows(tmp_path / "more.parquet", rows(300, seed=8)), home=trained.home)
    before = hashes(trained.home / "models")
    warnings = "error,ignore::ResourceWarning"  # an import that is interrupted leaves its file to Python, which warns
    with started("retrain", "--json", home=trained.home, **LENIENT, PYTHONWARNINGS=warnings) as process:
        wait_for_lease(trained.home / "videos.db")
        if when == "under way":
            wait_for_child(process.pid)
        process.send_signal(sent)
        answer = ended(process)
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.strip().count("\n") == 0
    assert "Interrupted" in answer.err
    assert hashes(trained.home / "models") == before
    assert runs_of(trained.home) == ["failed", "promoted"]
    again = tiercast("retrain", "--json", home=trained.home, **LENIENT)
    assert (again.code, again.document["status"]) == (0, "promoted"), again.err


def test_an_existing_table_in_postgres_is_read_and_never_altered(home: Path, tmp_path: Path, postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    latest = rows(700).group_by("video_id", maintain_order=True).last()
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE scraped_videos (id serial PRIMARY KEY, platform text, platform_video_id text, author "
                "text, views bigint, likes int, shares int, comments int, metadata jsonb, updated_at timestamptz)"
            )
        )
        insert = text(
            "INSERT INTO scraped_videos (platform, platform_video_id, author, views, likes, shares, comments, metadata,"
            " updated_at) VALUES (:platform, :video_id, :author, :views, :likes, :shares, :comments, '{}', :scraped_at)"
        )
        columns = ["platform", "video_id", "author", "views", "likes", "shares", "comments", "scraped_at"]
        connection.execute(insert, latest.select(columns).to_dicts())

    def table() -> list[object]:
        with engine.connect() as connection:
            kept = connection.execute(text("SELECT xmin::text, * FROM scraped_videos ORDER BY id")).all()
            shape = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'scraped_videos'"
            return [*map(tuple, kept), *map(tuple, connection.execute(text(f"{shape} ORDER BY 1")).all())]

    before = table()
    settings = {"TIERCAST_DATABASE_URL": postgres_url, "TIERCAST_GATE__MIN_ACCURACY": "0.5"}
    home.mkdir()
    first = tiercast("retrain", "--json", home=home, **settings)
    assert (first.code, first.document["status"]) == (0, "promoted"), first.err
    assert first.document["videos"] == latest.filter(latest["likes"].is_not_null()).height
    assert table() == before
    again = tiercast("ingest", "database", "--json", home=home, **settings).document
    assert (again["read"], again["observations"]) == (latest.height, 0)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE scraped_videos SET views = views + 7, updated_at = updated_at + interval '1 day' WHERE id < 6")
        )
    second = tiercast("retrain", "--json", home=home, **LENIENT, **settings)
    assert second.code == 0, second.err
    with engine.connect() as connection:
        observations = connection.execute(text("SELECT count(*) FROM tiercast.observations")).scalar_one()
    engine.dispose()
    assert observations == latest.height + 5


def test_ingesting_a_table_that_is_not_there_says_so(home: Path) -> None:
    assert_failed(tiercast("ingest", "database", "--json", home=home), "no table scraped_videos", "database_url")


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-"])
def test_a_closed_stream_changes_neither_the_run_nor_its_exit_code(few: Path, closed: str) -> None:
    line = f"{shlex.join(command('retrain', '--json', home=few))} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, env=environment(), check=False, timeout=600)
    assert done.returncode == 3, done
    assert done.stdout == b"" or json.loads(done.stdout)["status"] == "held"
    assert bool(done.stdout) == (closed == "2>&-")
    assert runs_of(few) == ["held"]


def test_who_is_started_by_a_program_without_standard_error_has_one() -> None:
    child = "import sys; sys.exit(5 if sys.stderr is None else 0)"
    program = (
        "import subprocess, sys; from tiercast.cli.main import _replace_closed_streams; _replace_closed_streams(); "
        f"sys.exit(subprocess.call([sys.executable, '-c', {child!r}]))"
    )
    line = f"{shlex.join([sys.executable, '-c', program])} 2>&-"
    assert subprocess.call(["sh", "-c", line], env=environment()) == 0


def wait_for_lease(database: Path) -> str:
    """Who holds the lease, asked until somebody does."""
    return next(holder for holder in _holders(database) if holder)


def _holders(database: Path) -> Iterator[str | None]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        found = connection.execute("SELECT holder FROM leases").fetchone()
        yield found[0] if found else None
    connection.close()


def wait_for_child(pid: int) -> None:
    """Return once the process has started its rehearsal, which it does just before it fits."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("NOT TESTED: this system does not list the children of a process.")
    ends = time.monotonic() + PATIENCE_SECONDS
    assert any(children.read_text().strip() for _ in iter(lambda: time.monotonic() < ends, False))


@pytest.mark.parametrize("name", ["abc", "the old one", "C0FFEE00", "c0ffee0z"])
def test_a_champion_to_replace_is_named_by_eight_digits_or_more(home: Path, name: str) -> None:
    answer = tiercast("retrain", "--replace", name, home=home)
    assert answer.code == 2
    assert "name the champion by 8 digits or more" in " ".join(answer.err.split())
    assert not home.exists()
