"""API keys in SQL."""

from datetime import datetime

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from tiercast.adapters.databases import plain_errors
from tiercast.adapters.tables import api_keys, epoch_us, stored_time, time_of
from tiercast.ports.serving import NamedKey


class SqlKeyRing:
    """A KeyRing on an engine whose tables exist."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    def add(self, name: str, digest: str, at: datetime) -> bool:
        """Keep a key; the primary key decides who was first."""
        values = {"name": name, "digest": digest, "added_at": stored_time(at)}
        with plain_errors(self._where):
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(api_keys).values(values))
            except IntegrityError:
                return False
        return True

    def names(self) -> list[NamedKey]:
        """Every key, oldest first."""
        added, revoked = epoch_us(api_keys.c.added_at), epoch_us(api_keys.c.revoked_at)
        query = select(api_keys.c.name, added.label("added"), revoked.label("revoked"))
        with plain_errors(self._where), self._engine.connect() as connection:
            found = connection.execute(query).all()
        keys = [
            NamedKey(row.name, time_of(row.added), None if row.revoked is None else time_of(row.revoked))
            for row in found
        ]
        return sorted(keys, key=lambda key: (key.added_at, key.name))

    def revoke(self, name: str, at: datetime) -> bool:
        """End a key that opens."""
        opens = (api_keys.c.name == name) & api_keys.c.revoked_at.is_(None)
        with plain_errors(self._where), self._engine.begin() as connection:
            return connection.execute(update(api_keys).where(opens).values(revoked_at=stored_time(at))).rowcount == 1

    def digests(self) -> dict[str, str]:
        """The digest of each key that opens."""
        query = select(api_keys.c.name, api_keys.c.digest).where(api_keys.c.revoked_at.is_(None))
        with plain_errors(self._where), self._engine.connect() as connection:
            return {row.name: row.digest for row in connection.execute(query)}
