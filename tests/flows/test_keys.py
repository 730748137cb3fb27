"""API keys from the command's side: what is made, what is kept, what is refused."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tiercast.adapters.databases import open_sqlite
from tiercast.adapters.sql_keys import SqlKeyRing
from tiercast.core.errors import InvalidInput, Missing
from tiercast.flows.keys import add_key, keys_document, revoke_key
from tiercast.ports.serving import KeyRing

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_sqlite(tmp_path / "videos.db")
    yield opened
    opened.dispose()


@pytest.fixture
def ring(engine: Engine) -> KeyRing:
    return SqlKeyRing(engine, "the database")


def test_a_key_is_256_random_bits_behind_a_prefix(ring: KeyRing) -> None:
    keys = {add_key(ring, f"k{number}", now=NOW).key for number in range(20)}
    assert len(keys) == 20
    assert all(re.fullmatch(r"tc_[A-Za-z0-9_-]{43}", key) for key in keys)


def test_what_is_stored_is_the_hash_of_a_key_and_never_the_key(ring: KeyRing, engine: Engine, tmp_path: Path) -> None:
    new = add_key(ring, "web", now=NOW)
    assert ring.digests() == {"web": hashlib.sha256(new.key.encode()).hexdigest()}
    engine.dispose()
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(b"web" in content for content in files)
    assert not any(new.key.encode() in content or new.key[3:].encode() in content for content in files)


def test_a_list_holds_names_and_times_only(ring: KeyRing) -> None:
    add_key(ring, "web", now=NOW)
    told = {"name": "web", "added_at": "2026-01-10T12:00:00+00:00", "revoked_at": None}
    assert keys_document(ring.names()) == {"keys": [told]}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a\n", "x" * 65, "settings"])
def test_what_is_no_name_is_refused(ring: KeyRing, name: str) -> None:
    with pytest.raises(InvalidInput, match="call"):
        add_key(ring, name, now=NOW)
    assert ring.names() == []


def test_a_name_is_never_used_twice(ring: KeyRing) -> None:
    add_key(ring, "web", now=NOW)
    with pytest.raises(InvalidInput, match=r"There is a key .web. already\. Choose"):
        add_key(ring, "web", now=NOW)
    revoke_key(ring, "web", now=NOW)
    with pytest.raises(InvalidInput, match=r"A key 'web' was revoked at 2026-01-10 12:00 UTC, and its name stays"):
        add_key(ring, "web", now=NOW)


def test_a_key_is_revoked_once_and_by_its_whole_name(ring: KeyRing) -> None:
    add_key(ring, "web-app", now=NOW)
    with pytest.raises(Missing, match=r"no key 'web-ap'; did you mean 'web-app'\? 'tiercast keys list'"):
        revoke_key(ring, "web-ap", now=NOW)
    assert revoke_key(ring, "web-app", now=NOW).revoked_at == NOW
    with pytest.raises(InvalidInput, match="was revoked already, at 2026-01-10 12:00 UTC"):
        revoke_key(ring, "web-app", now=NOW)
