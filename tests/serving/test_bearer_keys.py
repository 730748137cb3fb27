"""Whose key a bearer token is."""

from datetime import UTC, datetime

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine, text

from tiercast.adapters.sql_keys import SqlKeyRing
from tiercast.core.errors import Unavailable
from tiercast.flows.keys import add_key, revoke_key
from tiercast.ports.serving import KeyRing
from tiercast.serving.keys import Keys

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def ring(engine: Engine) -> KeyRing:
    return SqlKeyRing(engine, "the database")


def refreshed(ring: KeyRing, api_key: str | None = None) -> Keys:
    keys = Keys(lambda: ring, None if api_key is None else SecretStr(api_key))
    keys.refresh()
    return keys


def rename(engine: Engine, name: str, to: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {name} RENAME TO {to}"))


def test_a_key_is_known_by_its_name(ring: KeyRing) -> None:
    web, app = (add_key(ring, name, now=NOW).key for name in ("web", "app"))
    keys = refreshed(ring, "hunter2")
    assert [keys.name_of(token) for token in (web, app, "hunter2")] == ["web", "app", "settings"]


@pytest.mark.parametrize("token", ["", "tc_", "hunter", "hunter22", "HUNTER2", " hunter2", "é", "\udcff", "x" * 10**6])
def test_what_is_no_key_belongs_to_nobody(ring: KeyRing, token: str) -> None:
    add_key(ring, "web", now=NOW)
    assert refreshed(ring, "hunter2").name_of(token) is None


def test_a_stored_digest_is_no_key(ring: KeyRing) -> None:
    add_key(ring, "web", now=NOW)
    assert refreshed(ring).name_of(ring.digests()["web"]) is None


def test_a_new_key_opens_and_a_revoked_one_stops_with_the_next_refresh(ring: KeyRing) -> None:
    keys = refreshed(ring)
    key = add_key(ring, "web", now=NOW).key
    assert keys.name_of(key) is None
    keys.refresh()
    assert keys.name_of(key) == "web"
    revoke_key(ring, "web", now=NOW)
    assert keys.name_of(key) == "web"
    keys.refresh()
    assert keys.name_of(key) is None


def test_keys_in_memory_outlive_a_database_that_is_away(ring: KeyRing, engine: Engine) -> None:
    key = add_key(ring, "web", now=NOW).key
    keys = refreshed(ring)
    rename(engine, "api_keys", "away")
    with structlog.testing.capture_logs() as logs:
        keys.refresh()
        keys.refresh()
    assert [line["event"] for line in logs] == ["API keys out of reach"]
    assert keys.problem is not None
    assert (keys.name_of(key), keys.any()) == ("web", True)
    rename(engine, "away", "api_keys")
    revoke_key(ring, "web", now=NOW)
    keys.refresh()
    assert (keys.name_of(key), keys.problem) == (None, None)


def test_without_any_key_none_is_needed(ring: KeyRing) -> None:
    assert not refreshed(ring).any()
    assert refreshed(ring, "hunter2").any()


def test_a_ring_that_was_never_read_may_hold_keys() -> None:
    def away() -> KeyRing:
        raise Unavailable("The database is away.")

    keys = Keys(away)
    assert keys.any()
    keys.refresh()
    assert keys.any()
    assert keys.name_of("anything") is None


def test_revoking_the_last_key_opens_a_running_service_to_nobody(ring: KeyRing) -> None:
    add_key(ring, "web", now=NOW)
    keys = refreshed(ring)
    revoke_key(ring, "web", now=NOW)
    keys.refresh()
    assert keys.any()
    assert not refreshed(ring).any()
