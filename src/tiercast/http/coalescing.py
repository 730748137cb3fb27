"""Requests for one video that arrive while others are being answered are answered together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final

from tiercast.adapters.formats.item import Format
from tiercast.answering import Answers, Item, Oracle, Wanted, video_id_of
from tiercast.core.moments import Moment
from tiercast.http.problems import Problem

MOST_TOGETHER: Final = 64
"""More at once would keep the first of them waiting longer than the work saved is worth."""
MOST_WAITING: Final = 2_000
"""About two seconds' work; who comes then is better told to come back."""


Outcomes = Sequence[Answers | BaseException]


@dataclass(frozen=True, slots=True)
class _Single:
    item: Item
    video_id: str
    answer: "asyncio.Future[Answers]"


@dataclass(slots=True)
class _Lane:
    """Singles of one format that ask the same; one batch of them is under way at a time."""

    form: Format
    wanted: Wanted
    waiting: deque[_Single] = field(default_factory=deque)
    busy: bool = False

    def next_batch(self) -> list[_Single]:
        """The longest waiting, each video once: two posts of the same id would be taken for one."""
        taken: dict[str, _Single] = {}
        later: list[_Single] = []
        while self.waiting and len(taken) < MOST_TOGETHER:
            single = self.waiting.popleft()
            if single.video_id in taken:
                later.append(single)
            else:
                taken[single.video_id] = single
        self.waiting.extendleft(reversed(later))
        return list(taken.values())


@dataclass(slots=True)
class Coalescer:
    """Nobody waits for company: a batch starts as soon as the one before has ended."""

    oracle: Oracle
    executor: Executor
    _lanes: dict[tuple[str, Wanted], _Lane] = field(default_factory=dict)

    async def answer(self, item: Item, video_id: str, form: Format, wanted: Wanted) -> Answers:
        """The answer to one item; as if it had been asked alone."""
        lane = self._lanes.setdefault((form.name, wanted), _Lane(form, wanted))
        if len(lane.waiting) >= MOST_WAITING:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_WAITING:,} requests are waiting already. Ask again in a second, or send videos together.",
                kind="overloaded",
                title="More is asked than can be answered",
            )
        loop = asyncio.get_running_loop()
        single = _Single(item, video_id, loop.create_future())
        lane.waiting.append(single)
        if not lane.busy:
            lane.busy = True
            loop.call_soon(self._start, lane)  # after whatever else has arrived by now
        return await single.answer

    def _start(self, lane: _Lane) -> None:
        batch = lane.next_batch()
        lane.busy = bool(batch)
        if not batch:
            return
        work = partial(_answered, self.oracle, [single.item for single in batch], lane)
        loop = asyncio.get_running_loop()
        if lane.wanted.moment is Moment.OBSERVED and not lane.wanted.reasons:
            # It takes milliseconds and asks no database: handing it to a thread and back would cost as much.
            _settle(batch, work())
            loop.call_soon(self._start, lane)
        else:
            loop.run_in_executor(self.executor, work).add_done_callback(partial(self._finish, lane, batch))

    def _finish(self, lane: _Lane, batch: list[_Single], done: "asyncio.Future[Outcomes]") -> None:
        self._start(lane)
        fault = done.exception()
        _settle(batch, [fault] * len(batch) if fault else done.result())


def _settle(batch: Sequence[_Single], outcomes: Outcomes) -> None:
    for single, outcome in zip(batch, outcomes, strict=True):
        if single.answer.done():
            continue  # its caller has gone away
        if isinstance(outcome, Answers):
            single.answer.set_result(outcome)
        else:
            single.answer.set_exception(outcome)


def _answered(oracle: Oracle, items: list[Item], lane: _Lane) -> Outcomes:
    """Each item's own answer; where they cannot be answered together, one after the other."""
    try:
        together = oracle.answer(items, lane.wanted, lane.form)
    except Exception as error:  # noqa: BLE001  each caller gets its own fault, and none that another caused
        if len(items) == 1:
            return [error]
        return [outcome for item in items for outcome in _answered(oracle, [item], lane)]
    if len(items) == 1:
        return [together]
    return _apart(together, items, lane.form)


def _apart(together: Answers, items: list[Item], form: Format) -> list[Answers]:
    ids = [video_id_of(item, form) for item in items]
    predictions = {each["video_id"]: each for each in together.predictions}
    refused = {each.video_id: each for each in together.unanswered}
    return [
        Answers([predictions[each]] if each in predictions else [], [refused[each]] if each in refused else [])
        for each in ids
    ]
