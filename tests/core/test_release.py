"""Releases and promotions: the same bytes back, and nothing else accepted."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tiercast.core.canonical import canonical_json, sha256_hex
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.release import FeatureUse, Manifest, Promotion, Release, RowSet, verify_release

FILES = {"logistic.json": b'{"weights":[[0.1,0.25]]}', "notes.json": b"[]"}
MANIFEST = Manifest(
    moment=Moment.OBSERVED,
    label="views",
    model="logistic",
    features=(
        FeatureUse("like_rate", "share of views", 0.0, 1.0, "likes / views", None, 0.07, 0.0),
        FeatureUse("views_per_follower", "views per follower", 0.0, 1.0, "views / followers", 0.0, None, 1.0),
    ),
    feature_schema="abc",
    tier_edges=(10, 20, 30, 40),
    tiers={
        "relative_to": "platform",
        "edges": {"all": [10, 20, 30, 40], "tiktok": [11, 21, 31, 41]},
        "multiples": None,
        "min_posts": 3,
    },
    marks=("labels as scraped", "history as of scrape"),
    log_views_range=(0.1, 14.25),
    newest_training_video_at="2026-01-05T00:00:00+00:00",
    calibration=None,
    confidence_threshold=None,
    training=RowSet(80, "a" * 64),
    test=RowSet(20, "b" * 64),
    metrics={"accuracy": {"value": 0.7, "interval": [0.6, 0.8]}},
    settings={"seed": 42, "save_per_like": 0.15},
    libraries={"numpy": "2.0"},
    files={name: sha256_hex(content) for name, content in FILES.items()},
)
RELEASE = Release.stage(MANIFEST, FILES)
ENTRY = Promotion(
    number=3,
    moment=Moment.OBSERVED,
    action="promote",
    release=RELEASE.id,
    previous=None,
    manifest_sha256=RELEASE.id,
    verdict="promote",
    findings=({"code": "C201", "observed": 0.7},),
    actor="zoë@desk",
    reason="weekly",
    run=None,
    at=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
    token="t",
)


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def test_a_manifest_comes_back_from_its_bytes_as_it_was() -> None:
    assert Manifest.from_bytes(RELEASE.manifest_bytes) == MANIFEST
    given = replace(MANIFEST, label="given", tier_edges=None, tiers=None, marks=(), log_views_range=None)
    assert Manifest.from_bytes(given.to_bytes()) == given


def test_the_name_of_a_release_is_the_hash_of_its_manifest() -> None:
    assert RELEASE.id == sha256_hex(RELEASE.manifest_bytes)
    assert Release.stage(replace(MANIFEST, settings={"seed": 43}), FILES).id != RELEASE.id


def test_an_untouched_release_verifies() -> None:
    assert verify_release(RELEASE.id, RELEASE.manifest_bytes, FILES) == RELEASE


def test_a_manifest_with_one_flipped_bit_anywhere_is_refused() -> None:
    for position in range(len(RELEASE.manifest_bytes)):
        with pytest.raises(InvalidInput, match=r"manifest\.json does not match"):
            verify_release(RELEASE.id, flipped(RELEASE.manifest_bytes, position), FILES)


def test_a_model_file_with_one_flipped_bit_anywhere_is_refused() -> None:
    for position in range(len(FILES["logistic.json"])):
        damaged = {**FILES, "logistic.json": flipped(FILES["logistic.json"], position)}
        with pytest.raises(InvalidInput, match=r"logistic\.json is missing or does not match"):
            verify_release(RELEASE.id, RELEASE.manifest_bytes, damaged)


def test_a_missing_file_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"notes\.json is missing"):
        verify_release(RELEASE.id, RELEASE.manifest_bytes, {"logistic.json": FILES["logistic.json"]})


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b'{"format":2}', RELEASE.manifest_bytes[:-9]],
)
def test_bytes_that_are_no_manifest_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="manifest cannot be read"):
        Manifest.from_bytes(content)


@pytest.mark.parametrize("other", [1, 3])
def test_a_manifest_of_another_format_says_what_to_do(other: int) -> None:
    document = json.loads(RELEASE.manifest_bytes)
    told = rf"has format {other}; this version reads format 2\. Retrain with this version, or serve it with the version"
    with pytest.raises(InvalidInput, match=told):
        Manifest.from_bytes(canonical_json({**document, "format": other}))


@pytest.mark.parametrize("missing", ["tiers", "marks", "tier_edges", "metrics", "format"])
def test_a_manifest_without_one_of_its_parts_is_refused(missing: str) -> None:
    document = json.loads(RELEASE.manifest_bytes)
    del document[missing]
    with pytest.raises(InvalidInput, match=rf"manifest cannot be read \(KeyError: '{missing}'"):
        Manifest.from_bytes(canonical_json(document))


def test_a_moment_that_this_version_lacks_is_refused() -> None:
    document = json.loads(RELEASE.manifest_bytes)
    with pytest.raises(InvalidInput, match="'dream'"):
        Manifest.from_bytes(canonical_json({**document, "moment": "dream"}))


def test_nan_never_enters_a_manifest() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(MANIFEST, metrics={"accuracy": float("nan")}).to_bytes()


def test_a_promotion_comes_back_from_its_bytes_as_it_was() -> None:
    assert Promotion.from_bytes(ENTRY.to_bytes()) == ENTRY


def test_an_entry_written_before_the_best_release_was_recorded_still_loads() -> None:
    document = json.loads(replace(ENTRY, best="b" * 64).to_bytes())
    assert Promotion.from_bytes(canonical_json(document)).best == "b" * 64
    del document["best"], document["sha256"]
    old = canonical_json({**document, "sha256": sha256_hex(canonical_json(document))})
    assert Promotion.from_bytes(old) == ENTRY


def test_a_promotion_with_one_flipped_bit_anywhere_is_refused() -> None:
    for position in range(len(ENTRY.to_bytes())):
        with pytest.raises(InvalidInput, match="promotion entry"):
            Promotion.from_bytes(flipped(ENTRY.to_bytes(), position))


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == canonical_json({"a": "é", "b": [1, 2.5]})
    assert canonical_json({"a": "é"}) == b'{"a":"\xc3\xa9"}'
