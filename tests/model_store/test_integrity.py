"""One flipped byte anywhere in a release is noticed: it is refused, and the one before serves."""

from pathlib import Path

import pytest

from model_store.conftest import Place
from model_store.samples import OBSERVED, entry_of, publish, release_of
from model_store.survival import INJECTED
from tiercast.adapters.objects import FolderObjects
from tiercast.adapters.promotion_logs import ObjectLog
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.release import MANIFEST_NAME, Release
from tiercast.flows.model_store import ModelStore, champion, load_manifest, load_release, promote, standing, upload

FILES = [MANIFEST_NAME, "labels.json", "model.json"]
BITS = (0x01, 0x80, 0xFF)
"""The lowest, the highest and all of a byte."""


def promoted(store: ModelStore, *, model: bytes) -> Release:
    """A champion with this model file, beside one that served before."""
    publish(store, 1)
    release = release_of(2, model=model)
    upload(store.objects, OBSERVED, release)
    assert promote(store, entry_of(release, number=2, token="second")).won
    return release


def assert_replaced(store: ModelStore, name: str) -> None:
    """The one before the damaged release serves, and the file is named."""
    now = champion(store.objects, store.log, OBSERVED)
    assert now is not None
    assert now.release == release_of(1)
    assert len(now.warnings) == 1
    assert "Promotion 2 cannot be used" in now.warnings[0]
    assert name in now.warnings[0]


def assert_refused(store: ModelStore, release: Release, name: str) -> None:
    """Nobody can load the damaged release, however they ask."""
    assert_replaced(store, name)
    assert name in standing(store.objects, store.log, OBSERVED).warnings[0]
    with pytest.raises((InvalidInput, Missing), match=name):
        load_release(store.objects, OBSERVED, release.id)
    if name == MANIFEST_NAME:
        with pytest.raises((InvalidInput, Missing), match=name):
            load_manifest(store.objects, OBSERVED, release.id)


@pytest.mark.parametrize(("name", "size"), [*((name, 20) for name in FILES), ("model.json", 400_000)])
def test_every_flipped_byte_on_the_disk_is_noticed(tmp_path: Path, name: str, size: int) -> None:
    """Every byte of a small file, two hundred spread over a large one, each in three ways."""
    objects = FolderObjects(tmp_path)
    store = ModelStore(objects, ObjectLog(objects))
    release = promoted(store, model=bytes(n % 251 for n in range(size)))
    path = tmp_path / f"observed/releases/{release.id}/{name}"
    sound = path.read_bytes()
    positions = range(len(sound) - 1, -1, -max(1, len(sound) // 200 if len(sound) > 2000 else 1))
    for position in positions:
        for bits in BITS:
            path.write_bytes(sound[:position] + bytes([sound[position] ^ bits]) + sound[position + 1 :])
            assert_replaced(store, name)
            INJECTED["a flipped byte in a release on the disk"] += 1
    path.write_bytes(sound)
    now = champion(objects, store.log, OBSERVED)
    assert now is not None
    assert (now.release, now.warnings) == (release, ())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["first", "middle", "last", "cut", "longer", "empty", "other", "gone"])
def test_whatever_befalls_a_file_is_noticed_on_every_store(
    place: Place, beside: ModelStore, name: str, damage: str
) -> None:
    release = promoted(beside, model=b"x" * 300)
    key = f"observed/releases/{release.id}/{name}"
    sound = place.objects.get(key)
    at = {"first": 0, "middle": len(sound) // 2, "last": len(sound) - 1}.get(damage, 0)
    flipped = sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :]
    other = place.objects.get(f"observed/releases/{release_of(1).id}/{name}") + b" "
    if damage == "gone":
        place.objects.delete(key)
    else:
        place.overwrite(
            key, {"cut": sound[:-1], "longer": sound + b"\n", "empty": b"", "other": other}.get(damage, flipped)
        )
    INJECTED[f"a damaged file in a release ({damage})"] += 1
    assert_refused(beside, release, name)
