"""Parts of the test rows that a good average can hide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.learn.groups import UNDATED, WEEK_US, groups, newest_week
from tiercast.learn.references import BAND_NAMES, Standpoint

DAY_US = WEEK_US // 7
followers = st.none() | st.floats(0, 1e8)
row = st.tuples(
    st.sampled_from(["tiktok", "youtube", "instagram"]),
    followers,
    st.integers(0, 60 * DAY_US) | st.just(UNDATED),
    st.booleans(),
)


def of(rows: list[tuple[str, float | None, int, bool]]) -> dict[str, np.ndarray]:
    platforms, known, posted, unseen = zip(*rows, strict=True)
    numbers = np.array([np.nan if each is None else each for each in known], dtype=np.float64)
    empty = np.full(len(rows), np.nan)
    return groups(Standpoint(list(platforms), numbers, empty, empty), np.array(posted), np.array(unseen))


@given(st.lists(row, min_size=1, max_size=30))
def test_each_row_is_of_one_platform_and_one_band_where_there_are_several(
    rows: list[tuple[str, float | None, int, bool]],
) -> None:
    found = of(rows)
    for kind in ("platform ", "followers "):
        parts = [part for name, part in found.items() if name.startswith(kind)]
        assert not parts or (np.sum(parts, axis=0) == 1).all()
    assert all(part.any() and not part.all() for part in found.values())


@pytest.mark.parametrize(
    ("count", "band"),
    [
        (0, "under 1k"),
        (999, "under 1k"),
        (1_000, "1k-10k"),
        (99_999, "10k-100k"),
        (100_000, "100k-1M"),
        (1_000_000, "over 1M"),
        (None, "unknown"),
    ],
)
def test_a_band_begins_with_its_lower_end_and_unknown_is_a_band_of_its_own(count: float | None, band: str) -> None:
    found = of([("tiktok", count, 0, False), ("tiktok", 50_000 if band != "10k-100k" else 5, 0, False)])
    assert found[f"followers {band}"].tolist() == [True, False]
    assert {f"followers {name}" for name in (*BAND_NAMES, "unknown")} >= {n for n in found if n.startswith("followers")}


def test_new_creators_and_the_newest_week_are_marked_row_by_row() -> None:
    found = of(
        [
            ("tiktok", 5, 0, True),
            ("tiktok", 5, 3 * DAY_US, False),
            ("tiktok", 5, 10 * DAY_US, True),
            ("tiktok", 5, UNDATED, False),
        ]
    )
    assert found.keys() == {"new creators", "newest week"}
    assert found["new creators"].tolist() == [True, False, True, False]
    assert found["newest week"].tolist() == [False, False, True, False]  # exactly seven days before is another week


def test_what_holds_all_rows_or_none_is_no_group() -> None:
    assert of([("tiktok", 5, 0, False)] * 3) == {}
    assert of([("tiktok", 5, UNDATED, True)] * 3) == {}


@given(st.lists(st.integers(0, 60 * DAY_US) | st.just(UNDATED), max_size=20))
def test_the_newest_week_holds_the_newest_row_and_nothing_undated(posted: list[int]) -> None:
    found = newest_week(np.array(posted, dtype=np.int64))
    dated = [each for each in posted if each != UNDATED]
    assert found.tolist() == [bool(dated) and each > max(dated) - WEEK_US for each in posted]
