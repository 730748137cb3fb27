"""What becomes of an answer that is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from tiercast.core.moments import Moment
from tiercast.flows.kept import Kept, schema_of, served_of
from tiercast.learn.features import FEATURES
from tiercast.learn.models import Inputs
from tiercast.learn.predictor import Asked

AT: Final = datetime(2026, 1, 10, 12, 0, 0, 17, tzinfo=UTC)
NAMES: Final = [feature.name for feature in FEATURES[Moment.OBSERVED]]
SHARES: Final = [0.1, 0.2, 0.4, 0.2, 0.1]


def kept(authors: list[str | None]) -> Kept:
    """Answers for so many videos, the first of which has a feature without a number and one with a stand-in."""
    X = np.arange(len(authors) * len(NAMES), dtype=np.float64).reshape(len(authors), len(NAMES))
    unknown = np.zeros(X.shape, dtype=bool)
    X[0, 2], unknown[0, [2, 4]] = np.nan, True
    answers = [
        {"platform": "tiktok" if author else None, "video_id": f"v{n}", "probabilities": SHARES, "missing": []}
        for n, author in enumerate(authors)
    ]
    column = pl.Series("author", authors, dtype=pl.String)
    return Kept(column, Asked(Inputs(X), unknown), answers, Moment.OBSERVED, "beef", AT)


def test_each_answer_is_kept_with_all_that_it_rests_on() -> None:
    first, second = served_of(kept(["ana", None]))
    assert (first.platform, first.video_id, first.author) == ("tiktok", "v0", "ana")
    assert (second.platform, second.video_id, second.author) == (None, "v1", None)
    assert (first.moment, first.release, first.predicted_at) == (Moment.OBSERVED, "beef", AT)
    assert first.probabilities == tuple(SHARES)
    assert first.features == (0.0, 1.0, None, *map(float, range(3, len(NAMES))))
    assert second.features == tuple(map(float, range(len(NAMES), 2 * len(NAMES))))


def test_a_feature_with_a_value_that_stands_in_is_missing_too() -> None:
    first, second = served_of(kept(["ana", None]))
    assert first.missing == (NAMES[2], NAMES[4])
    assert second.missing == ()


def test_no_number_but_a_finite_one_is_kept() -> None:
    one = kept(["ana"])
    one.asked.inputs.X[0, :2] = np.inf, -np.inf
    assert served_of(one)[0].features[:4] == (None, None, None, 3.0)


def test_ids_sort_by_time_and_by_place_and_no_two_calls_share_one() -> None:
    one, many = kept(["ana"]), kept(["ana"] * 300)
    calls = [replace(one, at=AT - timedelta(days=9_000)), many, replace(one, at=AT + timedelta(microseconds=1))]
    ids = [each.prediction for call in calls for each in served_of(call)]
    assert ids == sorted(ids)
    assert len({*ids, *(each.prediction for each in served_of(many))}) == 602
    assert {len(each) for each in ids} == {32}


def test_the_feature_set_is_named_so_that_other_versions_are_told_apart() -> None:
    schemas = {schema_of(moment) for moment in Moment}
    assert len(schemas) == len(Moment)
    assert served_of(kept(["ana"]))[0].feature_schema == schema_of(Moment.OBSERVED)
