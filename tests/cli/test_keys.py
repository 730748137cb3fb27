"""``tiercast keys`` as people and scripts use it."""

import re
from pathlib import Path

from cli.program import assert_failed, tiercast


def test_a_new_key_stands_alone_on_standard_output_and_is_never_shown_again(home: Path) -> None:
    added = tiercast("keys", "add", "web", home=home)
    assert added.code == 0
    key = added.out.removesuffix("\n")
    assert re.fullmatch(r"tc_[A-Za-z0-9_-]{43}", key)
    assert "shown this once" in added.err
    assert key not in added.err
    listed = tiercast("keys", "list", home=home)
    assert "web" in listed.out
    assert key[3:20] not in listed.out + listed.err


def test_the_documents_of_add_list_and_revoke(home: Path) -> None:
    new = tiercast("keys", "add", "app", "--json", home=home).document
    assert sorted(new) == ["added_at", "key", "name"]
    revoked = tiercast("keys", "revoke", "app", "--json", home=home).document
    assert revoked["name"] == "app"
    assert revoked["revoked_at"] > revoked["added_at"] == new["added_at"]
    assert tiercast("keys", "list", "--json", home=home).document == {"keys": [revoked]}


def test_an_unknown_key_cannot_be_revoked(home: Path) -> None:
    assert_failed(tiercast("keys", "revoke", "app", home=home), "There is no key 'app'", "tiercast keys list")


def test_help_names_what_can_be_done_with_keys(home: Path) -> None:
    answer = tiercast("keys", "--help", home=None, cwd=home.parent)
    assert answer.code == 0
    for name in ("add", "list", "revoke"):
        assert f" {name} " in answer.out


def test_the_first_key_says_whom_it_locks_out_and_no_other_does(home: Path) -> None:
    asked = [tiercast("keys", "add", name, home=home) for name in ("web", "app")]
    assert ["first key" in each.err for each in asked] == [True, False]
    assert "it looks every 5 seconds" in asked[0].err
    assert asked[0].out.count("\n") == 1


def test_a_key_beside_the_setting_is_no_first_one(home: Path) -> None:
    assert "first key" not in tiercast("keys", "add", "web", home=home, TIERCAST_API_KEY="k").err


def test_a_revoked_key_that_is_also_the_setting_still_opens_and_is_said_to(home: Path) -> None:
    keys = {name: tiercast("keys", "add", name, home=home).out.strip() for name in ("web", "app")}
    setting = {"TIERCAST_API_KEY": keys["web"]}
    doctor = tiercast("doctor", "--json", home=home, **setting)
    database = next(part["detail"] for part in doctor.document["parts"] if part["name"] == "database")
    assert "the setting api_key is the key 'web' too" in database
    other = tiercast("keys", "revoke", "app", "--json", home=home, **setting)
    same = tiercast("keys", "revoke", "web", "--json", home=home, **setting)
    assert ["still opens" in each.err for each in (other, same)] == [False, True]
    assert same.document["name"] == "web"
    assert keys["web"] not in same.out + same.err + doctor.out
