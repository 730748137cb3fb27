"""What people decide: back to an earlier release, and one that stays."""

from collections.abc import Callable

import pytest

from model_store.conftest import Place
from model_store.samples import AT, OBSERVED, entry_of, publish, release_of, serving, writer
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.release import Promotion
from tiercast.flows.model_store import ModelStore, champion, promote, standing, upload
from tiercast.flows.promotion_history import history
from tiercast.flows.rollback import pin, rollback, unpin


def test_rollback_brings_back_the_release_that_served_before(store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2)
    entry = rollback(store, OBSERVED, release=None, reason="odd scores", writer=writer())
    assert serving(store) == first.id
    assert (entry.number, entry.action, entry.release, entry.previous) == (3, "rollback", first.id, second.id)
    assert (entry.actor, entry.reason, entry.token) == ("ben", "odd scores", "mine")
    assert history(store.log, OBSERVED)[-1].promotion == entry


def test_a_second_rollback_returns_to_where_the_first_came_from(store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2)
    for expected in (first, second, first):
        rollback(store, OBSERVED, release=None, reason="again", writer=writer())
        assert serving(store) == expected.id


def test_rollback_by_prefix_reaches_any_release_that_served(store: ModelStore) -> None:
    first = publish(store, 1)
    publish(store, 2)
    third = publish(store, 3)
    rollback(store, OBSERVED, release=first.id[:10], reason="r", writer=writer())
    assert serving(store) == first.id
    with pytest.raises(InvalidInput, match="already serves"):
        rollback(store, OBSERVED, release=first.id[:10], reason="r", writer=writer())
    rollback(store, OBSERVED, release=third.id[:10], reason="r", writer=writer())
    assert serving(store) == third.id


def test_rollback_without_anything_before_refuses_and_writes_nothing(store: ModelStore) -> None:
    with pytest.raises(Missing, match="Nothing was ever promoted"):
        rollback(store, OBSERVED, release=None, reason="r", writer=writer())
    publish(store, 1)
    with pytest.raises(Missing, match="none to go back to"):
        rollback(store, OBSERVED, release=None, reason="r", writer=writer())
    assert store.log.numbers(OBSERVED) == [1]


def test_rollback_to_a_release_that_never_served_is_refused(store: ModelStore) -> None:
    publish(store, 1)
    upload(store.objects, OBSERVED, release_of(9))
    with pytest.raises(InvalidInput, match=rf"never served.*{release_of(1).id[:12]}"):
        rollback(store, OBSERVED, release=release_of(9).id[:12], reason="r", writer=writer())
    assert store.log.numbers(OBSERVED) == [1]


def test_rollback_to_a_damaged_release_is_refused_before_anything_is_written(place: Place, beside: ModelStore) -> None:
    first, second = publish(beside, 1), publish(beside, 2)
    place.flip(f"observed/releases/{first.id}/model.json")
    before = place.everything()
    with pytest.raises(InvalidInput, match=r"model\.json"):
        rollback(beside, OBSERVED, release=None, reason="r", writer=writer())
    assert place.everything() == before
    assert serving(beside) == second.id


def test_after_damage_the_release_that_serves_can_be_confirmed_by_name(place: Place, beside: ModelStore) -> None:
    first, second = publish(beside, 1), publish(beside, 2)
    place.flip(f"observed/releases/{second.id}/model.json")
    rollback(beside, OBSERVED, release=first.id[:12], reason="confirm", writer=writer())
    now = champion(beside.objects, beside.log, OBSERVED)
    assert now is not None
    assert (now.release.id, now.warnings) == (first.id, ())


class Overtaken:
    """A real log in front of which another promoter always gets the next number first."""

    def __init__(self, store: ModelStore, other: Promotion) -> None:
        self.name = store.log.name
        self.numbers, self.read = store.log.numbers, store.log.read
        self._store, self._other = store, other

    def append(self, moment, number, entry) -> bool:
        promote(self._store, self._other)
        return self._store.log.append(moment, number, entry)


def test_a_rollback_that_loses_the_race_says_who_won(store: ModelStore) -> None:
    publish(store, 1)
    publish(store, 2)
    winner = entry_of(release_of(2), number=3, token="other")
    with pytest.raises(Unavailable, match=r"ana wrote promotion 3 first \(promote of"):
        rollback(
            ModelStore(store.objects, Overtaken(store, winner)), OBSERVED, release=None, reason="r", writer=writer()
        )
    assert history(store.log, OBSERVED)[-1].promotion == winner


def pinned_by(store: ModelStore) -> str | None:
    pinned = standing(store.objects, store.log, OBSERVED).pinned
    return pinned.release if pinned else None


def test_a_pinned_release_serves_and_the_log_says_who_pinned_it_and_why(store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2)
    entry = pin(store, OBSERVED, release=first.id[:12], reason="campaign week", writer=writer())
    assert (entry.number, entry.action, entry.release, entry.previous) == (3, "pin", first.id, second.id)
    assert (entry.actor, entry.reason, entry.best) == ("ben", "campaign week", first.id)
    assert (serving(store), pinned_by(store)) == (first.id, first.id)


def test_the_release_that_serves_can_be_pinned_and_another_after_it(store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2)
    pin(store, OBSERVED, release=second.id, reason="keep", writer=writer())
    with pytest.raises(InvalidInput, match=rf"{second.id[:12]} of observed has been pinned since 2026.* by ben: keep"):
        pin(store, OBSERVED, release=second.id, reason="keep", writer=writer())
    pin(store, OBSERVED, release=first.id, reason="or rather", writer=writer())
    assert (serving(store), pinned_by(store)) == (first.id, first.id)


def test_unpinning_leaves_who_serves_and_ends_the_pin(store: ModelStore) -> None:
    first, _ = publish(store, 1), publish(store, 2)
    with pytest.raises(InvalidInput, match="nothing to unpin"):
        unpin(store, OBSERVED, reason="r", writer=writer())
    pin(store, OBSERVED, release=first.id, reason="r", writer=writer())
    entry = unpin(store, OBSERVED, reason="campaign is over", writer=writer())
    assert (entry.action, entry.release, entry.best) == ("unpin", first.id, first.id)
    assert (serving(store), pinned_by(store)) == (first.id, None)


def test_rollback_while_pinned_refuses_naming_the_pin_and_writes_nothing(store: ModelStore) -> None:
    first, _ = publish(store, 1), publish(store, 2)
    pin(store, OBSERVED, release=first.id, reason="campaign week", writer=writer())
    with pytest.raises(InvalidInput, match=rf"{first.id[:12]}.*pinned.*by ben: campaign week.*tiercast unpin"):
        rollback(store, OBSERVED, release=None, reason="r", writer=writer())
    assert store.log.numbers(OBSERVED) == [1, 2, 3]


def test_what_never_served_or_does_not_verify_cannot_be_pinned(place: Place, beside: ModelStore) -> None:
    with pytest.raises(Missing, match="Nothing was ever promoted"):
        pin(beside, OBSERVED, release="ab", reason="r", writer=writer())
    first, _ = publish(beside, 1), publish(beside, 2)
    upload(beside.objects, OBSERVED, release_of(9))
    with pytest.raises(InvalidInput, match="never served"):
        pin(beside, OBSERVED, release=release_of(9).id, reason="r", writer=writer())
    place.flip(f"observed/releases/{first.id}/labels.json")
    with pytest.raises(InvalidInput, match=r"labels\.json"):
        pin(beside, OBSERVED, release=first.id, reason="r", writer=writer())
    assert beside.log.numbers(OBSERVED) == [1, 2]


def test_a_pinned_release_that_is_damaged_stays_pinned_while_another_serves_and_can_be_unpinned(
    place: Place, beside: ModelStore
) -> None:
    first, second = publish(beside, 1), publish(beside, 2)
    pin(beside, OBSERVED, release=first.id, reason="r", writer=writer())
    place.flip(f"observed/releases/{first.id}/labels.json")
    assert (serving(beside), pinned_by(beside)) == (second.id, first.id)
    assert unpin(beside, OBSERVED, reason="damaged", writer=writer()).release == second.id
    assert standing(beside.objects, beside.log, OBSERVED).warnings == ()


def test_a_pin_can_be_ended_even_where_nothing_sound_is_left(place: Place, beside: ModelStore) -> None:
    only = publish(beside, 1)
    pin(beside, OBSERVED, release=only.id, reason="r", writer=writer())
    place.flip(f"observed/releases/{only.id}/labels.json")
    unpin(beside, OBSERVED, reason="damaged", writer=writer())
    assert pinned_by(beside) is None


@pytest.mark.parametrize("decide", [rollback, pin])
def test_a_release_that_was_removed_is_said_to_be(beside: ModelStore, decide: Callable[..., Promotion]) -> None:
    first, _, _ = publish(beside, 1), publish(beside, 2), publish(beside, 3)
    beside.objects.delete(f"observed/releases/{first.id}/manifest.json")
    with pytest.raises(Missing, match=rf"{first.id[:12]} is not in the model store.*removed"):
        decide(beside, OBSERVED, release=first.id[:12], reason="r", writer=writer())
    now = standing(beside.objects, beside.log, OBSERVED)
    assert (now.last_number, now.warnings) == (3, ())


def test_a_rollback_withdraws_a_release_until_people_choose_it_again(store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2)
    withdrawal = rollback(store, OBSERVED, release=None, reason="odd scores", writer=writer())
    assert standing(store.objects, store.log, OBSERVED).withdrawn == {second.id: withdrawal}
    publish(store, 3)
    assert standing(store.objects, store.log, OBSERVED).withdrawn == {second.id: withdrawal}
    pin(store, OBSERVED, release=second.id, reason="was fine", writer=writer())
    assert standing(store.objects, store.log, OBSERVED).withdrawn == {}
    unpin(store, OBSERVED, reason="r", writer=writer())
    back = rollback(store, OBSERVED, release=first.id, reason="r", writer=writer())
    assert standing(store.objects, store.log, OBSERVED).withdrawn == {second.id: back}


def test_the_last_promotion_is_one_of_a_retrain_not_what_people_decided(store: ModelStore) -> None:
    assert standing(store.objects, None, OBSERVED).last_promoted_at is None
    first, _ = publish(store, 1), publish(store, 2)
    pin(store, OBSERVED, release=first.id, reason="r", writer=writer(days=3))
    assert standing(store.objects, store.log, OBSERVED).last_promoted_at == AT
