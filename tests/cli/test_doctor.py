"""The doctor: each part ok, or not ok with the remedy."""

from pathlib import Path

import pytest

from cli.conftest import Trained
from cli.program import Answer, tiercast, write_frozen
from cli.test_bad_input import flip


def parts(answer: Answer) -> dict[str, tuple[bool, str]]:
    return {part["name"]: (part["ok"], part["detail"]) for part in answer.document["parts"]}


def test_a_sound_home_is_ok_in_every_part(trained: Trained) -> None:
    answer = tiercast("doctor", "--json", home=trained.home)
    assert (answer.code, answer.document["ok"]) == (0, True)
    told = parts(answer)
    assert [*told] == ["settings", "database", "model store", "free disk", "champion"]
    assert all(ok for ok, _ in told.values())
    assert "800 videos" in told["database"][1]
    assert trained.retrained.document["candidate"][:12] in told["champion"][1]


def test_a_new_home_lacks_only_a_champion_and_says_how_to_get_one(home: Path) -> None:
    answer = tiercast("doctor", "--json", home=home)
    told = parts(answer)
    assert (answer.code, [name for name, (ok, _) in told.items() if not ok]) == (1, ["champion"])
    assert "tiercast retrain" in told["champion"][1]


def test_bad_settings_are_named_with_their_nearest_neighbour(trained: Trained) -> None:
    answer = tiercast("doctor", "--json", home=trained.home, TIERCAST_GATE__MIN_ACURACY="0.7")
    ok, detail = parts(answer)["settings"]
    assert (answer.code, ok) == (1, False)
    assert "id you mean 'gate.min_accuracy'" in detail
    assert "TIERCAST_GATE__MIN_ACURACY" in detail


def test_a_settings_error_is_told_once_and_the_other_parts_refer_to_it(trained: Trained) -> None:
    told = parts(tiercast("doctor", "--json", home=trained.home, TIERCAST_GATE__MIN_ACURACY="0.7"))
    others = {name: told[name] for name in ("database", "model store", "champion")}
    assert set(others.values()) == {(False, "not asked: see settings")}
    assert told["free disk"][0]


def test_the_settings_file_in_use_is_named(trained: Trained) -> None:
    assert "no file" in parts(tiercast("doctor", "--json", home=trained.home))["settings"][1]
    (trained.home / "tiercast.toml").write_text("[retrain]\nseed = 42\n")
    assert f"{trained.home}/tiercast.toml" in parts(tiercast("doctor", "--json", home=trained.home))["settings"][1]


def test_the_fallback_file_is_read_where_one_is_set(trained: Trained, tmp_path: Path) -> None:
    path = write_frozen(tmp_path / "frozen.json")
    sound = tiercast("doctor", "--json", home=trained.home, TIERCAST_RETRAIN__FALLBACK_PATH=str(path))
    assert (sound.code, parts(sound)["fallback file"]) == (0, (True, f"{path}: 500 labelled videos"))
    lost = tiercast("doctor", "--json", home=trained.home, TIERCAST_RETRAIN__FALLBACK_PATH="no/such.json")
    ok, detail = parts(lost)["fallback file"]
    assert (lost.code, ok) == (1, False)
    assert f"{trained.home.parent}/no/such.json" in detail
    assert "working directory" in detail


def test_an_unreachable_database_leaves_the_other_parts_answering(trained: Trained) -> None:
    url = "postgresql://ana:secret-word@127.0.0.1:1/x"
    models = f"file://{trained.home}/models"
    answer = tiercast("doctor", "--json", home=trained.home, TIERCAST_DATABASE_URL=url, TIERCAST_MODEL_STORE_URL=models)
    told = parts(answer)
    assert answer.code == 1
    assert not told["database"][0]
    assert "server is running" in told["database"][1]
    assert told["settings"][0]
    assert told["free disk"][0]
    assert "secret-word" not in answer.out + answer.err


@pytest.mark.parametrize("name", ["manifest.json", "promotions"])
def test_a_damaged_champion_is_not_ok(trained: Trained, name: str) -> None:
    observed = trained.home / "models" / "observed"
    release = trained.retrained.document["candidate"]
    flip(observed / "promotions" / "00000001.json" if name == "promotions" else observed / "releases" / release / name)
    answer = tiercast("doctor", "--json", home=trained.home)
    ok, detail = parts(answer)["champion"]
    assert (answer.code, ok) == (1, False)
    assert "sound release" in detail
    assert "tiercast retrain" in detail


def test_a_file_that_is_no_database_is_not_ok(trained: Trained) -> None:
    for path in trained.home.glob("videos.db*"):
        path.write_bytes(b"something else entirely" * 50)
    ok, detail = parts(tiercast("doctor", "--json", home=trained.home))["database"]
    assert not ok
    assert "not a database" in detail


def test_people_read_a_line_a_part(trained: Trained) -> None:
    answer = tiercast("doctor", home=trained.home)
    assert answer.code == 0
    assert answer.out.count("ok ") >= 5
    assert "not ok" not in answer.out
