"""Who a bearer key belongs to: digests in memory, compared in constant time, renewed in the background."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from pydantic import SecretStr

from tiercast.core.errors import TiercastError
from tiercast.flows.keys import SETTINGS, digest_of
from tiercast.ports.serving import KeyRing


@dataclass(slots=True)
class Keys:
    """The keys that open the service; readers never wait, ``refresh`` swaps what they read."""

    ring: Callable[[], KeyRing]
    api_key: SecretStr | None = None
    _digests: Mapping[str, str] | None = None
    """By name; None until the ring was read once."""
    _locked: bool = False
    _problem: str | None = None
    _settings: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        secret = None if self.api_key is None else self.api_key.get_secret_value()
        self._settings = {SETTINGS: digest_of(secret)} if secret else {}

    @property
    def problem(self) -> str | None:
        """Why the ring could not be read the last time; None where it could."""
        return self._problem

    def refresh(self) -> None:
        """Read the ring; while it is away, the keys in memory go on opening and no others do."""
        try:
            digests = self.ring().digests()
        except TiercastError as error:
            if self._problem is None:
                structlog.get_logger().warning("API keys out of reach", problem=str(error))
            self._problem = str(error)
            return
        if self._problem is not None:
            structlog.get_logger().info("API keys within reach again")
        self._problem = None
        self._locked = self._locked or bool(digests)
        self._digests = digests

    def any(self) -> bool:
        """Whether requests need a key.

        True as well while it is unknown, the ring never having been read, and ever after there was a key: a service
        is not opened to everybody by revoking its last one.
        """
        return bool(self._settings) or self._digests is None or self._locked

    def name_of(self, token: str) -> str | None:
        """Whose key this is; None where it opens nothing. Takes as long for every token of the same length."""
        given, found = digest_of(token), None
        for name, digest in {**(self._digests or {}), **self._settings}.items():
            if hmac.compare_digest(digest, given):
                found = name  # goes on to the last key, so that time does not tell which one it was
        return found
