"""A damaged release, seen by those who use the program."""

from dataclasses import replace

import pytest

from cli.conftest import Trained
from cli.program import NOW, tiercast
from cli.test_bad_input import flip
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.model_store import ModelStore, Writer, load_release, standing
from tiercast.flows.publish import Passed, publish
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


@pytest.fixture
def succeeded(trained: Trained) -> tuple[Trained, Release]:
    """The home with a second release, of the same files, that serves now."""
    wiring = Wiring(read_settings(trained.home))
    store = ModelStore(wiring.objects, wiring.write_log())
    beside = standing(store.objects, store.log, Moment.OBSERVED)
    first = load_release(store.objects, Moment.OBSERVED, trained.retrained.document["candidate"])
    second = Release.stage(replace(first.manifest, marks=("a second one",)), first.files)
    publish(store, Passed(second, (), "by hand", beside), Writer(actor="a test", at=NOW, token="t"))
    return trained, second


def test_every_damaged_file_of_the_champion_is_told_by_doctor_and_the_release_before_predicts(
    succeeded: tuple[Trained, Release],
) -> None:
    trained, second = succeeded
    before, folder = trained.retrained.document["candidate"], trained.home / "models/observed/releases" / second.id
    assert {path.name for path in folder.iterdir()} == {*second.files, "manifest.json"}
    for path in sorted(folder.iterdir()):
        sound = path.read_bytes()
        flip(path)
        doctor = tiercast("doctor", "--json", home=trained.home)
        (part,) = [each for each in doctor.document["parts"] if each["name"] == "champion"]
        assert (doctor.code, part["ok"]) == (1, False)
        for words in ("An older release serves observed", "Promotion 2 cannot be used", path.name):
            assert words in part["detail"]
        path.write_bytes(sound)
    flip(folder / "manifest.json")
    predicted = tiercast("predict", trained.videos, "--json", home=trained.home)
    assert {line["release"] for line in predicted.lines} == {before}
    assert "Promotion 2 cannot be used" in predicted.err


def test_where_all_that_was_promoted_is_damaged_nobody_is_told_that_nothing_was(
    succeeded: tuple[Trained, Release],
) -> None:
    trained, _ = succeeded
    for path in (trained.home / "models/observed/promotions").iterdir():
        path.write_bytes(b"{")
    for asked in ([], ["--moment", "observed"]):
        predicted = tiercast("predict", trained.videos, *asked, home=trained.home)
        assert predicted.code == 1
        assert "None of the 2 promotions of observed leads to a sound release" in predicted.err
        assert "what was promoted for it is damaged" in predicted.err
        assert "tiercast doctor" in predicted.err
    doctor = tiercast("doctor", home=trained.home)
    assert doctor.code == 1
    assert "None of the 2 promotions of observed leads to a sound release" in doctor.out


def test_doctor_names_the_champion_and_says_where_it_is_pinned(succeeded: tuple[Trained, Release]) -> None:
    trained, second = succeeded
    doctor = tiercast("doctor", "--json", home=trained.home)
    assert (doctor.code, doctor.document["ok"]) == (0, True), doctor.out
    assert f"observed: {second.id[:12]}, learned" in doctor.out
    assert tiercast("pin", second.id[:12], "--reason", "r", home=trained.home).code == 0
    assert f"observed: {second.id[:12]}, pinned, learned" in tiercast("doctor", "--json", home=trained.home).out
