"""Old releases go; what may be needed stays, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from model_store.conftest import Place
from model_store.samples import AT, OBSERVED, entry_of, publish, release_of, serving, writer
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.flows.model_store import ModelStore, champion, load_release, promote, releases, standing, upload
from tiercast.flows.promotion_history import history
from tiercast.flows.prune import Pruned, Pruning, prune
from tiercast.flows.rollback import pin, rollback, unpin
from tiercast.ports.models import ObjectStore


def after(days: float, *, keep: int = 1, dry_run: bool = False) -> Pruning:
    """A prune some days after the first promotion."""
    return Pruning(keep, AT + timedelta(days=days), dry_run)


def pruned(store: ModelStore, pruning: Pruning) -> Pruned:
    return prune(store.objects, store.log, OBSERVED, pruning)


def weekly(store: ModelStore, n: int) -> list[str]:
    """Releases promoted a week apart."""
    return [publish(store, seed, days=7 * seed).id for seed in range(n)]


def test_all_but_the_newest_and_those_that_served_lately_go_and_the_log_stays(store: ModelStore) -> None:
    ids = weekly(store, 20)
    before = [store.log.read(OBSERVED, number) for number in store.log.numbers(OBSERVED)]
    told = pruned(store, after(7 * 19))
    # Release 6 served until day 49, 84 days before day 133; release 5 until day 42, 91 days before.
    assert set(told.removed) == set(ids[:6])
    assert told.kept == {
        **dict.fromkeys(ids[6:18], "served in the last 90 days"),
        ids[18]: "a rollback returns to it",
        ids[19]: "serves",
    }
    assert releases(store.objects, OBSERVED) == sorted(ids[6:])
    assert store.objects.list("observed/releases") == sorted(
        f"observed/releases/{one}/{name}" for one in ids[6:] for name in ("labels.json", "manifest.json", "model.json")
    )
    assert [store.log.read(OBSERVED, number) for number in store.log.numbers(OBSERVED)] == before
    now = standing(store.objects, store.log, OBSERVED)
    assert (now.release and now.release.id, now.warnings) == (ids[19], ())


def test_the_newest_ones_stay_however_old_they_are(beside: ModelStore) -> None:
    ids = weekly(beside, 6)
    assert set(pruned(beside, after(1000, keep=4)).removed) == set(ids[:2])
    assert pruned(beside, after(2000, keep=4)).removed == {}
    assert set(pruned(beside, after(2000, keep=3)).removed) == {ids[2]}


def test_the_champion_and_where_a_rollback_leads_stay_forever(beside: ModelStore) -> None:
    ids = weekly(beside, 4)
    rollback(beside, OBSERVED, release=ids[0], reason="r", writer=writer(days=28))
    told = pruned(beside, after(3000))
    assert set(told.removed) == {ids[1], ids[2]}
    assert told.kept == {ids[0]: "serves", ids[3]: "a rollback returns to it"}
    assert rollback(beside, OBSERVED, release=None, reason="r", writer=writer()).release == ids[3]


def test_the_best_so_far_and_a_pinned_one_stay(place: Place, beside: ModelStore) -> None:
    ids = weekly(beside, 3)
    pin(beside, OBSERVED, release=ids[0], reason="r", writer=writer(days=30))
    unpin(beside, OBSERVED, reason="its best stays the pinned one", writer=writer(days=31))
    publish(beside, 7, days=32)
    last = publish(beside, 8, days=39)
    entry = beside.log.numbers(OBSERVED)[-1] + 1
    promote(beside, replace(entry_of(last, number=entry, days=40), best=ids[1]))
    told = pruned(beside, after(3000))
    assert told.kept == {last.id: "serves", release_of(7).id: "a rollback returns to it", ids[1]: "the best so far"}
    pin(beside, OBSERVED, release=ids[1], reason="r", writer=writer(days=50))
    place.flip(f"observed/releases/{ids[1]}/model.json")
    told = pruned(beside, after(4000))
    assert told.kept[last.id] == "serves"
    assert told.kept[ids[1]] == "pinned"


def test_a_dry_run_says_the_same_and_changes_nothing(place: Place, beside: ModelStore) -> None:
    weekly(beside, 5)
    upload(beside.objects, OBSERVED, release_of(99))
    before = place.everything()
    planned = pruned(beside, after(1000, dry_run=True))
    assert place.everything() == before
    done = pruned(beside, after(1000))
    assert (done.removed, done.kept, done.waiting) == (planned.removed, planned.kept, planned.waiting)
    assert len(done.removed) == 3


def test_an_upload_that_no_entry_names_goes_a_day_after_a_prune_first_saw_it(store: ModelStore) -> None:
    publish(store, 1)
    upload(store.objects, OBSERVED, release_of(2))
    partial = release_of(3)
    store.objects.put_if_absent(f"observed/releases/{partial.id}/model.json", partial.files["model.json"])
    both = {release_of(2).id, partial.id}
    first = pruned(store, after(100))
    assert (set(first.waiting), first.removed) == (both, {})
    assert pruned(store, after(100.9)).waiting == first.waiting
    last = pruned(store, after(101))
    assert last.removed == dict.fromkeys(sorted(both), "uploaded, never promoted")
    assert {key.split("/")[2] for key in store.objects.list("observed/releases")} == {release_of(1).id}
    assert store.objects.list("observed/unnamed") == []


def test_a_publisher_at_work_during_a_prune_wins_afterwards(store: ModelStore) -> None:
    publish(store, 1)
    upload(store.objects, OBSERVED, release_of(2))
    assert set(pruned(store, after(500)).waiting) == {release_of(2).id}
    second = publish(store, 2, days=500)
    assert pruned(store, after(502)).removed == {}
    assert serving(store) == second.id
    assert store.objects.list("observed/unnamed") == []


def test_where_nothing_was_promoted_yet_uploads_wait_too(objects: ObjectStore) -> None:
    upload(objects, OBSERVED, release_of(1))
    assert set(prune(objects, None, OBSERVED, after(0)).waiting) == {release_of(1).id}
    assert releases(objects, OBSERVED) == [release_of(1).id]
    assert set(prune(objects, None, OBSERVED, after(1)).removed) == {release_of(1).id}


def test_while_an_entry_cannot_be_read_what_it_may_name_stays(place: Place, beside: ModelStore) -> None:
    ids = weekly(beside, 4)
    place.flip("observed/promotions/00000001.json")
    told = pruned(beside, after(1000))
    assert told.kept[ids[0]] == "an entry that cannot be read may name it"
    assert set(told.removed) == {ids[1]}


def test_where_every_release_is_damaged_nothing_is_removed(place: Place, beside: ModelStore) -> None:
    for release in weekly(beside, 3):
        place.flip(f"observed/releases/{release}/model.json")
    before = place.everything()
    with pytest.raises(Missing, match="Nothing was removed"):
        pruned(beside, after(1000))
    assert place.everything() == before


@pytest.mark.parametrize("keep", [0, -1])
def test_to_keep_nothing_is_refused(beside: ModelStore, keep: int) -> None:
    weekly(beside, 3)
    with pytest.raises(InvalidInput, match="keep at least 1"):
        pruned(beside, after(1000, keep=keep))


@dataclass
class Interrupted:
    """A store in which something happens at the n-th deletion."""

    inner: ObjectStore
    at: int
    act: Callable[[], None]

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self.inner.put_if_absent(key, content)

    def get(self, key: str) -> bytes:
        return self.inner.get(key)

    def list(self, prefix: str) -> list[str]:
        return self.inner.list(prefix)

    def delete(self, key: str) -> None:
        self.at -= 1
        if self.at == 0:
            self.act()
        self.inner.delete(key)


def fail() -> None:
    raise Unavailable("the store went away")


@pytest.mark.parametrize("at", range(1, 10))
def test_a_prune_that_dies_at_any_deletion_leaves_no_half_release_and_the_next_one_ends_it(
    beside: ModelStore, at: int
) -> None:
    ids = weekly(beside, 5)  # three go, of three objects each
    with pytest.raises(Unavailable):
        prune(Interrupted(beside.objects, at, fail), beside.log, OBSERVED, after(1000))
    for release in releases(beside.objects, OBSERVED):
        load_release(beside.objects, OBSERVED, release)
    assert standing(beside.objects, beside.log, OBSERVED).warnings == ()
    pruned(beside, after(1000))
    assert {key.split("/")[2] for key in beside.objects.list("observed/releases")} == set(ids[3:])


def test_a_release_that_is_chosen_during_the_prune_is_put_back(store: ModelStore) -> None:
    ids = weekly(store, 4)

    def choose() -> None:
        assert promote(store, entry_of(release_of(0), number=5, token="meanwhile", days=1000)).won

    told = prune(Interrupted(store.objects, 2, choose), store.log, OBSERVED, after(1000))
    assert told.kept[ids[0]] == "chosen to serve meanwhile"
    assert set(told.removed) == {ids[1]}
    now = champion(store.objects, store.log, OBSERVED)
    assert now is not None
    assert (now.release.id, now.warnings) == (ids[0], ())
    assert len(history(store.log, OBSERVED)) == 5
