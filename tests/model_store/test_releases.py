"""Publishing, loading and damage."""

import re
from dataclasses import dataclass

import pytest

from model_store.conftest import Place
from model_store.samples import OBSERVED, entry_of, publish, release_of, serving
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.flows.model_store import ModelStore, champion, load_release, releases, resolve_release, upload
from tiercast.flows.promotion_history import history
from tiercast.ports.models import ObjectStore, PromotionLog


def test_an_uploaded_release_loads_byte_for_byte(objects: ObjectStore) -> None:
    release = release_of(1)
    upload(objects, OBSERVED, release)
    upload(objects, OBSERVED, release)
    assert load_release(objects, OBSERVED, release.id) == release
    assert releases(objects, OBSERVED) == [release.id]


def test_a_release_without_manifest_does_not_exist(objects: ObjectStore) -> None:
    release = release_of(1)
    objects.put_if_absent(f"observed/releases/{release.id}/model.json", release.files["model.json"])
    assert releases(objects, OBSERVED) == []
    with pytest.raises(Missing, match=r"manifest\.json"):
        load_release(objects, OBSERVED, release.id)
    upload(objects, OBSERVED, release)
    assert load_release(objects, OBSERVED, release.id) == release


def test_an_object_with_other_bytes_is_never_written_over(place: Place) -> None:
    release = release_of(1)
    key = f"observed/releases/{release.id}/model.json"
    place.objects.put_if_absent(key, b"something else")
    with pytest.raises(Unavailable, match=rf"{re.escape(key)}.*not published.*remove the damaged one"):
        upload(place.objects, OBSERVED, release)
    assert place.everything() == {key: b"something else", **_labels(release.id)}


def _labels(release_id: str) -> dict[str, bytes]:
    return {f"observed/releases/{release_id}/labels.json": b"[1,2,3,4,5]"}


@pytest.mark.parametrize("release_id", ["../../secret", "A" * 64, "ab", "", "0" * 63 + "\n"])
def test_a_release_id_that_is_no_hash_never_becomes_a_key(objects: ObjectStore, release_id: str) -> None:
    with pytest.raises(InvalidInput, match="64 hexadecimal"):
        load_release(objects, OBSERVED, release_id)


def test_nothing_serves_before_the_first_promotion(store: ModelStore) -> None:
    assert champion(store.objects, None, OBSERVED) is None
    upload(store.objects, OBSERVED, release_of(1))
    assert champion(store.objects, store.log, OBSERVED) is None


def test_the_highest_entry_names_the_champion(store: ModelStore) -> None:
    publish(store, 1)
    second = publish(store, 2)
    now = champion(store.objects, store.log, OBSERVED)
    assert now is not None
    assert (now.release, now.promotion.number, now.warnings) == (second, 2, ())


@pytest.mark.parametrize("part", ["model.json", "labels.json", "manifest.json", "entry"])
def test_after_one_flipped_bit_the_release_before_serves_and_nothing_is_written(
    place: Place, beside: ModelStore, part: str
) -> None:
    first, second = publish(beside, 1), publish(beside, 2)
    place.flip("observed/promotions/00000002.json" if part == "entry" else f"observed/releases/{second.id}/{part}")
    before = place.everything()
    now = champion(beside.objects, beside.log, OBSERVED)
    assert now is not None
    assert now.release == first
    assert len(now.warnings) == 1
    assert "Promotion 2 cannot be used" in now.warnings[0]
    assert ("entry" if part == "entry" else part) in now.warnings[0]
    assert place.everything() == before


@dataclass
class CountedReads:
    """A log that counts what is read of it."""

    inner: PromotionLog
    reads: int = 0

    def numbers(self, moment: Moment) -> list[int]:
        return self.inner.numbers(moment)

    def read(self, moment: Moment, number: int) -> bytes:
        self.reads += 1
        return self.inner.read(moment, number)


def test_who_only_needs_the_champion_reads_one_entry_however_long_the_log_is(beside: ModelStore) -> None:
    for seed in range(5):
        publish(beside, seed)
    counted = CountedReads(beside.log)
    assert champion(beside.objects, counted, OBSERVED) is not None  # type: ignore[arg-type]
    assert counted.reads == 1


def test_every_single_flipped_bit_of_an_entry_is_noticed() -> None:
    content = entry_of(release_of(1), number=1).to_bytes()
    assert Promotion.from_bytes(content) == entry_of(release_of(1), number=1)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        with pytest.raises(InvalidInput):
            Promotion.from_bytes(bytes(damaged))


def test_where_no_release_is_sound_it_says_so_instead_of_nothing(place: Place, beside: ModelStore) -> None:
    only = publish(beside, 1)
    place.flip(f"observed/releases/{only.id}/model.json")
    with pytest.raises(Missing, match=r"None of the 1 promotions.*model\.json.*tiercast retrain"):
        champion(beside.objects, beside.log, OBSERVED)


def test_an_entry_copied_to_another_number_does_not_count(beside: ModelStore) -> None:
    first = publish(beside, 1)
    publish(beside, 2)
    beside.log.append(OBSERVED, 3, beside.log.read(OBSERVED, 1))
    assert history(beside.log, OBSERVED)[-1].damage == (
        "Promotion 3 cannot be used: It was written as entry 1 of observed."
    )
    assert serving(beside) != first.id


def test_a_damaged_entry_is_reported_in_the_history_and_keeps_its_number(place: Place, beside: ModelStore) -> None:
    publish(beside, 1)
    publish(beside, 2)
    place.flip("observed/promotions/00000002.json")
    third = publish(beside, 3)
    entries = history(beside.log, OBSERVED)
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert [bool(entry.damage) for entry in entries] == [False, True, False]
    assert serving(beside) == third.id


def test_a_unique_prefix_finds_a_release_and_others_list_what_exists(objects: ObjectStore) -> None:
    with pytest.raises(Missing, match="none yet"):
        resolve_release(objects, OBSERVED, "ab")
    ids = []
    for seed in range(17):  # more than there are digits: two of them share their first
        upload(objects, OBSERVED, release_of(seed))
        ids.append(release_of(seed).id)
    shared = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    assert resolve_release(objects, OBSERVED, ids[0][:12]) == ids[0]
    with pytest.raises(InvalidInput, match=rf"releases start with '{shared}': {shared}"):
        resolve_release(objects, OBSERVED, shared)
    with pytest.raises(Missing, match=rf"starts with '{'0' * 12}'.*{sorted(ids)[3][:12]}"):
        resolve_release(objects, OBSERVED, "0" * 12)
    for wrong in ("", "../x", "xyz"):
        with pytest.raises(InvalidInput, match="hexadecimal digits"):
            resolve_release(objects, OBSERVED, wrong)
