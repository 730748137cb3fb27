"""The history that predictions rest on, also while its database is away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from tiercast.core.errors import Unavailable
from tiercast.ports.videos import VideoHistory
from tiercast.serving import history
from tiercast.serving.history import LastKnownHistory
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


@dataclass
class Watched:
    """A real store of videos whose questions are counted, and which can be out of reach."""

    store: VideoHistory
    away: bool = False
    asked: list[Sequence[tuple[str, str]]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while the store is read."""

    def open(self) -> VideoHistory:
        if self.away:
            raise Unavailable("Could not use the database: connection refused.")
        return self

    def of_creators(self, creators: Sequence[tuple[str, str]]) -> pl.DataFrame:
        self.asked.append(creators)
        self.meanwhile()
        return self.store.of_creators(creators)

    def platforms_of(self, authors: Sequence[str]) -> dict[str, str]:
        return self.store.platforms_of(authors)

    def recent(self, *, limit: int | None) -> pl.DataFrame:
        return self.store.recent(limit=limit)

    def everything(self) -> pl.DataFrame:
        return self.store.everything()


@pytest.fixture
def watched(home: Path) -> Watched:
    return Watched(Wiring(read_settings(home)).history)


@pytest.fixture
def creators(watched: Watched) -> list[tuple[str, str]]:
    found = watched.recent(limit=2000).select("platform", "author").drop_nulls().unique(maintain_order=True).rows()
    return [*found[:30], ("tiktok", "nobody that was ever stored")]


def test_what_is_remembered_equals_what_the_store_says(watched: Watched, creators: list[tuple[str, str]]) -> None:
    known = LastKnownHistory(watched.open)
    for part in (creators[:3], creators[2:9], creators, [creators[-1]], []):
        assert known.of_creators(part).equals(watched.store.of_creators(part))


def test_a_creator_is_asked_for_once_a_minute(
    watched: Watched, creators: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, clock = LastKnownHistory(watched.open), [0.0]
    monkeypatch.setattr(history, "monotonic", lambda: clock[0])
    known.of_creators(creators[:5])
    known.of_creators(creators[3:8])
    assert watched.asked == [creators[:5], creators[5:8]]
    clock[0] = 61.0
    known.of_creators(creators[:1])
    assert watched.asked[2:] == [creators[:1]]
    known.forget()
    known.of_creators(creators[:1])
    assert watched.asked[3:] == [creators[:1]]


def test_while_the_store_is_away_known_creators_stay_known(
    watched: Watched, creators: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, clock = LastKnownHistory(watched.open), [0.0]
    monkeypatch.setattr(history, "monotonic", lambda: clock[0])
    before = known.of_creators(creators[:5])
    watched.away, clock[0] = True, 3600.0
    assert known.of_creators(creators[:5]).equals(before)
    assert known.away == "Could not use the database: connection refused."
    assert known.of_creators([creators[8]]).is_empty()
    assert known.platforms_of(["ana"]) == {}
    watched.away = False
    assert known.of_creators([creators[8]]).is_empty(), "until a probe found it again, nobody waits for it"
    known.probe()
    assert known.away is None
    assert not known.of_creators([creators[8]]).is_empty()


def test_what_is_stored_meanwhile_takes_no_creator_from_an_answer(
    watched: Watched, creators: list[tuple[str, str]]
) -> None:
    """An ingest ends while a forecast reads: the creators it knew already still count."""
    known = LastKnownHistory(watched.open)
    known.of_creators(creators[:3])
    watched.meanwhile = known.forget
    assert known.of_creators(creators[:6]).equals(watched.store.of_creators(creators[:6]))
    watched.meanwhile = lambda: None
    known.of_creators(creators[3:6])
    assert watched.asked[-1] == creators[3:6], "what was read before the change is read again after it"
    known.of_creators(creators[3:6])
    assert len(watched.asked) == 3


def test_what_others_make_the_memory_drop_takes_no_creator_from_an_answer(
    watched: Watched, creators: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_CREATORS", 4)
    known = LastKnownHistory(watched.open)
    known.of_creators(creators[:3])
    watched.meanwhile = lambda: known._remember(creators[6:10], history.NOTHING, 0) and None
    assert known.of_creators(creators[:4]).equals(watched.store.of_creators(creators[:4]))


def test_what_was_stored_last_leaves_known_creators_known_while_the_store_is_away(
    watched: Watched, creators: list[tuple[str, str]]
) -> None:
    known = LastKnownHistory(watched.open)
    before = known.of_creators(creators[:5])
    known.forget()
    watched.away = True
    assert known.of_creators(creators[:5]).equals(before)


def test_while_the_store_is_away_the_newest_of_everybody_are_not_waited_for(watched: Watched) -> None:
    known = LastKnownHistory(watched.open)
    watched.away = True
    known.probe()
    watched.away = False
    with pytest.raises(Unavailable, match="connection refused") as caught:
        known.recent(limit=1)
    assert caught.value.__cause__ is not None, "so that callers are not told what the driver said"
    known.probe()
    assert not known.recent(limit=1).is_empty()


def test_memory_is_bounded(watched: Watched, creators: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_OBSERVATIONS", 100)
    known = LastKnownHistory(watched.open)
    for creator in creators[:-1]:
        assert not known.of_creators([creator]).is_empty()
    assert known._observations == sum(each.rows.height for each in known._known.values())
    assert known._observations <= 100 or len(known._known) == 1


def test_creators_that_nobody_ever_stored_are_bounded_too(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_CREATORS", 10)
    known = LastKnownHistory(watched.open)
    for number in range(50):
        assert known.of_creators([("tiktok", f"made up {number}")]).is_empty()
    assert len(known._known) == 10
    assert len({id(each.rows) for each in known._known.values()}) == 1, "nothing is kept once, not for each"
