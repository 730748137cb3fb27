"""Served predictions, the same on SQLite and Postgres."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from tiercast.adapters import sql_predictions
from tiercast.adapters.sql_predictions import SqlPredictions
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.ports.serving import MissingCounts, ServedPrediction

T0: Final = datetime(2026, 1, 10, 12, tzinfo=UTC)
LONG_HANDLE: Final = "".join(map(chr, random.Random(8).choices(range(0x4E00, 0x9FA5), k=4_000)))
"""Twelve kilobytes that hardly compress; no row of a B-tree holds it."""
ONE: Final = ServedPrediction(
    prediction="0001",
    predicted_at=T0,
    platform="tiktok",
    video_id="75",
    author="ana",
    moment=Moment.DRAFT,
    release="beef" * 16,
    feature_schema="c7a863f6d87320e9",
    probabilities=(0.1, 0.2, 0.3, 0.25, 0.15),
    features=(1.0, None, 0.1 + 0.2, -7.5e-12),
    missing=("caption_length", "followers"),
)


@pytest.fixture
def kept(database: Any) -> SqlPredictions:
    return SqlPredictions(database.engine, "the database")


def numbered(count: int, **values: Any) -> list[ServedPrediction]:
    """So many predictions, one an hour from T0 on."""
    each = [replace(ONE, prediction=f"{n:04}", predicted_at=T0 + timedelta(hours=n)) for n in range(count)]
    return [replace(one, **values) for one in each]


def ids(found: list[ServedPrediction]) -> list[str]:
    return [each.prediction for each in found]


def test_a_prediction_comes_back_as_it_was_served(kept: SqlPredictions) -> None:
    nameless = replace(ONE, prediction="0002", platform=None, author=None, video_id='日本 "x" \\N', missing=())
    kept.save([ONE, nameless])
    assert kept.recent(limit=9) == [nameless, ONE]


def test_the_newest_come_first_and_pages_follow_each_other_without_gap(kept: SqlPredictions) -> None:
    kept.save(numbered(5)[::-1])
    first = kept.recent(limit=2)
    second = kept.recent(limit=2, before=first[-1].prediction)
    third = kept.recent(limit=2, before=second[-1].prediction)
    assert [ids(page) for page in (first, second, third)] == [["0004", "0003"], ["0002", "0001"], ["0000"]]
    assert kept.recent(limit=2, before="0000") == []


def test_a_video_or_a_moment_is_read_alone(kept: SqlPredictions) -> None:
    other = replace(ONE, prediction="0009", video_id="76", moment=Moment.EARLY)
    kept.save([*numbered(2), other])
    assert ids(kept.recent(limit=9, video_id="75")) == ["0001", "0000"]
    assert ids(kept.recent(limit=9, moment=Moment.EARLY)) == ["0009"]
    assert kept.recent(limit=9, moment=Moment.OBSERVED) == []


def test_a_call_that_is_made_again_after_a_lost_answer_keeps_each_prediction_once(kept: SqlPredictions) -> None:
    kept.save(numbered(3))
    kept.save([replace(each, author="changed") for each in numbered(4)])
    assert [each.author for each in kept.recent(limit=9)] == ["changed", "ana", "ana", "ana"]


def test_nothing_saved_asks_nothing(kept: SqlPredictions) -> None:
    kept.save([])
    assert kept.count() == 0


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_prediction_was_served_when_it_was_to_the_microsecond(sqlite: Any, served_at: datetime) -> None:
    kept, name = SqlPredictions(sqlite.engine, "the database"), served_at.isoformat()
    kept.save([replace(ONE, prediction=name, video_id=name, predicted_at=served_at)])
    assert kept.recent(limit=1, video_id=name)[0].predicted_at == served_at


def test_what_recent_predictions_lacked_is_counted_by_feature(kept: SqlPredictions) -> None:
    kept.save(
        [
            *numbered(4, missing=("followers",)),
            *(replace(each, prediction=f"b{each.prediction}", missing=()) for each in numbered(3)),
            replace(ONE, prediction="c", missing=("hashtags", "followers")),
            replace(ONE, prediction="d", moment=Moment.EARLY, missing=("early_views",)),
            replace(ONE, prediction="e", feature_schema="another", missing=("an_old_feature",)),
        ]
    )
    asked = {"moment": Moment.DRAFT, "feature_schema": ONE.feature_schema}
    assert kept.missing(**asked, since=T0, limit=100) == MissingCounts(8, {"followers": 5, "hashtags": 1})  # type: ignore[arg-type]
    later = T0 + timedelta(hours=2)
    assert kept.missing(**asked, since=later, limit=100) == MissingCounts(3, {"followers": 2})  # type: ignore[arg-type]
    assert kept.missing(**asked, since=T0, limit=1) == MissingCounts(1, {"followers": 1})  # type: ignore[arg-type]
    assert kept.missing(Moment.OBSERVED, feature_schema="", since=T0, limit=9) == MissingCounts(0, {})


# -- what goes again


def test_forgetting_an_author_also_takes_what_was_asked_namelessly_of_their_videos(
    database: Any, kept: SqlPredictions
) -> None:
    _stored(
        database, ("tiktok", "75", "ana"), ("tiktok", "80", "ana"), ("youtube", "81", "ana"), ("tiktok", "90", "ben")
    )
    asked = {
        "of ana": ("tiktok", "draft", "ana"),
        "nameless": ("tiktok", "75", None),
        "without a platform": (None, "80", None),
        "elsewhere": ("tiktok", "81", None),
        "of ben": ("tiktok", "90", None),
        "named otherwise": ("tiktok", "75", "Ana"),
    }
    kept.save(
        [
            replace(ONE, prediction=name, platform=platform, video_id=video, author=author)
            for name, (platform, video, author) in asked.items()
        ]
    )
    assert kept.erase(author="ana", video_id=None) == 3
    assert set(ids(kept.recent(limit=9))) == {"elsewhere", "of ben", "named otherwise"}
    assert kept.erase(author="ana", video_id=None) == 0


def test_forgetting_a_video_takes_every_prediction_of_it(kept: SqlPredictions) -> None:
    kept.save([*numbered(3), replace(ONE, prediction="x", video_id="751")])
    assert kept.erase(author=None, video_id="75") == 3
    assert ids(kept.recent(limit=9)) == ["x"]


@pytest.mark.parametrize("at_once", [1, 3, 2_000])
def test_what_is_older_than_it_may_be_goes_however_much_it_is(
    kept: SqlPredictions, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(sql_predictions, "DROPPED_AT_ONCE", at_once)
    kept.save(
        [replace(each, moment=moment, prediction=moment + each.prediction) for moment in Moment for each in numbered(4)]
    )
    assert kept.drop_before(T0 + timedelta(hours=3)) == 9
    assert {each.predicted_at for each in kept.recent(limit=99)} == {T0 + timedelta(hours=3)}
    assert kept.count() == 3
    assert kept.drop_before(T0 + timedelta(hours=3)) == 0


def test_the_documented_queries_find_what_a_video_had_a_week_after_posting(database: Any, kept: SqlPredictions) -> None:
    page = (Path(__file__).parents[2] / "docs" / "predictions.md").read_text(encoding="utf-8")
    queries = dict(zip(("sqlite", "postgres"), re.findall(r"```sql\n(.*?)```", page, re.DOTALL), strict=True))
    _stored(database, ("tiktok", "75", "ana"), ("tiktok", "76", "ben"))
    for days, views in ((3, 10), (7, 70), (9, 90)):
        _observed(database, "75", days, views)
    _observed(database, "76", 6, 60)
    kept.save([ONE, replace(ONE, prediction="0002", platform=None), replace(ONE, prediction="0003", video_id="76")])
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql(queries[database.name]).all()
    assert [(row.moment, row.highest_tier, row.views) for row in found] == [("draft", 0.15, 70)] * 2


# -- what could go wrong


def test_a_handle_and_an_id_of_any_length_are_kept_and_found(kept: SqlPredictions) -> None:
    kept.save([replace(ONE, author=LONG_HANDLE, video_id=LONG_HANDLE)])
    assert len(kept.recent(limit=9, video_id=LONG_HANDLE)) == 1
    assert kept.erase(author=LONG_HANDLE, video_id=None) == 1


def test_what_no_try_can_keep_is_refused_and_nothing_of_it_kept(kept: SqlPredictions) -> None:
    with pytest.raises(InvalidInput, match="cannot hold one of 2 predictions"):
        kept.save([ONE, replace(ONE, prediction="0002", author="half an emoji \ud83d")])
    assert kept.count() == 0


def test_a_batch_goes_to_the_database_at_once(database: Any, kept: SqlPredictions) -> None:
    asked = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[5])))
    kept.save(numbered(500))
    ((statement, many),) = [each for each in asked if each[0].startswith("INSERT")]
    assert many == (database.name != "sqlite")
    assert statement.count("(?") == (500 if database.name == "sqlite" else 0)
    kept.save(numbered(2_100))
    assert kept.count() == 2_100


def test_nan_never_enters_the_store(kept: SqlPredictions) -> None:
    kept.save([replace(ONE, features=(float("nan"), 0.5, float("inf")))])
    assert kept.recent(limit=9)[0].features == (None, 0.5, None)


def test_a_database_that_is_away_may_be_tried_again(database: Any, kept: SqlPredictions) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {database.schema}predictions RENAME TO hidden"))
    with pytest.raises(Unavailable, match="Could not use the database"):
        kept.save([ONE])


def test_a_batch_is_one_transaction_that_waits_for_no_bulk_writer(database: Any, kept: SqlPredictions) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    kept.save(numbered(1_000))
    assert len([each for each in said if each.startswith("INSERT")]) == 1
    assert not [each for each in said if "IMMEDIATE" in each or "advisory" in each]
    assert kept.count() == 1_000


def _stored(database: Any, *videos: tuple[str, str, str]) -> None:
    now = "0" if database.name == "sqlite" else "to_timestamp(0)"
    columns = "platform, video_id, author, published_at, described_at"
    statement = f"INSERT INTO {database.schema}videos ({columns}) VALUES (:p, :v, :a, {now}, {now})"
    with database.engine.begin() as connection:
        for platform, video_id, author in videos:
            connection.execute(text(statement), {"p": platform, "v": video_id, "a": author})


def _observed(database: Any, video_id: str, days: int, views: int) -> None:
    """An observation so many days after 1970, when every video of these tests was posted."""
    at = f"{days * 86_400_000_000}" if database.name == "sqlite" else f"to_timestamp({days * 86_400})"
    columns = "platform, video_id, scraped_at, views, scrape_time_guessed"
    statement = f"INSERT INTO {database.schema}observations ({columns}) VALUES ('tiktok', :v, {at}, :views, false)"
    with database.engine.begin() as connection:
        connection.execute(text(statement), {"v": video_id, "views": views})
