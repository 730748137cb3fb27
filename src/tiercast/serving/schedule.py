"""The schedule inside ``serve``: several replicas wake up, one has the slot, and it alone starts the retrain."""

import logging
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from tiercast.core.cron import WEEKDAYS, CronLine
from tiercast.core.errors import Busy, TiercastError
from tiercast.ports.runs import Slots
from tiercast.serving.asking import Threads
from tiercast.serving.retraining import Retrainer
from tiercast.wiring import Wiring, now

JITTER_SECONDS: Final = 30
"""Replicas do not ask the database all at once; below a minute, so that no two slots of a line meet."""
LATE_SECONDS: Final = 60
"""Who wakes up later than this, and the jitter, after a slot leaves it out: what was missed is not caught up."""
LOOK_BACK: Final = timedelta(days=32)


class Schedule:
    """Retrains when the line says so, in UTC, for as long as it is open."""

    def __init__(self, line: str, retrainer: Retrainer, slots: Callable[[], Slots]) -> None:
        self._line = CronLine.parse(line)
        self._retrainer = retrainer
        self._slots = slots
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": _Pool(Threads(1, "schedule"))})
        self._job = self._scheduler.add_job(
            self.due,
            trigger_of(self._line),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=LATE_SECONDS,
        )
        self._scheduler.add_listener(_say_missed, EVENT_JOB_MISSED)

    def start(self) -> None:
        """From now on."""
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())  # else it writes lines that are no JSON
        self._scheduler.start()
        structlog.get_logger().info("schedule", next_at=self.next_at().isoformat())

    def say_unused(self) -> None:
        """Tell of slots that passed while nobody served, which are left out; it may wait for the database."""
        try:
            last = self._slots().last()
        except TiercastError as error:
            structlog.get_logger().warning("schedule: earlier slots are unknown", trouble=str(error))
            return
        passed = self._line.last_within(LOOK_BACK, before=now()) if last else None
        if last and passed and passed > last:
            told = {"newest_missed": passed.isoformat(), "last_used": last.isoformat()}
            structlog.get_logger().warning("schedule: slots passed while nobody served; they are left out", **told)

    def close(self) -> None:
        """Let nothing begin any more; a retrain that goes on is the retrainer's."""
        self._scheduler.shutdown(wait=False)

    def next_at(self) -> datetime:
        """When it wakes up next, jitter included."""
        at: datetime = self._job.next_run_time
        return at

    def due(self) -> str | None:
        """The run that was started for the present slot; None where another server had it, or a retrain goes on."""
        slot = self._line.last_within(timedelta(seconds=JITTER_SECONDS + LATE_SECONDS), before=now())
        log = structlog.get_logger().bind(slot=slot.isoformat() if slot else None)
        if slot is None:
            log.warning("schedule woke up without a slot")
            return None
        try:
            if not self._slots().claim(slot, f"process {os.getpid()} on {socket.gethostname()}"):
                log.info("schedule: another server has this slot")
                return None
            return self._retrainer.start("schedule")
        except Busy as busy:
            log.warning("schedule: slot left out, a retrain is running already", run=busy.run)
        except TiercastError as error:
            log.error("schedule: slot left out", trouble=str(error))
        return None


class _Pool(BasePoolExecutor):  # type: ignore[misc]
    """Threads as APScheduler takes them; its own would keep a stopping process waiting for the database."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(threads)


def open_schedule(wiring: Wiring, retrainer: Retrainer) -> Schedule | None:
    """The schedule that the settings ask for, not yet started; None where they ask for none."""
    line = wiring.settings.retrain.schedule
    return Schedule(line, retrainer, lambda: wiring.slots) if line else None


def trigger_of(line: CronLine) -> BaseTrigger:
    """The line as APScheduler has it, which counts weekdays from Monday and never reads two day fields as either-or."""
    common: dict[str, Any] = {
        "minute": _listed(line.minutes),
        "hour": _listed(line.hours),
        "month": _listed(line.months),
        "timezone": UTC,
    }
    days = _listed(line.days)
    weekdays = ",".join(WEEKDAYS[number] for number in line.weekdays)
    if line.either_day:
        either = [CronTrigger(day=days, **common), CronTrigger(day_of_week=weekdays, **common)]
        return OrTrigger(either, jitter=JITTER_SECONDS)
    return CronTrigger(day=days, day_of_week=weekdays, **common, jitter=JITTER_SECONDS)


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _say_missed(event: JobExecutionEvent) -> None:
    slot = event.scheduled_run_time.isoformat()
    structlog.get_logger().warning("schedule: slot missed while this process stood still; it is left out", slot=slot)
