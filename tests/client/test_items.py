"""Frames and values of pandas and NumPy: both sides read them as the Polars frame, or mapping, that means the same."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from http_service import video
from two_sides import Both

from tiercast import InvalidInput

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
DRAFTS: dict[str, list[Any]] = {
    "platform": ["tiktok", "tiktok", "tiktok"],
    "video_id": ["one", "two", "three"],
    "author": ["ana", None, "bo"],
    "author_followers": [2_377.0, None, 12.0],
    "author_verified": [True, None, False],
    "hashtags": [["baking", "bread"], [], None],
    "duration_seconds": [31.0, None, 7.5],
    "sound_name": [None, None, None],
    "published_at": [AT, AT, AT],
}


def of_pandas(**columns: Any) -> pd.DataFrame:
    """The drafts as ``pandas.read_parquet`` gives them, some columns otherwise."""
    arrays = [None if each is None else np.array(each, dtype=object) for each in DRAFTS["hashtags"]]
    return pd.DataFrame({**DRAFTS, "hashtags": pd.Series(arrays, dtype=object), **columns})


def test_a_frame_of_pandas_with_lists_is_read_as_that_of_polars(both: Both) -> None:
    frame = of_pandas()
    assert isinstance(frame["hashtags"][0], np.ndarray)
    found = both.answer(lambda side: side.predict(frame))
    assert [each.video_id for each in found] == ["one", "two", "three"]
    assert found == both.answer(lambda side: side.predict(pl.DataFrame(DRAFTS)))
    assert found != both.answer(lambda side: side.predict(pl.DataFrame(DRAFTS).drop("hashtags")))


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("platform", "category"),
        ("author", "string"),
        ("author", "category"),
        ("author_followers", "Int64"),
        ("author_verified", "boolean"),
        ("duration_seconds", "Float64"),
        ("published_at", "datetime64[ns, UTC]"),
        ("published_at", "datetime64[s, Asia/Tokyo]"),
    ],
)
def test_columns_of_any_type_of_pandas_say_the_same(both: Both, column: str, dtype: str) -> None:
    frame = of_pandas(**{column: pd.Series(DRAFTS[column]).astype(dtype)})
    assert frame[column].dtype == dtype
    assert both.answer(lambda side: side.predict(frame)) == both.answer(lambda side: side.predict(of_pandas()))


def test_nan_beside_na_in_one_column_is_unknown_too(both: Both) -> None:
    with pd.option_context("future.distinguish_nan_and_na", True):
        frame = of_pandas(duration_seconds=pd.array([0.0, None, 7.5], dtype="Float64") / pd.array([0.0, 1.0, 1.0]))
        assert [*frame["duration_seconds"].isna()] == [False, True, False]
        found = both.answer(lambda side: side.predict(frame))
    drafts = pl.DataFrame({**DRAFTS, "duration_seconds": [None, None, 7.5]})
    assert found == both.answer(lambda side: side.predict(drafts))


def test_a_time_that_a_frame_does_not_know_is_unknown(both: Both) -> None:
    frame = pd.DataFrame([video(0), video(1)]).assign(published_at=[pd.Timestamp("2025-05-01", tz="UTC"), pd.NaT])
    asked = [video(0, published_at="2025-05-01T00:00:00Z"), video(1)]
    assert both.answer(lambda side: side.predict(frame)) == both.answer(lambda side: side.predict(asked))


@pytest.mark.parametrize(
    "at",
    [
        AT,
        np.datetime64("2026-01-05T12:30", "m"),
        np.datetime64("2026-01-05T12:30", "us"),
        np.datetime64("2026-01-05T12:30", "ns"),
        np.array("2026-01-05T12:30", dtype="datetime64[ns]"),
        pd.Timestamp("2026-01-05T12:30"),
        pd.Timestamp("2026-01-05T12:30:00.000000999Z"),
        pd.Timestamp("2026-01-05T21:30", tz="Asia/Tokyo"),
    ],
    ids=repr,
)
def test_times_of_other_libraries_are_read_as_they_mean_it(both: Both, at: object) -> None:
    draft = {"video_id": "draft", "author": "ana", "published_at": "2026-01-05T12:30:00Z"}
    found = both.answer(lambda side: side.predict({**draft, "published_at": at}))
    assert found == both.answer(lambda side: side.predict(draft))


def test_a_day_of_numpy_is_a_day_and_no_midnight(both: Both) -> None:
    draft = {"video_id": "draft", "author": "ana", "published_at": "2026-01-05"}
    found = both.answer(lambda side: side.predict({**draft, "published_at": np.datetime64("2026-01-05")}))
    assert found == both.answer(lambda side: side.predict(draft))


@pytest.mark.parametrize("unknown", [pd.NaT, pd.NA, np.datetime64("NaT"), np.datetime64("NaT", "ns")], ids=repr)
def test_what_can_only_mean_unknown_is_unknown_in_a_mapping(both: Both, unknown: object) -> None:
    asked = video(saves=unknown, published_at=unknown)
    found = both.answer(lambda side: side.predict(asked))
    assert found == both.answer(lambda side: side.predict(video(saves=None, published_at=None)))


@pytest.mark.parametrize(
    "tags", [np.array(["a", "b"]), pl.Series(["a", "b"]), pd.Series(["a", "b"])], ids=["numpy", "polars", "pandas"]
)
def test_numbers_and_lists_of_other_libraries_are_read_in_a_mapping(both: Both, tags: object) -> None:
    asked = video(views=np.int64(12_345), duration_seconds=np.float32(21.5), hashtags=tags)
    found = both.answer(lambda side: side.predict(asked))
    assert found == both.answer(lambda side: side.predict(video(hashtags=["a", "b"])))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (video(saves=np.float32("nan")), "Write null (None) for unknown"),
        (video(duration_seconds=np.timedelta64(31_000_000_000, "ns")), "a value is of type timedelta"),
        (video(duration_seconds=pd.Timedelta(seconds=31)), "a value is of type Timedelta"),
        (pd.DataFrame([video()]).iloc[0], "Video 0 is of type str; each has to be a mapping"),
        (pd.DataFrame(), "No video was given"),
    ],
    ids=["nan", "numpy's duration", "pandas' duration", "a row", "no row"],
)
def test_what_is_no_value_or_video_is_the_caller_s_mistake(both: Both, asked: Any, told: str) -> None:
    assert told in both.error(lambda side: side.predict(asked), InvalidInput)
