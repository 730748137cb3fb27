"""A time limit on work in the main thread, rung by the system's own alarm."""

import signal
import threading

import pytest

from tiercast.adapters import time_limit
from tiercast.adapters.time_limit import TimeLimit
from tiercast.core.errors import Overdue, Unavailable


def work_for_ever() -> None:
    while True:
        threading.Event().wait(0.01)


def test_work_that_takes_too_long_ends_with_the_sentence() -> None:
    with pytest.raises(Overdue, match="too long"), TimeLimit(0.05, "too long"):
        work_for_ever()


def test_no_alarm_is_left_behind() -> None:
    limit = TimeLimit(100, "too long")
    with limit:
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    with pytest.raises(RuntimeError, match="other"), limit:
        raise RuntimeError("other")
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_clock_runs_on_between_blocks() -> None:
    limit = TimeLimit(0.05, "too long")
    with pytest.raises(Overdue), limit:
        work_for_ever()
    with pytest.raises(Overdue, match="too long"), limit:
        pytest.fail("there was no time left")


def test_work_that_takes_the_limit_for_a_fault_of_its_own_is_rung_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "AGAIN_SECONDS", 0.5)
    swallowed = []

    def work() -> None:
        try:
            work_for_ever()
        except Overdue as error:
            swallowed.append(error)
        work_for_ever()

    with pytest.raises(Overdue), TimeLimit(0.05, "too long"):
        work()
    assert len(swallowed) == 1


def test_no_part_that_expects_failing_stores_takes_it_for_one() -> None:
    assert not issubclass(Overdue, Unavailable)
