"""What only a home in this process does."""

import shutil
from pathlib import Path

import pytest
from http_service import video

from tiercast import InvalidInput, Missing, Tiercast
from tiercast.client.in_process import InProcess
from tiercast.core.moments import Moment
from tiercast.serving import champions
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


@pytest.fixture
def home(grown: Path, tmp_path: Path) -> Path:
    """A copy to change, whose champions are looked up whenever one asks."""
    copy = Path(shutil.copytree(grown, tmp_path / "home"))
    (copy / "tiercast.toml").write_text("[serve]\ncheck_seconds = 0.000001\n")
    return copy


def test_who_serves_since_somebody_else_decided_answers_next(home: Path) -> None:
    with Tiercast.open(home) as one, Tiercast.open(home) as other:
        (before,) = one.predict(video())
        entry = other.rollback(reason="odd scores")
        (after,) = one.predict(video())
    assert (before.release, after.release) == (entry.previous, entry.release)


def test_while_the_model_store_is_away_who_served_goes_on(home: Path) -> None:
    with Tiercast.open(home) as tiercast:
        before = tiercast.predict(video())
        (home / "models").rename(home / "away")
        assert tiercast.predict(video()) == before


def test_what_forecasts_know_of_everybody_is_read_again_after_ten_minutes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring = Wiring(read_settings(home))
    side = InProcess.of(wiring)
    before = side.watch.answering(Moment.DRAFT)[Moment.DRAFT]
    assert side.watch.answering(Moment.DRAFT)[Moment.DRAFT] is before
    monkeypatch.setattr(champions, "STORE_SECONDS", 0.0)
    after = side.watch.answering(Moment.DRAFT)[Moment.DRAFT]
    assert after is not before
    assert after.release is before.release
    wiring.close()


def test_a_library_prints_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Tiercast.open(home) as tiercast:
        tiercast.predict(video())
        (home / "models").rename(home / "away")
        tiercast.predict(video())
    assert capfd.readouterr() == ("", "")


def test_predictions_of_a_library_call_are_not_kept_as_served(home: Path) -> None:
    wiring = Wiring(read_settings(home))
    with Tiercast.open(home) as tiercast:
        tiercast.predict([video(), {"video_id": "a-draft", "author": "ana", "views": None}])
    assert wiring.served.count() == 0
    wiring.close()


def test_opening_and_asking_in_vain_makes_no_home(tmp_path: Path) -> None:
    with Tiercast.open(tmp_path / "slip") as tiercast, pytest.raises(Missing):
        tiercast.predict(video())
    assert not (tmp_path / "slip").exists()


def test_wrong_settings_are_told_when_a_home_is_opened(home: Path) -> None:
    (home / "tiercast.toml").write_text("[serve]\ncheck_second = 3\n")
    with pytest.raises(InvalidInput, match=r"serve\.check_seconds"):
        Tiercast.open(home)
