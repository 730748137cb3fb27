"""What can go wrong, by what helps: change the request, provide what is missing, or try again."""

from datetime import datetime


class TiercastError(Exception):
    """Root of every error a user may see; its text says what happened, what was seen and what to do next."""


class InvalidInput(TiercastError):
    """The caller's mistake: a file, a setting or an argument that has to change before it can work."""


class Missing(TiercastError):
    """Something that is needed does not exist (yet): a release, a run, an object, a table."""


class NoChampion(Missing):
    """No model answers: nothing was promoted yet, or what was promoted is damaged."""


class Unavailable(TiercastError):
    """A database, a store or a disk did not do its part; the same request may work later."""


class Busy(Unavailable):
    """Another retrain is under way: ``run`` is its id, ``since`` when it began. The sentence names its process too."""

    def __init__(self, sentence: str, run: str, since: datetime) -> None:
        super().__init__(sentence)
        self.run = run
        self.since = since


class Overdue(TiercastError):
    """The work took longer than it may. None of the three, so that no part of it takes this for a fault of its own."""


def is_interruption(error: BaseException | None) -> bool:
    """Whether somebody interrupted the work: a library that was cleaning up after that may have failed over it.

    >>> try:
    ...     try:
    ...         raise KeyboardInterrupt
    ...     finally:
    ...         assert not "half done"
    ... except AssertionError as error:
    ...     is_interruption(error)
    True
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
