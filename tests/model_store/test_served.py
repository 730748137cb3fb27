"""Who served when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from model_store.conftest import Place
from model_store.samples import AT, OBSERVED, entry_of, publish, release_of, writer
from tiercast.core.moments import Moment
from tiercast.flows.model_store import ModelStore
from tiercast.flows.promotion_history import Entry
from tiercast.flows.rollback import pin, rollback, unpin
from tiercast.flows.served import Served, served_at, who_served


def asked(store: ModelStore, days: float) -> Served:
    (served,) = who_served(store.objects, store.log, [OBSERVED], AT + timedelta(days=days)).moments
    return served


def told(store: ModelStore, days: float) -> tuple[str, int, str, float, float | None]:
    """Release, number, action, and the days from and until which it served."""
    service = asked(store, days).service
    assert service is not None
    since, until = (each and (each - AT) / timedelta(days=1) for each in (service.since, service.until))
    assert since is not None
    return service.entry.release, service.entry.number, service.entry.action, since, until


def test_before_the_first_promotion_it_was_nobody(store: ModelStore) -> None:
    assert who_served(store.objects, None, list(Moment), AT).to_document()["moments"] == [
        {"moment": moment.value, "served": None, "warnings": []} for moment in Moment
    ]
    publish(store, 1)
    assert asked(store, -0.001).service is None


def test_the_entry_in_force_is_the_newest_by_then_and_its_release_served_from_change_to_change(
    store: ModelStore,
) -> None:
    first, second = publish(store, 1).id, publish(store, 2, days=7).id
    rollback(store, OBSERVED, release=None, reason="odd scores", writer=writer(days=8))
    pin(store, OBSERVED, release=first, reason="keep", writer=writer(days=9))
    unpin(store, OBSERVED, reason="enough", writer=writer(days=10))
    third = publish(store, 3, days=14).id
    assert told(store, 0) == (first, 1, "promote", 0, 7)
    assert told(store, 7) == (second, 2, "promote", 7, 8)
    assert told(store, 8.5) == (first, 3, "rollback", 8, 14)
    assert told(store, 9) == (first, 4, "pin", 8, 14)
    assert told(store, 13.9) == (first, 5, "unpin", 8, 14)
    assert told(store, 400) == (third, 6, "promote", 14, None)
    service = asked(store, 8.5).service
    assert service is not None
    assert (service.entry.actor, service.entry.reason) == ("ben", "odd scores")


def test_a_release_that_was_removed_since_is_still_told(store: ModelStore) -> None:
    first, _ = publish(store, 1), publish(store, 2, days=7)
    assert asked(store, 1).stored
    store.objects.delete(f"observed/releases/{first.id}/manifest.json")
    assert (told(store, 1)[0], asked(store, 1).stored) == (first.id, False)


def test_an_entry_that_cannot_be_read_leaves_a_doubt_where_it_may_have_been_in_force(
    place: Place, beside: ModelStore
) -> None:
    first, _, third = publish(beside, 1).id, publish(beside, 2, days=7), publish(beside, 3, days=14).id
    place.flip("observed/promotions/00000002.json")
    assert told(beside, 8)[0] == first
    assert ["Promotion 2 cannot be used" in doubt for doubt in asked(beside, 8).doubts] == [True]
    assert (told(beside, 15)[0], asked(beside, 15).doubts) == (third, ())


def test_numbers_decide_where_clocks_differ() -> None:
    first, second, third = (entry_of(release_of(n), number=n, days=days) for n, days in ((1, 0), (2, 5), (3, 4)))
    entries = [Entry(each.number, each) for each in (first, second, third)]
    for days, expected in ((1, first), (4.5, third), (5.5, third)):
        service, _ = served_at(entries, AT + timedelta(days=days))
        assert service is not None
        assert service.entry == expected


@pytest.mark.parametrize("at", [AT, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_release_that_came_back_counts_each_time_apart(at: datetime) -> None:
    one, two = entry_of(release_of(1), number=1), entry_of(release_of(2), number=2, days=1)
    again = replace(one, number=3, at=AT + timedelta(days=2))
    service, _ = served_at([Entry(each.number, each) for each in (one, two, again)], at)
    assert service is not None
    expected = (one, AT, two.at) if at == AT else (again, again.at, None)
    assert (service.entry, service.since, service.until) == expected
