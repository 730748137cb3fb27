"""One question to both sides: the same answer, or the same error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from tiercast import Tiercast, TiercastError

KEY = "a-key-of-the-tests"
Answer = TypeVar("Answer")
Ask = Callable[[Tiercast], Answer]


@dataclass(frozen=True)
class Both:
    """A home in this process, and its twin behind HTTP."""

    opened: Tiercast
    connected: Tiercast
    url: str

    def answer(self, ask: Ask[Answer]) -> Answer:
        """What both sides answer."""
        here, there = ask(self.opened), ask(self.connected)
        assert here == there
        return here

    def error(self, ask: Ask[object], kind: type[TiercastError]) -> str:
        """The sentence of the error that both sides raise."""
        told = []
        for side in (self.opened, self.connected):
            with pytest.raises(kind) as raised:
                ask(side)
            assert type(raised.value) is kind
            told.append(str(raised.value))
        assert told[0] == told[1]
        return told[0]
