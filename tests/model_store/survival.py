"""What has to hold of a store after anything went wrong, and how many times something did."""

from collections import Counter
from dataclasses import dataclass

from model_store.samples import OBSERVED, release_of, writer
from tiercast.adapters.log_choice import choose_log, recorded_log
from tiercast.adapters.promotion_logs import SqlLog
from tiercast.flows.model_store import ModelStore, Race, load_release, releases, standing
from tiercast.flows.promotion_history import history
from tiercast.flows.publish import Passed, publish
from tiercast.ports.models import ObjectStore

INJECTED: Counter[str] = Counter()
"""Faults by kind, as the summary of the test session prints them."""


@dataclass(frozen=True)
class Bed:
    """A store that faults are injected into, seen by somebody without faults."""

    objects: ObjectStore
    sql_log: SqlLog | None = None

    @property
    def _database(self) -> str | None:
        return "db-1" if self.sql_log else None

    def publish(self, seed: int) -> Race:
        """A run that publishes this release."""
        return published(self.objects, seed, self.sql_log)

    def assert_sound(self, old: int | None, new: int) -> bool:
        """The old champion serves, or the new one if its entry was written; returns whether it was.

        Every entry and every release that is listed is whole, and nobody is warned of anything.
        """
        log = recorded_log(self.objects, self.sql_log, self._database)
        now, entries = standing(self.objects, log, OBSERVED), history(log, OBSERVED) if log else []
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.damage for entry in entries] == [None] * len(entries)
        won = any(entry.promotion and entry.promotion.release == release_of(new).id for entry in entries)
        expected = new if won else old
        assert now.release == (None if expected is None else release_of(expected))
        assert now.warnings == ()
        for release in releases(self.objects, OBSERVED):
            if now.release is None or release != now.release.id:
                load_release(self.objects, OBSERVED, release)
        return won

    def assert_next_run_succeeds(self, old: int | None, new: int) -> None:
        """After any fault the store is sound, and a run right after it wins, under the next number."""
        won = self.assert_sound(old, new)
        following, entries = new + 1 if won else new, (old is not None) + won
        race = self.publish(following)
        assert (race.won, race.entry.number) == (True, entries + 1)
        assert self.assert_sound(new if won else old, following)


def published(objects: ObjectStore, seed: int, sql_log: SqlLog | None = None) -> Race:
    """What a run does once the gate has said yes."""
    store = ModelStore(objects, choose_log(objects, sql_log, "db-1" if sql_log else None))
    beside = standing(store.objects, store.log, OBSERVED)
    return publish(store, Passed(release_of(seed), (), f"run-{seed}", beside), writer(f"token-{seed}"))
