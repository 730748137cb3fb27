"""Who served, what changed, what stays: the commands about releases, on a store of small ones."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cli.program import Answer, assert_failed, tiercast
from model_store.samples import AT, OBSERVED, entry_of, publish, release_of
from tiercast.core.release import FeatureUse, Release, RowSet
from tiercast.flows.model_store import ModelStore, promote, standing, upload
from tiercast.settings import read_settings
from tiercast.wiring import Wiring


@pytest.fixture
def store(home: Path) -> ModelStore:
    wiring = Wiring(read_settings(home))
    return ModelStore(wiring.objects, wiring.write_log())


def observed(answer: Answer) -> dict[str, object]:
    assert answer.code == 0, answer.err
    return next(each for each in answer.document["moments"] if each["moment"] == "observed")


def test_who_served_is_told_for_any_time(home: Path, store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2, days=7)
    before = observed(tiercast("models", "--at", "2026-11-01T00:00Z", "--json", home=home))
    assert before == {"moment": "observed", "served": None, "warnings": []}
    # A bare day is its end: the 23rd, when the first was promoted.
    assert observed(tiercast("models", "--at", "2026-11-23", "--json", home=home))["served"] == {
        "release": first.id,
        "number": 1,
        "action": "promote",
        "actor": "ana",
        "reason": "weekly",
        "since": "2026-11-23T06:30:00+00:00",
        "until": "2026-11-30T06:30:00+00:00",
        "stored": True,
    }
    told = tiercast("models", "--at", "2026-12-24T00:00:00Z", home=home)
    assert second.id[:12] in told.out
    assert "now" in told.out
    assert told.out.count("nobody yet") == 2


def test_a_time_that_is_none_says_how_one_is_written(home: Path, store: ModelStore) -> None:
    assert_failed(tiercast("models", "--at", "last week", home=home), "--at 'last week' is no time", "2026-11-01")


def test_pin_and_unpin_say_what_serves_and_rollback_refuses_between(home: Path, store: ModelStore) -> None:
    first, second = publish(store, 1), publish(store, 2, days=7)
    pinned = tiercast("pin", first.id[:12], "--reason", "campaign week", "--json", home=home)
    assert pinned.code == 0, pinned.err
    expected = {"action": "pin", "release": first.id, "previous": second.id, "reason": "campaign week", "number": 3}
    assert {name: pinned.document[name] for name in expected} == expected
    assert "token" not in pinned.document
    listed = observed(tiercast("models", "--json", home=home))
    assert (listed["champion"], listed["pinned"]) == (first.id, pinned.document)
    assert "is pinned" in tiercast("models", home=home).out
    assert_failed(tiercast("rollback", "--reason", "r", home=home), first.id[:12], "campaign week", "tiercast unpin")
    assert_failed(tiercast("pin", first.id[:12], "--reason", "r", home=home), "has been pinned since", "campaign week")
    unpinned = tiercast("unpin", "--reason", "over", home=home)
    assert (unpinned.code, first.id[:12] in unpinned.out) == (0, True)
    assert_failed(tiercast("unpin", "--reason", "over", home=home), "nothing to unpin")
    assert observed(tiercast("models", "--json", home=home))["pinned"] is None
    assert tiercast("rollback", "--reason", "r", home=home).code == 0


@pytest.mark.parametrize("command", [("pin", "ab"), ("unpin",), ("rollback",)])
def test_who_decides_says_why_and_needs_a_store_to_decide_in(home: Path, command: tuple[str, ...]) -> None:
    assert tiercast(*command, home=home).code == 2
    blank = tiercast(*command, "--reason", "  ", home=home)
    assert blank.code == 2
    assert "say in a few words why" in blank.err
    assert_failed(tiercast(*command, "--reason", "r", home=home), "Nothing was ever promoted")
    assert not (home / "models").exists()


def richer(release: Release) -> Release:
    """The same with other data, settings, features and libraries."""
    uses = tuple(
        FeatureUse(name, "share of views", 0.0, 1.0, "", None, 0.1, share) for name, share in (("a", 0.25), ("b", 0.0))
    )
    manifest = replace(
        release.manifest,
        features=uses,
        tier_edges=(1, 3, 3, 4),
        training=RowSet(10, "c" * 64),
        settings={"seed": 5, "candidate": {"depth": 3, "rate": 0.1}},
        libraries={"numpy": "2.1"},
        metrics={"accuracy": {"value": 0.75, "interval": [0.7, 0.8]}},
    )
    return Release.stage(manifest, release.files)


def test_what_changed_between_two_releases_is_told_section_by_section(home: Path, store: ModelStore) -> None:
    a, b = publish(store, 1), richer(release_of(1))
    upload(store.objects, OBSERVED, b)
    told = tiercast("models", "--diff", a.id[:10], b.id[:10], "--json", home=home).document
    assert (told["moment"], told["a"], told["b"]) == ("observed", a.id, b.id)
    data = {each["name"]: (each["a"], each["b"], each["factor"]) for each in told["data"]}
    assert data["training rows"] == (8, 10, 1.25)
    assert data["edge 2|3"] == (2, 3, 1.5)
    assert set(data) == {"training rows", "training fingerprint", "edge 2|3"}
    settings = {each["name"]: (each["a"], each["b"]) for each in told["settings"]}
    assert settings == {"seed": (1, 5), "candidate.depth": (None, 3), "candidate.rate": (None, 0.1)}
    assert told["libraries"] == [{"name": "numpy", "a": None, "b": "2.1"}]
    assert {"name": "a, missing share", "a": None, "b": 0.25} in told["features"]
    measures = [{"value": 0.7, "interval": [0.6, 0.8]}, {"value": 0.75, "interval": [0.7, 0.8]}]
    assert told["metrics"] == [{"name": "accuracy", "a": measures[0], "b": measures[1]}]
    assert told["model"] == []
    assert told["metrics_comparable"] is False
    assert "different edges" in told["metrics_incomparable_because"]
    assert "different rows" not in told["metrics_incomparable_because"]
    shown = tiercast("models", "--diff", a.id[:10], b.id[:10], home=home)
    assert shown.code == 0
    for words in ("x 1.50", "candidate.depth", "0.75 [0.7, 0.8]", "do not say which", "model: as before"):
        assert words in " ".join(shown.out.split())


def test_a_release_does_not_differ_from_itself(home: Path, store: ModelStore) -> None:
    a = publish(store, 1)
    assert "do not differ" in tiercast("models", "--diff", a.id[:9], a.id[:9], home=home).out
    told = tiercast("models", "--diff", a.id[:9], a.id[:9], "--json", home=home).document
    assert (told["metrics_comparable"], told["data"], told["metrics"]) == (True, [], [])


def test_a_release_that_is_not_there_cannot_be_compared(home: Path, store: ModelStore) -> None:
    a = publish(store, 1)
    unknown = "0" * 20 if not a.id.startswith("0") else "1" * 20
    assert_failed(
        tiercast("models", "--diff", a.id[:9], unknown, "--moment", "observed", home=home), unknown, a.id[:12]
    )


def test_prune_removes_what_nobody_needs_and_shows_it_as_removed(home: Path, store: ModelStore) -> None:
    ids = [publish(store, seed, days=7 * seed - 1200).id for seed in range(6)]
    planned = tiercast("models", "--prune", "--keep", "2", "--dry-run", "--json", home=home)
    assert planned.document["dry_run"] is True
    told = observed(planned)
    assert {each["release"] for each in told["removed"]} == set(ids[:4])  # type: ignore[attr-defined]
    assert len(list((home / "models/observed/releases").iterdir())) == 6
    done = tiercast("models", "--prune", "--keep", "2", home=home)
    assert (done.code, done.out.count("removed")) == (0, 4)
    assert len(list((home / "models/observed/releases").iterdir())) == 2
    listed = observed(tiercast("models", "--json", home=home))
    assert [each["stored"] for each in listed["promotions"]] == [False] * 4 + [True] * 2  # type: ignore[attr-defined]
    assert listed["warnings"] == []
    assert tiercast("models", home=home).out.count("(removed)") == 4
    assert_failed(tiercast("rollback", ids[0][:12], "--reason", "r", home=home), ids[0][:12], "was removed")
    assert "(removed)" in tiercast("models", "--at", "2023-08-20", "--moment", "observed", home=home).out


def test_twenty_stay_unless_told_otherwise(home: Path, store: ModelStore) -> None:
    for seed in range(22):
        release = release_of(seed)
        upload(store.objects, OBSERVED, release)
        number = standing(store.objects, store.log, OBSERVED).last_number + 1
        promote(store, replace(entry_of(release, number=number, token=f"{seed}"), at=AT - timedelta(days=1200 - seed)))
    assert len(observed(tiercast("models", "--prune", "--json", home=home))["removed"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [("--prune", "--at", "2026-11-01"), ("--keep", "3"), ("--dry-run",), ("--diff", "a"), ("--prune", "--keep", "x")],
)
def test_options_that_do_not_go_together_are_wrong_usage(home: Path, wrong: tuple[str, ...]) -> None:
    assert tiercast("models", *wrong, home=home).code == 2
