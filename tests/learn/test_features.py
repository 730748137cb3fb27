"""The 15 engagement features, by hand and by property."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.intake.schema import SCHEMA
from tiercast.learn.features import HELD_ON_VIEWS, OBSERVED, feature_matrix, feature_schema, hold, unknown_inputs

SUNDAY_NOON = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)
FULL: dict[str, Any] = {
    "platform": "tiktok",
    "video_id": "7498897212299136274",
    "description": "a dance " * 25,
    "duration_seconds": 45.0,
    "hashtags": ["a", "b", "c"],
    "sound_id": "s1",
    "published_at": SUNDAY_NOON,
    "published_date_only": False,
    "views": 10_000,
    "likes": 800,
    "shares": 40,
    "comments": 100,
    "saves": 200,
    "author_followers": 20_000,
}
NAMES = [feature.name for feature in OBSERVED]


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(SCHEMA), **row} for row in rows], schema=SCHEMA)


def features(**changes: Any) -> dict[str, float]:
    X = feature_matrix(frame({**FULL, **changes}), save_per_like=0.15)
    assert X.shape == (1, 15)
    return dict(zip(NAMES, X[0].tolist(), strict=True))


def test_a_fully_known_video_has_the_fifteen_values_in_the_stated_order() -> None:
    assert features() == pytest.approx(
        {
            "share_rate": 0.004,
            "comment_rate": 0.01,
            "like_rate": 0.08,
            "save_rate": 0.02,
            "share_to_like": 0.05,
            "comment_to_like": 0.125,
            "duration": 0.25,
            "hashtag_count": 0.1,
            "has_sound": 1.0,
            "caption_length": 0.1,
            "has_follower_data": 1.0,
            "follower_tier": 0.3,
            "views_per_follower": 0.5,
            "weekday_posted": 0.0,
            "hour_posted": 12 / 23,
        },
        abs=0,
    )
    assert list(features()) == NAMES


def test_a_video_of_which_only_views_and_likes_are_known_keeps_every_unknown_as_nan() -> None:
    seen = features(**{name: None for name in FULL if name not in ("platform", "video_id", "views", "likes")})
    unknown = {name for name, value in seen.items() if math.isnan(value)}
    assert unknown == {
        "share_rate", "comment_rate", "share_to_like", "comment_to_like",
        "hashtag_count", "caption_length", "weekday_posted", "hour_posted",
    }  # fmt: skip
    assert {name: seen[name] for name in NAMES if name not in unknown} == pytest.approx(
        {
            "like_rate": 0.08,
            "save_rate": 0.15 * 800 / 10_000,
            "duration": 30 / 180,
            "has_sound": 0.0,
            "has_follower_data": 0.0,
            "follower_tier": 0.5,
            "views_per_follower": 0.0,
        }
    )


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"shares": 10_001}, "share_rate"),
        ({"comments": 10_001}, "comment_rate"),
        ({"likes": 10_001}, "like_rate"),
        ({"saves": 10_001}, "save_rate"),
        ({"shares": 801}, "share_to_like"),
        ({"comments": 801}, "comment_to_like"),
        ({"duration_seconds": 180.5}, "duration"),
        ({"hashtags": ["x"] * 31}, "hashtag_count"),
        ({"description": "x" * 2001}, "caption_length"),
        ({"author_followers": 9_999}, "views_per_follower"),
        ({"author_followers": 0}, "views_per_follower"),
    ],
)
def test_what_exceeds_its_range_is_clipped_to_one(changes: dict[str, Any], name: str) -> None:
    assert features()[name] < 1
    assert features(**changes)[name] == 1


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"shares": 10_000}, "share_rate"),
        ({"duration_seconds": 180.0}, "duration"),
        ({"hashtags": ["x"] * 30}, "hashtag_count"),
        ({"description": "x" * 2000}, "caption_length"),
        ({"author_followers": 10_000}, "views_per_follower"),
    ],
)
def test_the_end_of_a_range_is_reached_exactly(changes: dict[str, Any], name: str) -> None:
    assert features(**changes)[name] == 1


def test_ratios_to_likes_are_zero_where_likes_are_zero() -> None:
    seen = features(likes=0, shares=40, comments=100)
    assert (seen["share_to_like"], seen["comment_to_like"], seen["like_rate"]) == (0, 0, 0)
    assert features(likes=0, shares=None)["share_to_like"] == 0


def test_unknown_likes_leave_everything_that_needs_them_unknown() -> None:
    seen = features(likes=None)
    assert all(math.isnan(seen[name]) for name in ("like_rate", "share_to_like", "comment_to_like"))
    assert seen["save_rate"] == 0.02
    assert math.isnan(features(likes=None, saves=None)["save_rate"])


def test_known_saves_are_used_and_only_unknown_ones_are_estimated() -> None:
    assert features(saves=0)["save_rate"] == 0
    assert features(saves=None)["save_rate"] == pytest.approx(0.012)
    other = feature_matrix(frame({**FULL, "saves": None}), save_per_like=0.5)
    assert other[0, NAMES.index("save_rate")] == pytest.approx(0.04)


def test_a_slideshow_has_no_length_and_an_unknown_length_is_thirty_seconds() -> None:
    assert features(duration_seconds=0.0)["duration"] == 0
    assert features(duration_seconds=None)["duration"] == pytest.approx(30 / 180)


def test_an_empty_caption_and_no_hashtags_are_known_to_be_none() -> None:
    seen = features(description="", hashtags=[])
    assert (seen["caption_length"], seen["hashtag_count"]) == (0, 0)


def test_a_caption_is_measured_in_characters_not_bytes() -> None:
    assert features(description="né🎉日本")["caption_length"] == 5 / 2000


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        ({"sound_id": None, "sound_name": None}, 0),
        ({"sound_id": None, "sound_name": "la la"}, 1),
        ({"sound_id": "s", "sound_name": None}, 1),
    ],
)
def test_a_post_has_a_sound_where_it_names_one(sound: dict[str, Any], expected: float) -> None:
    assert features(**sound)["has_sound"] == expected


@pytest.mark.parametrize(
    ("followers", "tier"),
    [
        (0, 0.1), (9_999, 0.1), (10_000, 0.3), (99_999, 0.3), (100_000, 0.5), (499_999, 0.5),
        (500_000, 0.7), (999_999, 0.7), (1_000_000, 0.9), (3_000_000_000, 0.9), (None, 0.5),
    ],
)  # fmt: skip
def test_followers_step_at_their_stated_bounds(followers: int | None, tier: float) -> None:
    seen = features(author_followers=followers)
    assert seen["follower_tier"] == tier
    assert seen["has_follower_data"] == (followers is not None)


@pytest.mark.parametrize("day", range(7))
def test_the_week_starts_on_sunday_with_zero_and_ends_on_saturday_with_one(day: int) -> None:
    assert features(published_at=SUNDAY_NOON + timedelta(days=day))["weekday_posted"] == day / 6


@pytest.mark.parametrize("hour", [0, 1, 11, 23])
def test_the_hour_of_posting_is_its_utc_hour(hour: int) -> None:
    assert features(published_at=SUNDAY_NOON.replace(hour=hour, minute=59))["hour_posted"] == hour / 23


def test_a_posting_day_without_an_hour_has_a_weekday_only() -> None:
    seen = features(published_at=SUNDAY_NOON.replace(hour=0, minute=0), published_date_only=True)
    assert seen["weekday_posted"] == 0
    assert math.isnan(seen["hour_posted"])


def test_the_scrape_time_never_stands_in_for_the_posting_time() -> None:
    seen = features(published_at=None, scraped_at=SUNDAY_NOON)
    assert math.isnan(seen["weekday_posted"])
    assert math.isnan(seen["hour_posted"])


count = st.none() | st.integers(0, 10**12 - 1)
videos = st.fixed_dictionaries(
    {
        "views": st.none() | st.integers(0, 10**12 - 1),
        "likes": count,
        "shares": count,
        "comments": count,
        "saves": count,
        "author_followers": count,
        "description": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        "hashtags": st.none() | st.lists(st.text("abé", max_size=3), max_size=40),
        "duration_seconds": st.none() | st.floats(0, 86_400),
        "sound_id": st.none() | st.just("s"),
        "published_at": st.none() | st.datetimes(datetime(2005, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
        "published_date_only": st.none() | st.booleans(),
    }
)


@given(st.lists(videos, min_size=1, max_size=8))
@settings(deadline=None)
def test_every_feature_lies_within_its_range_or_is_nan(rows: list[dict[str, Any]]) -> None:
    X = feature_matrix(frame(*rows), save_per_like=0.15)
    assert X.shape == (len(rows), 15)
    assert (np.isnan(X) | ((X >= 0) & (X <= 1))).all()


@given(st.lists(videos, min_size=2, max_size=6))
@settings(deadline=None)
def test_one_video_alone_has_the_same_features_as_among_others(rows: list[dict[str, Any]]) -> None:
    together = feature_matrix(frame(*rows), save_per_like=0.15)
    alone = np.vstack([feature_matrix(frame(row), save_per_like=0.15) for row in rows])
    assert together.tobytes() == alone.tobytes()


def told_unknown(rows: pl.DataFrame) -> list[list[str]]:
    return [[name for name, unknown in zip(NAMES, row, strict=True) if unknown] for row in unknown_inputs(rows)]


@given(videos)
@settings(deadline=None)
def test_a_nan_is_always_told_as_missing(row: dict[str, Any]) -> None:
    row = {**row, "views": 1 + (row["views"] or 0)}
    X, missing = feature_matrix(frame(row), save_per_like=0.15)[0], told_unknown(frame(row))[0]
    unknown = {name for name, value in zip(NAMES, X, strict=True) if math.isnan(value)}
    assert unknown <= set(missing)


def test_missing_features_name_what_was_unknown_estimated_or_stood_in_for() -> None:
    bare = frame(FULL, {"views": 10, "likes": 1})
    told = told_unknown(bare)
    assert told[0] == []
    assert set(told[1]) == set(NAMES) - {"like_rate", "has_follower_data"}


def test_holding_sets_a_column_in_a_copy() -> None:
    X = feature_matrix(frame(FULL), save_per_like=0.15)
    held = hold(X, HELD_ON_VIEWS)
    column = NAMES.index("views_per_follower")
    assert (X[0, column], held[0, column]) == (0.5, 0.0)
    assert np.delete(held, column, 1).tolist() == np.delete(X, column, 1).tolist()


def test_the_schema_changes_with_names_order_units_and_ranges_only() -> None:
    from dataclasses import replace

    own = feature_schema(OBSERVED)
    assert feature_schema(OBSERVED[::-1]) != own
    for change in ({"name": "x"}, {"unit": "x"}, {"low": -1.0}, {"high": 2.0}):
        assert feature_schema((replace(OBSERVED[0], **change), *OBSERVED[1:])) != own  # type: ignore[arg-type]
    reworded = replace(OBSERVED[0], meaning="the same in other words")
    assert feature_schema((reworded, *OBSERVED[1:])) == own


def test_no_rows_have_no_vectors() -> None:
    assert feature_matrix(frame(), save_per_like=0.15).shape == (0, 15)
