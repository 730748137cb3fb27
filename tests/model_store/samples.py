"""Small releases and promotions to store."""

from datetime import UTC, datetime, timedelta

from tiercast.core.canonical import sha256_hex
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest, Promotion, Release, RowSet
from tiercast.flows.model_store import ModelStore, Writer, champion, promote, standing, upload

OBSERVED = Moment.OBSERVED
AT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def release_of(seed: int, *, model: bytes = b'{"weights":[1,2,3]}') -> Release:
    """A release that differs from another seed's in its manifest."""
    files = {"model.json": model, "labels.json": b"[1,2,3,4,5]"}
    manifest = Manifest(
        moment=OBSERVED,
        label="views",
        model="logistic",
        features=(),
        feature_schema="s",
        tier_edges=(1, 2, 3, 4),
        tiers=None,
        marks=(),
        log_views_range=(0.0, 9.5),
        newest_training_video_at=None,
        calibration=None,
        confidence_threshold=None,
        training=RowSet(8, "a"),
        test=RowSet(2, "b"),
        metrics={"accuracy": {"value": 0.7, "interval": [0.6, 0.8]}},
        settings={"seed": seed},
        libraries={},
        files={name: sha256_hex(content) for name, content in files.items()},
    )
    return Release.stage(manifest, files)


def entry_of(release: Release, *, number: int, token: str = "t", days: float = 0) -> Promotion:
    """A promotion of a release, some days later."""
    return Promotion(
        number=number,
        moment=OBSERVED,
        action="promote",
        release=release.id,
        previous=None,
        manifest_sha256=release.id,
        verdict="promote",
        findings=({"code": "C201", "observed": 0.7},),
        actor="ana",
        reason="weekly",
        run="r1",
        at=AT + timedelta(days=days),
        token=token,
    )


def publish(store: ModelStore, seed: int, *, days: float = 0) -> Release:
    """Upload and promote a release, as a run does, some days later."""
    release = release_of(seed)
    upload(store.objects, OBSERVED, release)
    number = standing(store.objects, store.log, OBSERVED).last_number + 1
    assert promote(store, entry_of(release, number=number, token=f"token-{number}", days=days)).won
    return release


def serving(store: ModelStore) -> str:
    """The id of the release that serves."""
    now = champion(store.objects, store.log, OBSERVED)
    assert now is not None
    return now.release.id


def writer(token: str = "mine", *, days: float = 0) -> Writer:
    """Someone at a keyboard, some days later."""
    return Writer(actor="ben", at=AT + timedelta(days=days), token=token)
