"""Opening and migrating databases, and what is said where that does not work."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from tiercast.adapters import migrations
from tiercast.adapters.databases import connect_postgres, database_id, open_postgres, open_sqlite, plain_errors, shown
from tiercast.core.errors import InvalidInput, TiercastError, Unavailable

TABLES = {
    "api_keys", "erasures", "files_read", "identity", "leases", "migrations", "observations", "predictions",
    "promotions", "runs", "slots", "videos",
}  # fmt: skip
OPEN_TWICE = """
import sys
from pathlib import Path
from tiercast.adapters.databases import open_postgres, open_sqlite
sys.stdin.readline()
url = sys.argv[1]
(open_postgres(url) if url.startswith("postgresql") else open_sqlite(Path(url))).dispose()
"""


def refusal(url: str) -> str:
    """What open_postgres says; one sentence or two on one line, without the password."""
    with pytest.raises(TiercastError) as caught:
        open_postgres(url)
    said = str(caught.value)
    assert "\n" not in said
    assert "s3cret" not in said
    assert said.endswith(".")
    return said


def administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_fresh_database_gets_every_table_and_an_id_of_its_own(database: Any) -> None:
    schema = "tiercast" if database.name == "postgres" else None
    assert set(inspect(database.engine).get_table_names(schema=schema)) == TABLES
    assert len(database_id(database.engine)) == 32


def test_opening_again_changes_nothing(database: Any) -> None:
    before = database_id(database.engine)
    again = database.reopen()
    assert database_id(again) == before
    with again.connect() as connection:
        steps = connection.execute(text(f"SELECT step FROM {database.schema}migrations")).scalars().all()
    assert steps == list(range(1, len(migrations.STEPS) + 1))
    again.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Any) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {database.schema}migrations VALUES (99)"))
    with pytest.raises(InvalidInput, match=r"at step 99, made by a newer tiercast.*Upgrade tiercast"):
        database.reopen()


def test_a_step_that_fails_halfway_leaves_nothing_behind(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ("CREATE TABLE {schema}extra (x integer)", "CREATE TABLE {schema}videos (x integer)")
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, broken))
    with pytest.raises(Unavailable, match="already exists"):
        database.reopen()
    schema = "tiercast" if database.name == "postgres" else None
    assert set(inspect(database.engine).get_table_names(schema=schema)) == TABLES


def test_on_postgres_nothing_stands_in_the_public_schema(postgres: Any) -> None:
    assert inspect(postgres.engine).get_table_names(schema="public") == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_may_open_a_fresh_database_at_once(kind: str, request: Any, tmp_path: Path) -> None:
    url = str(tmp_path / "new" / "t.db") if kind == "sqlite" else request.getfixturevalue("postgres_url")
    command = [sys.executable, "-c", OPEN_TWICE, url]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    engine = open_postgres(url) if kind == "postgres" else open_sqlite(Path(url))
    assert len(database_id(engine)) == 32
    engine.dispose()


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "100% déjà vu? #1 & more" / "my tiercast.db"
    engine = open_sqlite(path)
    engine.dispose()
    assert path.read_bytes()[:6] == b"SQLite"
    assert [each.name for each in tmp_path.iterdir()] == [path.parent.name]


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "tiercast.db"
    path.write_bytes(b"these are notes, no database at all; " * 40)
    with pytest.raises(Unavailable, match=r"SQLite database .*tiercast\.db: file is not a database.*move it away"):
        open_sqlite(path)
    assert path.read_bytes().startswith(b"these are notes")


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unable to open database file"):
        open_sqlite(tmp_path)


def test_a_file_in_the_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(Unavailable, match=r"cannot be created .* Choose another --home"):
        open_sqlite(tmp_path / "home" / "deeper" / "tiercast.db")


def test_a_read_only_home_is_refused_with_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o555)
    if os.access(home, os.W_OK):
        import ctypes

        mount = getattr(ctypes.CDLL(None), "mount", None)
        if mount is None or mount(b"tmpfs", os.fsencode(home), b"tmpfs", 1, b"size=64k"):
            pytest.skip("NOT TESTED: a read-only home needs an ordinary user, or the right to mount one.")
    try:
        with pytest.raises(Unavailable, match="Make the home writable, or choose another --home"):
            open_sqlite(home / "tiercast.db")
    finally:
        if os.path.ismount(home):
            ctypes.CDLL(None).umount2(os.fsencode(home), 2)


def test_a_missing_database_is_named(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    assert 'database "nowhere" does not exist. Check the database name' in refusal(url)


def test_a_port_where_nobody_listens_is_told_without_the_password() -> None:
    said = refusal("postgresql://ana:s3cret@127.0.0.1:1/db")
    assert "postgresql://ana:***@127.0.0.1:1/db" in said
    assert "that the server is running" in said


def test_a_wrong_password_is_told_without_it(postgres_url: str) -> None:
    role = f"walled_{make_url(postgres_url).database}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'right'"))
        rules = Path(str(connection.execute(text("SHOW hba_file")).scalar_one()))
        loaded = connection.execute(text("SELECT pg_conf_load_time()")).scalar_one()
        rules.write_text(f"local all {role} scram-sha-256\n" + rules.read_text())
        connection.execute(text("SELECT pg_reload_conf()"))
    for _ in range(1_000):  # the server reads its rules again in its own time; each new connection says when
        engine.dispose()
        with engine.connect() as connection:
            if connection.execute(text("SELECT pg_conf_load_time()")).scalar_one() != loaded:
                break
    engine.dispose()
    walled = make_url(postgres_url).set(username=role)
    said = refusal(walled.set(password="s3cret").render_as_string(hide_password=False))
    assert "password authentication failed" in said
    assert "Check user and password in database_url" in said
    unstated = walled.render_as_string(hide_password=False)
    assert "Put the password into database_url" in refusal(unstated)


def test_a_role_without_the_right_to_create_is_told_so(postgres_url: str) -> None:
    role = f"guest_{make_url(postgres_url).database}"
    administer(postgres_url, f"CREATE ROLE {role} LOGIN")
    said = refusal(make_url(postgres_url).set(username=role).render_as_string(hide_password=False))
    assert "permission denied" in said
    assert "Give the role the right it lacks" in said


def test_a_role_may_use_a_schema_that_someone_else_made_for_it(postgres_url: str) -> None:
    role = f"tenant_{make_url(postgres_url).database}"
    administer(
        postgres_url, f"CREATE ROLE {role} LOGIN", "CREATE SCHEMA tiercast", f"GRANT ALL ON SCHEMA tiercast TO {role}"
    )
    engine = open_postgres(make_url(postgres_url).set(username=role).render_as_string(hide_password=False))
    assert set(inspect(engine).get_table_names(schema="tiercast")) == TABLES
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["postgresql://ana:s3cret@host:port/db", "postgresql:s3cret", "s3cret", "postgresql://ana:s3cret@[::1/db"],
)
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    said = refusal(url)
    assert "database_url" in said


def test_a_shown_address_has_no_password() -> None:
    assert shown("postgresql://ana:s3cret@host:5432/db") == "postgresql://ana:***@host:5432/db"


@pytest.mark.parametrize("option", ["password=s3cret", "sslpassword=s3cret", "options=-c+app.token%3Ds3cret"])
def test_a_shown_address_has_no_options_for_they_may_hold_a_password(option: str) -> None:
    assert shown(f"postgresql://host/db?user=ana&{option}") == "postgresql://host/db?..."
    said = refusal(f"postgresql://127.0.0.1:1/db?user=ana&{option}")
    assert "127.0.0.1" in said


def test_what_is_erased_from_sqlite_leaves_no_bytes(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "videos.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE handles (handle text)"))
        names = [{"handle": f"erased-creator-{n}"} for n in range(2_000)]
        connection.execute(text("INSERT INTO handles VALUES (:handle)"), names)
    engine.dispose()
    engine = open_sqlite(tmp_path / "videos.db")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM handles"))
    engine.dispose()
    for path in tmp_path.iterdir():
        assert b"erased-creator" not in path.read_bytes(), path.name


def test_a_failed_statement_says_what_failed_but_not_its_values(database: Any) -> None:
    with pytest.raises(Unavailable) as caught, plain_errors("the database"), database.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM no_such_table WHERE x = :x"), {"x": "s3cret"})
    assert "Could not use the database" in str(caught.value)
    assert "no_such_table" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_no_statement_is_prepared_on_the_server_so_that_a_pooler_works(postgres_url: str) -> None:
    engine = connect_postgres(postgres_url)
    with engine.connect() as connection:
        for _ in range(12):
            connection.execute(text("SELECT :x"), {"x": 1})
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
    engine.dispose()


def test_a_failure_while_rows_are_copied_is_told_like_any_other(postgres: Any) -> None:
    import polars as pl

    from tiercast.intake.schema import SCHEMA

    row = {**dict.fromkeys(SCHEMA), "platform": "tiktok", "video_id": "1", "description": "a\x00b"}
    frame = pl.DataFrame([row], schema=SCHEMA).with_columns(
        scraped_at=pl.lit(0).cast(SCHEMA["scraped_at"]), scrape_time_guessed=pl.lit(value=False), row=pl.lit(0)
    )
    with pytest.raises(Unavailable, match=r"Could not use the database: .*0x00"):
        postgres.store.add(frame, changes_only=False)
    assert postgres.store.count() == (0, 0)


def test_a_broken_connection_is_told_as_unavailable(database: Any) -> None:
    with pytest.raises(Unavailable, match="Could not use it"), plain_errors("it"):
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))
