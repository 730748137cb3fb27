"""The champions in memory: who takes whose place, and what never does."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import structlog
from http_service import client_of, video

from cli.program import LENIENT, OTHER, tiercast
from tiercast.core.errors import Unavailable
from tiercast.core.moments import Moment
from tiercast.ports.models import ObjectStore, PromotionLog
from tiercast.serving.champions import Champions, Sources
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


def champions_of(home: Path) -> Champions:
    wiring = Wiring(read_settings(home))
    return Champions(Sources(lambda: wiring.objects, wiring.read_log, lambda: wiring.history))


def serving(champions: Champions) -> Mapping[Moment, str]:
    return {moment: each.release.id for moment, each in champions.current().items()}


def promote_another(home: Path) -> str:
    done = tiercast("retrain", "--moment", "observed", "--json", home=home, **LENIENT, **OTHER)
    assert done.document["status"] == "promoted", done.document["reason"]
    return str(done.document["champion_after"])


def test_a_newer_promotion_takes_the_place_at_the_next_check(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    before = serving(champions)
    assert set(before) == set(Moment)
    newer = promote_another(home)
    assert serving(champions) == before
    champions.check()
    assert serving(champions) == {**before, Moment.OBSERVED: newer}


def test_a_check_without_news_loads_nothing_again(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    before = dict(champions.current())
    champions.check()
    assert all(champions.current()[moment] is each for moment, each in before.items())


@pytest.mark.parametrize("damage", ["model", "manifest", "entry"])
def test_a_broken_release_never_displaces_the_one_in_memory(home: Path, damage: str) -> None:
    champions = champions_of(home)
    champions.check()
    before = serving(champions)
    newer = promote_another(home)
    folder = home / "models" / "observed"
    broken = {
        "model": next((folder / "releases" / newer).glob("[!m]*.json")),
        "manifest": folder / "releases" / newer / "manifest.json",
        "entry": max((folder / "promotions").glob("*.json")),
    }[damage]
    broken.write_bytes(broken.read_bytes()[:-40])
    with structlog.testing.capture_logs() as logs:
        champions.check()
        champions.check()
    assert serving(champions) == before
    assert champions.loaded()[Moment.OBSERVED].warnings
    assert [line["event"] for line in logs] == ["champion not replaced"], "told once, not at every check"


def test_what_serves_from_memory_outlives_its_files(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    before = serving(champions)
    newer = promote_another(home)
    for release in (before[Moment.OBSERVED], newer):
        (home / "models" / "observed" / "releases" / release / "manifest.json").write_text("{}")
    champions.check()
    assert serving(champions) == before


def test_damage_that_was_mended_is_noticed_within_a_minute(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    newer = promote_another(home)
    manifest = home / "models" / "observed" / "releases" / newer / "manifest.json"
    sound = manifest.read_bytes()
    manifest.write_bytes(b"{}")
    champions.check()
    manifest.write_bytes(sound)
    for _ in range(12):
        champions.check()
    assert serving(champions)[Moment.OBSERVED] == newer
    assert not champions.loaded()[Moment.OBSERVED].warnings


def test_a_store_out_of_reach_leaves_everybody_where_they_are(home: Path) -> None:
    wiring, away = Wiring(read_settings(home)), [False]

    def objects() -> ObjectStore:
        return wiring.objects

    def log() -> PromotionLog | None:
        if away[0]:
            raise Unavailable("The bucket does not answer.")
        return wiring.read_log()

    champions = Champions(Sources(objects, log, lambda: wiring.history))
    champions.check()
    before, away[0] = serving(champions), True
    champions.check()
    assert serving(champions) == before
    assert str(champions.problem) == "The bucket does not answer."
    away[0] = False
    champions.check()
    assert champions.problem is None


def test_a_rollback_through_the_service_is_served_at_once(home: Path) -> None:
    first = serving_of(home)
    newer = promote_another(home)
    with client_of(home) as client:
        before = client.post("/v1/predict", json={"videos": [video()]}).json()["predictions"][0]["release"]
        done = client.post("/v1/rollback", json={"moment": "observed", "reason": "worse on our own posts"})
        after = client.post("/v1/predict", json={"videos": [video()]}).json()["predictions"][0]["release"]
    assert done.status_code == 200, done.text
    assert (before, after) == (newer, first)


def serving_of(home: Path) -> str:
    champions = champions_of(home)
    champions.check()
    return serving(champions)[Moment.OBSERVED]


def test_a_log_that_was_restored_is_followed_though_its_numbers_are_not_newer(home: Path) -> None:
    first, second = serving_of(home), promote_another(home)
    tiercast("rollback", "--moment", "observed", "--reason", "odd", home=home)
    champions = champions_of(home)
    champions.check()
    assert serving(champions)[Moment.OBSERVED] == first
    promotions = home / "models" / "observed" / "promotions"
    max(promotions.glob("*.json")).unlink()
    champions.check()
    assert serving(champions)[Moment.OBSERVED] == second, "the number that was read is gone"
    tiercast("pin", first[:12], "--moment", "observed", "--reason", "again", home=home)
    tiercast("unpin", "--moment", "observed", "--reason", "and free", home=home)
    champions.check()
    assert serving(champions)[Moment.OBSERVED] == first
    newest = max(promotions.glob("*.json"))
    newest.write_text(newest.read_text().replace("and free", "and frei"))
    champions.check()
    assert serving(champions)[Moment.OBSERVED] == first


def test_an_entry_that_is_damaged_after_it_was_read_changes_nothing(home: Path) -> None:
    second = promote_another(home)
    champions = champions_of(home)
    champions.check()
    newest = max((home / "models" / "observed" / "promotions").glob("*.json"))
    newest.write_bytes(b"{}")
    champions.check()
    assert serving(champions)[Moment.OBSERVED] == second
    assert champions.loaded()[Moment.OBSERVED].warnings


def test_a_log_that_is_gone_leaves_everybody_where_they_are_and_is_told(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    before = serving(champions)
    for entry in (home / "models" / "observed" / "promotions").glob("*.json"):
        entry.unlink()
    champions.check()
    assert serving(champions) == before
    assert "The promotion log is gone" in champions.loaded()[Moment.OBSERVED].warnings[0]


def test_a_pin_does_not_make_a_champion_young(home: Path) -> None:
    champions = champions_of(home)
    champions.check()
    since = champions.loaded()[Moment.DRAFT].since
    tiercast("pin", serving(champions)[Moment.DRAFT][:12], "--moment", "draft", "--reason", "launch", home=home)
    champions.check()
    assert champions.loaded()[Moment.DRAFT].since == since
    assert champions.loaded()[Moment.DRAFT].entry.number == 2
