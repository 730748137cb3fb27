"""How the tiers were cut before, as the gate remembers it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from flows.conftest import Open
from model_store.samples import OBSERVED, entry_of, release_of, writer
from tiercast.core.release import Release
from tiercast.flows.model_store import ModelStore, Standing, promote, standing, upload
from tiercast.flows.past import REMEMBERED, Past, promoted_tiers
from tiercast.flows.rollback import rollback


def tiers_of(number: int, relative_to: str = "all") -> dict[str, object]:
    edges = {"all": [number, 10 * number, 100 * number, 1_000 * number]}
    return {"relative_to": relative_to, "edges": edges, "multiples": None, "min_posts": 0}


def promoted(store: ModelStore, number: int, tiers: Mapping[str, object] | None) -> Release:
    sample = release_of(number)
    release = Release.stage(replace(sample.manifest, tiers=tiers), sample.files)
    upload(store.objects, OBSERVED, release)
    last = standing(store.objects, store.log, OBSERVED).last_number
    assert promote(store, entry_of(release, number=last + 1, token=f"t{last}")).won
    return release


@pytest.fixture
def store(tmp_path: Path, open_home: Open) -> ModelStore:
    wiring = open_home(tmp_path / "home")
    return ModelStore(wiring.objects, wiring.write_log())


def firsts(store: ModelStore) -> list[int]:
    """The lowest edge of each promotion that is remembered."""
    return [each["edges"]["all"][0] for each in promoted_tiers(store.objects, store.log, OBSERVED)]  # type: ignore[index]


def test_edges_are_remembered_oldest_first_and_only_those_of_the_newest_twenty(store: ModelStore) -> None:
    assert promoted_tiers(store.objects, None, OBSERVED) == ()
    for number in range(1, REMEMBERED + 3):
        promoted(store, number, tiers_of(number))
    assert firsts(store) == [*range(3, REMEMBERED + 3)]


def test_given_labels_rollbacks_and_releases_that_are_gone_are_passed_over(store: ModelStore, tmp_path: Path) -> None:
    promoted(store, 1, tiers_of(1))
    gone = promoted(store, 2, tiers_of(2))
    promoted(store, 3, None)
    promoted(store, 4, tiers_of(4))
    rollback(store, OBSERVED, release=None, reason="odd scores", writer=writer())
    assert firsts(store) == [1, 2, 4]
    store.objects.delete(f"observed/releases/{gone.id}/manifest.json")
    assert firsts(store) == [1, 4]


def test_only_edges_relative_to_the_same_are_compared(store: ModelStore) -> None:
    for number, relative_to in ((1, "all"), (2, "creator"), (3, "all")):
        promoted(store, number, tiers_of(number, relative_to))
    kept = promoted_tiers(store.objects, store.log, OBSERVED)
    past = Past(Standing(None, 0), entry_of(release_of(1), number=1).at, {}, kept)
    assert past.edges_like(tiers_of(9)) == ((1, 10, 100, 1_000), (3, 30, 300, 3_000))
    assert past.edges_like(tiers_of(9, "creator")) == ((2, 20, 200, 2_000),)
    assert past.edges_like(tiers_of(9, "platform")) == ()
