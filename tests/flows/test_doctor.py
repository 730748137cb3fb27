"""The doctor asks every part, whatever another one answers."""

from tiercast.core.errors import Missing
from tiercast.flows.doctor import Answer, Question, examine


def test_a_part_that_fails_does_not_silence_the_next() -> None:
    def broken() -> str:
        raise Missing("There is none. Make one.")

    told = examine([Question("first", broken), Question("second", lambda: "fine")])
    assert told == [Answer("first", False, "There is none. Make one."), Answer("second", True, "fine")]
