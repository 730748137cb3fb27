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
