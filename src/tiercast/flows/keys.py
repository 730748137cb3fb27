"""API keys: made once, kept as a hash under a name, revoked by that name."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from tiercast.core.errors import InvalidInput, Missing
from tiercast.ports.serving import KeyRing, NamedKey

SETTINGS: Final = "settings"
"""The name of the key in the setting ``api_key``."""
PREFIX: Final = "tc_"
"""By which people and scanners of secrets know such a key where it should not be."""
RANDOM_BYTES: Final = 32
"""256 bits: nobody guesses one, so one round of SHA-256 keeps it as safe as a slow hash keeps a password."""
NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only time that anybody sees it."""

    name: str
    key: str
    added_at: datetime

    def to_document(self) -> dict[str, object]:
        """The answer of ``keys add --json``."""
        return {"name": self.name, "key": self.key, "added_at": self.added_at.isoformat()}


def add_key(ring: KeyRing, name: str, *, now: datetime) -> NewKey:
    """A new key under this name; raises InvalidInput where the name is none, or was ever used."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"A key cannot be called {name[:80]!r}; write 1 to 64 letters, digits, dots, _ or -.")
    if name == SETTINGS:
        raise InvalidInput(f"{SETTINGS!r} names the key in the setting api_key; call this one something else.")
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    if not ring.add(name, digest_of(key), now):
        raise InvalidInput(_taken(ring, name))
    return NewKey(name, key, now)


def digest_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal digits; any text has one.

    >>> digest_of("tc_")[:12]
    'cbae3225e0da'
    """
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def names_of(key: str, ring: KeyRing) -> list[str]:
    """The names under which the ring has this very key, as long as it opens."""
    return [name for name, digest in ring.digests().items() if digest == digest_of(key)]


def revoke_key(ring: KeyRing, name: str, *, now: datetime) -> NamedKey:
    """The key, revoked from now on; raises Missing where there is none, InvalidInput where it was revoked before."""
    if ring.revoke(name, now):
        return next(key for key in ring.names() if key.name == name)
    known = {key.name: key for key in ring.names()}
    found = known.get(name)
    if found is not None and found.revoked_at is not None:
        raise InvalidInput(f"The key {name!r} was revoked already, at {found.revoked_at:%Y-%m-%d %H:%M} UTC.")
    near = get_close_matches(name[:80], known, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    raise Missing(f"There is no key {name[:80]!r}{meant} 'tiercast keys list' names them.")


def keys_document(keys: Sequence[NamedKey]) -> dict[str, object]:
    """The answer of ``keys list --json``."""
    return {"keys": [key_document(key) for key in keys]}


def key_document(key: NamedKey) -> dict[str, object]:
    """One key without anything that opens."""
    revoked_at = key.revoked_at.isoformat() if key.revoked_at else None
    return {"name": key.name, "added_at": key.added_at.isoformat(), "revoked_at": revoked_at}


def _taken(ring: KeyRing, name: str) -> str:
    found = next((key for key in ring.names() if key.name == name), None)
    if found is None or found.revoked_at is None:
        return f"There is a key {name!r} already. Choose another name; names are never used twice."
    return (
        f"A key {name!r} was revoked at {found.revoked_at:%Y-%m-%d %H:%M} UTC, and its name stays with it: who used "
        "which key has to remain clear. Choose another name."
    )
