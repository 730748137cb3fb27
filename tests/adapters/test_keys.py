"""API keys, the same on SQLite and Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tiercast.adapters.sql_keys import SqlKeyRing
from tiercast.core.errors import Unavailable
from tiercast.ports.serving import KeyRing, NamedKey

T0 = datetime(2026, 1, 10, 12, 0, 0, 7, tzinfo=UTC)
T1 = T0 + timedelta(hours=1)


@pytest.fixture
def ring(database: Any) -> KeyRing:
    return SqlKeyRing(database.engine, "the database")


def test_a_ring_without_keys_is_empty(ring: KeyRing) -> None:
    assert (ring.names(), ring.digests()) == ([], {})


def test_keys_come_back_in_the_order_in_which_they_were_added(ring: KeyRing) -> None:
    assert ring.add("web", "d1", T1)
    assert ring.add("app", "d2", T0)
    assert ring.names() == [NamedKey("app", T0), NamedKey("web", T1)]
    assert ring.digests() == {"web": "d1", "app": "d2"}


def test_a_revoked_key_opens_nothing_and_stays_on_record(ring: KeyRing) -> None:
    ring.add("web", "d1", T0)
    ring.add("app", "d2", T0)
    assert ring.revoke("web", T1)
    assert ring.digests() == {"app": "d2"}
    assert NamedKey("web", T0, T1) in ring.names()


def test_only_a_key_that_opens_can_be_revoked(ring: KeyRing) -> None:
    ring.add("web", "d1", T0)
    assert not ring.revoke("Web", T1)
    assert ring.revoke("web", T1)
    assert not ring.revoke("web", T1 + timedelta(hours=1))
    assert ring.names() == [NamedKey("web", T0, T1)]


@pytest.mark.parametrize("revoked", [False, True])
def test_a_name_is_used_once(ring: KeyRing, revoked: bool) -> None:
    ring.add("web", "d1", T0)
    if revoked:
        ring.revoke("web", T1)
    assert not ring.add("web", "d2", T1)
    assert ring.digests() == ({} if revoked else {"web": "d1"})


def test_another_process_sees_a_new_key(ring: KeyRing, database: Any) -> None:
    ring.add("web", "d1", T0)
    engine = database.reopen()
    assert SqlKeyRing(engine, "the database").digests() == {"web": "d1"}
    engine.dispose()


def test_a_ring_that_cannot_be_read_is_unavailable(ring: KeyRing, database: Any) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {database.schema}api_keys"))
    for ask in (ring.names, ring.digests, lambda: ring.add("a", "d", T0), lambda: ring.revoke("a", T0)):
        with pytest.raises(Unavailable, match="Could not use the database"):
            ask()
