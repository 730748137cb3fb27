"""The doctor: every part that Tiercast rests on, asked one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiercast.core.errors import TiercastError


@dataclass(frozen=True, slots=True)
class Question:
    """A part's name and how to ask it: the answer is a sentence, a TiercastError is the remedy."""

    name: str
    ask: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part said."""

    name: str
    ok: bool
    detail: str


def examine(questions: Sequence[Question]) -> list[Answer]:
    """Ask every part; one that fails does not keep the others from answering."""
    return [_ask(question) for question in questions]


def _ask(question: Question) -> Answer:
    try:
        return Answer(question.name, ok=True, detail=question.ask())
    except TiercastError as error:
        return Answer(question.name, ok=False, detail=str(error))
