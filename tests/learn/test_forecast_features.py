"""The features of draft and early: declared, the same in every batch and at every later time, and each by hand."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.adapters.bulk import insert_rows
from tiercast.adapters.databases import open_sqlite
from tiercast.adapters.sql_history import SqlVideoHistory
from tiercast.adapters.sql_videos import SqlVideoStore
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest, Release, RowSet
from tiercast.core.tiers import RelativeTo
from tiercast.flows.asked import Request, usable_rows
from tiercast.flows.champions import Serving
from tiercast.flows.forecast_rows import ForecastPlan
from tiercast.flows.forecast_set import Build, assemble
from tiercast.flows.predict import ask
from tiercast.intake.schema import SCHEMA
from tiercast.learn.describe import Past, describe
from tiercast.learn.features import FEATURES, Feature, Needs, matrix
from tiercast.learn.features.draft import DRAFT, GROUPS
from tiercast.learn.features.early import EARLY, FIRST_HOURS
from tiercast.learn.generated import WORLD, generate
from tiercast.learn.history import LATEST
from tiercast.learn.predictor import Predictor
from tiercast.learn.timeline import COUNTS, History, Timeline

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
EARLY_AGE = 72 * HOUR
MODES: tuple[History, ...] = ("observed", "as_scraped")
FORECASTS = (Moment.DRAFT, Moment.EARLY)
NAMES = {moment: [feature.name for feature in FEATURES[moment]] for moment in FORECASTS}
Row = dict[str, Any]
seeds = st.integers(0, 2**32)


def repeatable(examples: int) -> settings:
    return settings(deadline=None, derandomize=True, max_examples=examples)


def scrape(video_id: str, posted: datetime = T0, age: timedelta = HOUR, **changes: Any) -> Row:
    base = {"platform": "tiktok", "author": "ana", "published_at": posted, "views": 100, "scraped_at": posted + age}
    return {**dict.fromkeys(SCHEMA), **base, "video_id": video_id, **changes}


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


# -- who asks what


@dataclass(frozen=True)
class Asking:
    """Rows that ask, and for the moment early what they have seen."""

    moment: Moment
    rows: pl.DataFrame
    seen: pl.DataFrame | None = None

    def only(self, places: list[int]) -> "Asking":
        """Some of the rows, in this order."""
        if self.seen is None:
            return replace(self, rows=self.rows[places])
        order = pl.DataFrame({"row": places, "place": range(len(places))}, schema={"row": pl.Int64, "place": pl.Int64})
        seen = self.seen.join(order, on="row").drop("row").rename({"place": "row"})
        return replace(self, rows=self.rows[places], seen=seen)

    def vectors(self, past: Past) -> np.ndarray:
        return describe(self.rows, past, self.moment, seen=self.seen).X

    def named(self, past: Past) -> dict[str, float]:
        """The features of the only row by name."""
        (vector,) = self.vectors(past).tolist()
        return dict(zip(NAMES[self.moment], vector, strict=True))


def asking(rows: list[Row], moment: Moment) -> Asking:
    """One row a video before posting, or one an early observation that has seen it and those before it."""
    if moment is Moment.DRAFT:
        videos = {(row["platform"], row["video_id"]): {**row, "author_followers": None} for row in rows}
        return at_posting(list(videos.values()))
    early = [row for row in rows if usable(row) and timedelta() < row["scraped_at"] - row["published_at"] <= EARLY_AGE]
    seen = [{**other, "row": place} for place, row in enumerate(early) for other in rows if was_seen(other, row)]
    asked = frame(*early).with_columns(asked_at="published_at")
    return Asking(Moment.EARLY, asked, pl.DataFrame(seen, schema={**SCHEMA, "row": pl.Int64}))


def at_posting(rows: list[Row]) -> Asking:
    return Asking(Moment.DRAFT, frame(*rows).with_columns(asked_at="published_at"))


def at_once(rows: list[Row], asked_at: datetime) -> Asking:
    """Posts to come, all asked at the same instant."""
    to_come = [{**row, **dict.fromkeys((*COUNTS, "views", "author_followers")), "published_at": None} for row in rows]
    asked = pl.lit(asked_at).cast(pl.Datetime("us", "UTC"))
    return Asking(Moment.DRAFT, frame(*to_come).with_columns(asked_at=asked))


def usable(row: Row) -> bool:
    return bool(row["published_at"] and row["views"])


def was_seen(other: Row, row: Row) -> bool:
    same = (other["platform"], other["video_id"]) == (row["platform"], row["video_id"])
    return same and usable(other) and other["scraped_at"] <= row["scraped_at"]


def past_of(rows: list[Row] | pl.DataFrame, history: History = "observed", embargo_days: float = 0.0) -> Past:
    given_rows = rows if isinstance(rows, pl.DataFrame) else frame(*rows)
    return Past.of(Timeline.of(given_rows, history=history, embargo_days=embargo_days))


# -- invented stores

DELAYS = (0, 0.3, 1, 1.5, 60, 3_600, 3_600.000001, 7_200, 86_400, 200_000, 7 * 86_400, 30 * 86_400)
PEOPLE = (("tiktok", "ana"), ("tiktok", "ana"), ("tiktok", "bob"), ("youtube", "ana"), ("tiktok", None))
CAPTIONS = (None, "", "why? 3 cats! #fyp", "cả nhà ơi 😂", "@bob #fyp #cats", "x" * 40)


def described(rng: random.Random) -> Row:
    """Everything known of a post before posting, any of it unknown."""
    platform, author = rng.choice(PEOPLE)
    return {
        "platform": platform,
        "author": author,
        "author_verified": rng.choice([None, False, True]),
        "description": rng.choice(CAPTIONS),
        "duration_seconds": rng.choice([None, 0.0, 12.345, 61.7]),
        "hashtags": rng.choice([None, [], ["fyp"], ["FYP", "cats", "été"]]),
        "sound_id": rng.choice([None, "1", "2"]),
        "sound_name": rng.choice([None, "la la"]),
        "sound_is_original": rng.choice([None, False, True]),
        "is_ad": rng.choice([None, False, True]),
        "is_slideshow": rng.choice([None, False]),
        "region": rng.choice([None, "US", "IN", "XX"]),
        "published_date_only": rng.choice([None, False, False, True]),
    }


def counted(rng: random.Random) -> Row:
    """Counts of an observation, any of them unknown."""
    counts = {name: rng.choice([None, rng.randrange(900)]) for name in (*COUNTS, "author_followers")}
    return {**counts, "views": rng.choice([None, 0, 1, *(rng.randrange(10**7) for _ in range(6))])}


def store(seed: int, n: int = 14) -> list[Row]:
    """Observations of some posts of few creators, with ties in every time."""
    rng, rows = random.Random(seed), []
    for number in range(n):
        posted = T0 + SECOND * rng.choice(DELAYS) + rng.randrange(3) * 10 * DAY
        content = described(rng)
        ages = rng.sample(DELAYS, rng.randrange(5))
        rows += [scrape(str(number), posted, SECOND * age, **content, **counted(rng)) for age in ages]
    return rows


@cache
def generated() -> pl.DataFrame:
    """Every scrape of 400 videos of few creators."""
    world = replace(WORLD, videos_per_creator=25, rescraped_share=0.9, oldest_hours=900)
    return generate(400, seed=11, now=T0, world=world).rows


def any_row(asked: Asking, seed: int) -> Asking | None:
    """One of the rows, alone."""
    places = range(asked.rows.height)
    return asked.only([random.Random(seed).choice(places)]) if places else None


# -- 1. what is declared


@pytest.mark.parametrize("moment", FORECASTS)
def test_every_feature_declares_name_unit_meaning_range_moment_and_needs(moment: Moment) -> None:
    order = list(Moment)
    for feature in FEATURES[moment]:
        assert feature.name.isidentifier()
        assert feature.name.islower()
        assert feature.unit.strip() == feature.unit != ""
        assert len(feature.meaning) > 5
        assert feature.low < feature.high
        assert math.isfinite(feature.low)
        assert math.isfinite(feature.high)
        assert order.index(feature.moment) <= order.index(moment)
        assert feature.needs in Needs
        assert feature.per > 0


@pytest.mark.parametrize("moment", FORECASTS)
def test_names_and_meanings_are_unique(moment: Moment) -> None:
    features = FEATURES[moment]
    assert len({feature.name for feature in features}) == len(features)
    assert len({(feature.meaning, feature.unit) for feature in features}) == len(features)


def test_draft_needs_no_observation_and_early_adds_only_features_that_say_so() -> None:
    assert {feature.moment for feature in DRAFT} == {Moment.DRAFT}
    assert {feature.needs for feature in DRAFT} == {Needs.VIDEO, Needs.HISTORY}
    assert {feature.moment for feature in FIRST_HOURS} == {Moment.EARLY}
    assert (*FIRST_HOURS, *DRAFT) == EARLY
    assert tuple(feature for group in GROUPS.values() for feature in group) == DRAFT
    assert not any(feature.changeable for feature in FIRST_HOURS)


@pytest.mark.parametrize("moment", FORECASTS)
def test_a_feature_changes_only_with_what_it_declares_to_need(moment: Moment) -> None:
    """History gone: whatever needs none of it stays. Observations changed: whatever needs none of them stays."""
    changed: set[str] = set()
    asked = asking(generated().to_dicts(), moment)
    full, none = asked.vectors(past_of(generated())), asked.vectors(past_of([]))
    needs = {feature.name: feature.needs for feature in FEATURES[moment]}
    for name, with_past, without in zip(NAMES[moment], full.T, none.T, strict=True):
        if with_past.tobytes() != without.tobytes():
            changed.add(name)
    stated = {"followers"} if moment is Moment.EARLY else set()  # stated beside the row, so rarely taken from history
    without_past = {"platform_measured", *changed, *stated}
    history = {name for name, need in needs.items() if need is Needs.HISTORY}
    assert changed <= history
    assert history - without_past <= {"seen_over_followers"}
    if asked.seen is not None:
        grown = asked.seen.with_columns(pl.col("views", *COUNTS) * 3, pl.col("scraped_at") + pl.duration(seconds=5))
        after = replace(asked, seen=grown).vectors(past_of(generated()))
        moved = {n for n, a, b in zip(NAMES[moment], full.T, after.T, strict=True) if a.tobytes() != b.tobytes()}
        assert {n for n, need in needs.items() if need is Needs.OBSERVATIONS} - moved <= {"seen_observations"}
        assert moved <= {feature.name for feature in FIRST_HOURS}


# -- 2. one row and many rows


@repeatable(30)
@given(seeds, st.sampled_from(FORECASTS), st.sampled_from(MODES))
def test_rows_together_and_each_row_alone_have_the_same_bits(seed: int, moment: Moment, history: History) -> None:
    rows = store(seed)
    asked, past = asking(rows, moment), past_of(rows, history)
    together = asked.vectors(past)
    for place, vector in enumerate(together):
        assert asked.only([place]).vectors(past)[0].tobytes() == vector.tobytes()


@pytest.mark.parametrize("moment", FORECASTS)
def test_rows_in_another_order_and_in_batches_of_any_size_have_the_same_bits(moment: Moment) -> None:
    asked, past = asking(generated().to_dicts(), moment), past_of(generated())
    together, rng = asked.vectors(past), random.Random(5)
    order = rng.sample(range(len(together)), len(together))
    assert asked.only(order).vectors(past).tobytes() == together[order].tobytes()
    for size in (*(1,) * 100, 2, 3, 4, 7, 8, 9, 16, 31, 64, 65):
        some = rng.sample(range(len(together)), size)
        assert asked.only(some).vectors(past).tobytes() == together[some].tobytes()


def test_at_every_minute_of_the_day_the_hour_of_one_row_has_the_bits_of_many() -> None:
    """Polars divides a single row otherwise than many, and only some quotients tell."""
    hour = [feature for feature in DRAFT if feature.name == "hour"]
    rows = frame(*(scrape(str(minute), T0 + minute * timedelta(minutes=1)) for minute in range(1_440)))
    alone = [matrix(rows[minute], hour)[0, 0] for minute in range(rows.height)]
    assert matrix(rows, hour)[:, 0].tolist() == alone
    assert sorted(alone) == pytest.approx([minute / 60 for minute in range(1_440)])


# -- 3. as of any past instant


@repeatable(50)
@given(seeds, st.sampled_from(FORECASTS))
def test_a_row_is_described_later_as_it_was_when_nothing_later_was_known(seed: int, moment: Moment) -> None:
    rows = store(seed)
    one = any_row(asking(rows, moment), seed)
    if one is not None:
        instant = one.rows["asked_at"][0]
        then = [row for row in rows if row["scraped_at"] < instant]
        assert one.vectors(past_of(rows)).tobytes() == one.vectors(past_of(then)).tobytes()


@repeatable(50)
@given(seeds, st.sampled_from([0, 1, 10**6, -1]))
def test_posts_to_come_asked_at_any_instant_see_only_what_was_known_before_it(seed: int, micros: int) -> None:
    rows = store(seed)
    if rows:
        instant = random.Random(seed).choice(rows)["scraped_at"] + timedelta(microseconds=micros)
        asked = at_once(rows, instant)
        then = [row for row in rows if row["scraped_at"] < instant]
        assert asked.vectors(past_of(rows)).tobytes() == asked.vectors(past_of(then)).tobytes()


@pytest.mark.parametrize("moment", FORECASTS)
def test_generated_videos_are_described_as_they_were_at_the_time(moment: Moment) -> None:
    rows = generated()
    asked = asking(rows.to_dicts(), moment)
    full, rng = asked.vectors(past_of(rows)), random.Random(6)
    assert np.isfinite(full).mean() > 0.8
    for place in rng.sample(range(len(full)), 25):
        one = asked.only([place])
        then = rows.filter(pl.col("scraped_at") < one.rows["asked_at"][0])
        assert one.vectors(past_of(then))[0].tobytes() == full[place].tobytes()


def test_a_creator_with_more_posts_than_are_kept_is_described_as_at_the_time() -> None:
    """Half of the posts were first measured long after: they must not push out those that were known."""
    rng = random.Random(7)
    ages = (HOUR / 2, 100 * DAY)
    rows = [scrape(str(i), T0 + i * HOUR, rng.choice(ages), views=rng.randrange(1, 10**6)) for i in range(3 * LATEST)]
    instant = T0 + 3 * LATEST * HOUR
    asked, then = at_once([scrape("new")], instant), [row for row in rows if row["scraped_at"] < instant]
    assert LATEST < len(then) < 2 * LATEST
    assert asked.vectors(past_of(rows)).tobytes() == asked.vectors(past_of(then)).tobytes()
    assert asked.named(past_of(rows))["creator_posts"] == pytest.approx(math.log(LATEST + 1))


# -- 4. nothing later reaches a feature


def disturbed(
    rows: list[Row], may_change: Callable[[Row], bool], fresh: Callable[[random.Random], Row], seed: int
) -> Any:
    """Everything that may change is changed or deleted, and as much is added."""
    rng = random.Random(seed + 1)
    kept = [row for row in rows if not may_change(row) or rng.random() < 0.7]
    edits = ("description", "hashtags", "sound_id", "author_verified", "region", "duration_seconds", "is_ad")
    changed = [
        row
        if not may_change(row)
        else {**row, **{k: v for k, v in described(rng).items() if k in edits}, **counted(rng)}
        for row in kept
    ]
    taken = {(row["platform"], row["video_id"], row["scraped_at"]) for row in changed}
    added = {(row["platform"], row["video_id"], row["scraped_at"]): row for row in (fresh(rng) for _ in range(8))}
    return [*changed, *(row for key, row in added.items() if key not in taken)]


def scraped_later(rows: list[Row], instant: datetime) -> Callable[[random.Random], Row]:
    """Makes observations at or after the instant, of stored posts and of posts that nobody had seen before."""

    def fresh(rng: random.Random) -> Row:
        at = {"scraped_at": instant + SECOND * rng.choice([0, *DELAYS])}
        if rows and rng.random() < 0.6:
            return {**rng.choice(rows), **counted(rng), **at}
        posted = instant + SECOND * rng.choice((-1, 1)) * rng.choice(DELAYS)
        at["scraped_at"] = max(at["scraped_at"], posted)
        return {**scrape(f"new{rng.randrange(4)}", posted), **described(rng), **counted(rng), **at}

    return fresh


def posted_later(instant: datetime) -> Callable[[random.Random], Row]:
    """Makes observations of posts that went up at or after the instant."""

    def fresh(rng: random.Random) -> Row:
        number = rng.randrange(4)
        posted = instant + SECOND * DELAYS[number]
        return scrape(f"new{number}", posted, SECOND * rng.choice(DELAYS), **described(rng), **counted(rng))

    return fresh


@repeatable(80)
@given(seeds, st.sampled_from(FORECASTS))
def test_no_observation_at_or_after_the_instant_changes_a_feature(seed: int, moment: Moment) -> None:
    rows = store(seed)
    one = any_row(asking(rows, moment), seed)
    if one is not None:
        instant = one.rows["asked_at"][0]
        other = disturbed(rows, lambda row: row["scraped_at"] >= instant, scraped_later(rows, instant), seed)
        assert one.vectors(past_of(rows)).tobytes() == one.vectors(past_of(other)).tobytes()


@repeatable(80)
@given(seeds)
def test_no_later_observation_changes_a_post_to_come(seed: int) -> None:
    rows = store(seed)
    if rows:
        instant = random.Random(seed).choice(rows)["scraped_at"]
        asked = at_once(rows, instant)
        other = disturbed(rows, lambda row: row["scraped_at"] >= instant, scraped_later(rows, instant), seed)
        assert asked.vectors(past_of(rows)).tobytes() == asked.vectors(past_of(other)).tobytes()


@repeatable(80)
@given(seeds, st.sampled_from(FORECASTS))
def test_as_scraped_no_count_of_the_post_itself_or_of_a_later_one_changes_a_feature(seed: int, moment: Moment) -> None:
    """Of early rows everything but what they have seen."""
    rows = store(seed)
    one = any_row(asking(rows, moment), seed)
    if one is not None:
        instant = one.rows["asked_at"][0]
        other = disturbed(rows, lambda row: row["published_at"] >= instant, posted_later(instant), seed)
        own = {name: pl.lit(value, dtype=pl.Int64) for name, value in counted(random.Random(seed)).items()}
        del own["author_followers"]
        changed = replace(one, rows=one.rows.with_columns(**own))
        before, after = past_of(rows, "as_scraped"), past_of(other, "as_scraped")
        assert one.vectors(before).tobytes() == changed.vectors(after).tobytes()


def test_what_was_known_just_before_the_instant_does_change_features() -> None:
    """Or the tests above would hold of features that look at nothing."""
    rows = [row for row in generated().to_dicts() if row["platform"] == "tiktok"]
    instant = T0 - 2 * DAY
    asked = at_once(rows[:60], instant)
    known = [row["scraped_at"] < instant for row in rows]
    other = [{**row, "views": row["views"] * 3 + 1} if old else row for row, old in zip(rows, known, strict=True)]
    before, after = asked.vectors(past_of(rows)), asked.vectors(past_of(other))
    moved = {n for n, a, b in zip(NAMES[Moment.DRAFT], before.T, after.T, strict=True) if a.tobytes() != b.tobytes()}
    of_views = {"creator_mean", "creator_last", "creator_recent", "creator_over_followers", "creator_likes_rate",
                "hashtag_lift", "sound_lift", "platform_week", "platform_month"}  # fmt: skip
    assert of_views <= moved


# -- 5. serving is training


PLAN = ForecastPlan(
    history="observed", embargo_days=0, history_videos=10_000, label_at="last", horizon_days=7, maturity_days=0.5,
    max_age_days=None, min_days_after=0, known_at="as_scraped", early_max_age_hours=72, early_rows="each",
    relative_to=RelativeTo.ALL, min_cohort=200, min_posts=3,
)  # fmt: skip


def serving(moment: Moment, plan: ForecastPlan, videos: SqlVideoHistory) -> Serving:
    """A champion of that plan, as far as its features go."""
    none = RowSet(0, "")
    manifest = Manifest(
        moment=moment, label="views", model="", features=(), feature_schema="", tier_edges=None, tiers=None, marks=(),
        log_views_range=None, newest_training_video_at=None, calibration=None, confidence_threshold=None,
        training=none, test=none, metrics={}, libraries={}, files={},
        settings={name: getattr(plan, name) for name in ("history", "embargo_days", "history_videos")},
    )  # fmt: skip
    predictor = Predictor("", moment, None, {}, 0.0, None)  # type: ignore[arg-type]  # no model is asked
    return Serving(Release.stage(manifest, {}), predictor, (), lambda: videos)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlVideoHistory]:
    """The generated videos, stored in SQLite."""
    path: Path = tmp_path_factory.mktemp("home") / "tiercast.db"
    engine = open_sqlite(path)
    rows = generated().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    SqlVideoStore(engine, "the database", load=insert_rows).add(rows, changes_only=False)
    yield SqlVideoHistory(engine, "the database")
    engine.dispose()


@pytest.mark.parametrize("embargo_days", [0.0, 2.5])
@pytest.mark.parametrize("history", MODES)
@pytest.mark.parametrize("moment", FORECASTS)
def test_what_a_served_video_shows_is_what_training_saw(
    videos: SqlVideoHistory, moment: Moment, history: History, embargo_days: float
) -> None:
    plan = replace(PLAN, history=history, embargo_days=embargo_days)
    stored = videos.recent(limit=None)
    trained = assemble(stored, moment, plan, max_videos=10_000, build=Build(min_videos=10, test_share=0.2))
    assert trained.training_set is not None
    assert trained.rows is not None
    X, champion = trained.training_set.inputs.X, serving(moment, plan, videos)
    places = random.Random(8).sample(range(len(X)), 20)
    for place in places:
        row = trained.rows[place]
        own = stored.join(row, on=["platform", "video_id"], how="semi")
        if moment is Moment.EARLY:
            own = own.filter(pl.col("scraped_at") <= row["scraped_at"][0])
        request = Request(own, T0 + 30 * DAY, plan.early_max_age_hours)
        asked = ask(usable_rows(request, moment), champion, request)
        assert asked.inputs.X[0].tobytes() == X[place].tobytes()


def test_videos_served_together_show_what_training_saw(videos: SqlVideoHistory) -> None:
    stored = videos.recent(limit=None)
    trained = assemble(stored, Moment.DRAFT, PLAN, max_videos=10_000, build=Build(min_videos=10, test_share=0.2))
    assert trained.training_set is not None
    assert trained.rows is not None
    request = Request(stored, T0 + 30 * DAY, 72)
    served = usable_rows(request, Moment.DRAFT)
    X = ask(served, serving(Moment.DRAFT, PLAN, videos), request).inputs.X
    key = ["platform", "video_id"]
    places = trained.rows.select(key).join(served.select(key).with_row_index("place"), on=key, maintain_order="left")
    assert X[places["place"].to_numpy()].tobytes() == trained.training_set.inputs.X.tobytes()


# -- 6. ranges


ABSURD = (None, 0, 1, 2, 10**12 - 1)


def absurd(rng: random.Random, number: int) -> Row:
    posted = T0 + SECOND * rng.choice([0, 0, 1, -3 * 10**8, 10**8])
    text = rng.choice([None, "", "?!" * 9_000, "9 " * 9_000, "😂@" * 9_000, "é", " \n\t "])
    counts = {name: rng.choice(ABSURD) for name in ("views", *COUNTS, "author_followers")}
    content = {
        **described(rng),
        "description": text,
        "duration_seconds": rng.choice([None, 0.0, 1e-300, 86_400.0, 1e300]),
        "hashtags": rng.choice([None, [], [f"t{i}" for i in range(500)]]),
        "published_date_only": rng.choice([None, True]),
    }
    return scrape(str(number % 40), posted, SECOND * rng.choice([0, 1e-6, 10**8, 2 * 10**9]), **content, **counts)


@repeatable(30)
@given(seeds, st.sampled_from(FORECASTS), st.sampled_from(MODES))
def test_whatever_comes_in_a_feature_lies_within_its_range_or_is_nan(
    seed: int, moment: Moment, history: History
) -> None:
    rng = random.Random(seed)
    rows = [absurd(rng, number) for number in range(60)]
    unique = {(row["platform"], row["video_id"]): row["published_at"] for row in rows}
    rows = [{**row, "published_at": unique[row["platform"], row["video_id"]]} for row in rows]
    rows = list({(row["platform"], row["video_id"], row["scraped_at"]): row for row in rows}.values())
    asked = asking(rows, Moment.DRAFT)
    if moment is Moment.EARLY:
        seen = [row for row in rows if usable(row)]
        asked = Asking(moment, frame(*seen).with_columns(asked_at="published_at"),
                       frame(*seen).with_row_index("row"))  # fmt: skip
    X = asked.vectors(past_of(rows, history))
    for feature, values in zip(FEATURES[moment], X.T, strict=True):
        known = values[~np.isnan(values)]
        assert ((known >= feature.low) & (known <= feature.high)).all(), feature.name


# -- 7. each by hand

MONDAY_EVENING = datetime(2026, 3, 2, 23, 40, tzinfo=UTC)
CAPTION = "Why do 3 cats dance?! 😂❤ @bob #fyp #cats"
DRAFTED: Row = {
    "platform": "tiktok",
    "author": "ana",
    "author_verified": True,
    "description": CAPTION,
    "duration_seconds": 45.0,
    "hashtags": ["fyp", "Cats"],
    "sound_id": "7",
    "sound_is_original": False,
    "is_ad": False,
    "is_slideshow": False,
    "published_at": MONDAY_EVENING,
    "region": "VN",
    "views": None,
    "scraped_at": None,
}


def ago(video_id: str, days: float, *, age: timedelta = 5 * HOUR, **changes: Any) -> Row:
    return scrape(video_id, MONDAY_EVENING - days * DAY, age, **changes)


EARLIER = [
    ago("1", 40, views=999, likes=99, comments=9, hashtags=["cats"], duration_seconds=20.0, author_followers=500),
    ago("2", 5, views=99, likes=9, shares=0, saves=9, hashtags=["fyp", "CATS"], sound_id="7", author_followers=999),
    ago("3", 3, views=9_999, sound_id="7", sound_is_original=True, duration_seconds=30.0),
    ago("4", 20, views=99_999, author="bob", hashtags=["fyp"], sound_id="7", author_followers=5),
    ago("5", 1, views=9, author=None, age=HOUR / 2),
    ago("6", 2, views=10**6, platform="youtube", hashtags=["fyp", "cats"], sound_id="7"),
    ago("7", 0.1, views=10**6, hashtags=["fyp", "cats"], sound_id="7", author_followers=77),  # measured later
]


def units(count: float) -> float:
    """ln(count + 1) in the ten-thousandths in which log views are kept."""
    return round(math.log1p(count) * 10_000) / 10_000


L10, L100, L1K, L10K, L100K = (units(10**power - 1) for power in range(1, 6))
LEVEL = (L1K + L100 + L10K + L100K + L10) / 5
WEIGHTS = [4 ** (-1 / 3), 2 ** (-1 / 3), 1]
MONTH_WEIGHTS = [math.exp(-days / 30) for days in (40, 5, 3)]
RECENT = sum(w * v for w, v in zip(WEIGHTS, (L1K, L100, L10K), strict=True)) / sum(WEIGHTS)
RECENT_MONTH = sum(w * v for w, v in zip(MONTH_WEIGHTS, (L1K, L100, L10K), strict=True)) / sum(MONTH_WEIGHTS)
MEAN = (L1K + L100 + L10K) / 3


def lift(total: float, uses: int) -> float:
    return (total + 5 * LEVEL) / (uses + 5) - LEVEL


FYP, CATS = lift(L100 + L100K, 2), lift(L1K + L100, 2)
BY_HAND = {
    "duration": math.log(46), "caption_length": 40, "caption_words": 9, "caption_questions": 1,
    "caption_exclamations": 1, "caption_numbers": 1, "caption_emoji": 2, "caption_mentions": 1,
    "caption_not_ascii": 2 / 40, "hashtag_count": 2, "hour": 6 + 40 / 60, "weekday": 2, "sound_is_own": 0,
    "is_slideshow": 0, "is_ad": 0, "verified": 1,
    "followers": math.log(1_000), "creator_posts": math.log(4), "creator_mean": MEAN, "creator_median": L1K,
    "creator_spread": math.sqrt(sum((v - MEAN) ** 2 for v in (L1K, L100, L10K)) / 2),
    "creator_best": L10K, "creator_worst": L100, "creator_lower_quartile": L100, "creator_upper_quartile": L1K,
    "creator_last": L10K, "creator_before_last": L100, "creator_last3": MEAN, "creator_last5": MEAN,
    "creator_recent": RECENT, "creator_recent_month": RECENT_MONTH, "creator_trend": 0,
    "creator_over_followers": L1K - math.log(1_000), "creator_hits": 1 / 3, "creator_posts_week": 2,
    "creator_posts_month": 2, "days_since_post": math.log(4), "days_between_posts": math.log(3),
    "creator_likes_rate": (L100 - L1K + L10 - L100) / 2, "creator_comments_rate": L10 - L1K,
    "creator_shares_rate": -L100, "creator_saves_rate": L10 - L100,
    "duration_over_usual": math.log(46) - (units(20) + units(30)) / 2,
    "hashtag_uses": math.log(3), "hashtag_fewest_uses": math.log(3), "hashtag_lift": (FYP + CATS) / 2,
    "hashtag_best_lift": max(FYP, CATS), "sound_uses": math.log(3), "sound_lift": lift(L100 + L100K, 2),
    "platform_week": (L100 + L10K + L10) / 3, "platform_month": (L100 + L10K + L100K + L10) / 4,
    "platform_measured": math.log(4),
}  # fmt: skip
SEEN_BY_HAND = {
    "seen_views": L10K, "seen_age": math.log(6), "seen_speed": L10K - math.log(6), "seen_likes_rate": L1K - L10K,
    "seen_comments_rate": L10 - L10K, "seen_shares_rate": -L10K, "seen_saves_rate": L100 - L10K,
    "seen_observations": 3, "seen_growth": L10K - L100, "seen_acceleration": (L10K - L1K) / math.log(2),
    "seen_over_creator": L10K - RECENT, "seen_over_creator_at_age": L10K - MEAN,
    "seen_over_platform_at_age": L10K - (L1K + L100 + L10K + L100K) / 4,
    "seen_over_followers": L10K - math.log(2_000),
}  # fmt: skip


def drafted(**changes: Any) -> dict[str, float]:
    row = {**dict.fromkeys(SCHEMA), "video_id": "new", **DRAFTED, **changes}
    rows = frame(row).with_columns(asked_at=pl.lit(MONDAY_EVENING).cast(pl.Datetime("us", "UTC")))
    return Asking(Moment.DRAFT, rows).named(past_of(EARLIER))


THREE_HOURS: tuple[Row, ...] = (
    {"views": 99, "likes": 9, "scraped_at": MONDAY_EVENING + HOUR},
    {"views": 999, "scraped_at": MONDAY_EVENING + 3 * HOUR},
    {"views": 9_999, "likes": 999, "comments": 9, "shares": 0, "saves": 99, "scraped_at": MONDAY_EVENING + 6 * HOUR},
)


def seen_early(*observations: Row, **changes: Any) -> dict[str, float]:
    row = {**dict.fromkeys(SCHEMA), "video_id": "new", **DRAFTED, "author_followers": 1_999, **changes}
    seen = frame(*({**row, **observation} for observation in observations)).with_columns(row=pl.lit(0))
    rows = frame(row).with_columns(asked_at="published_at")
    return Asking(Moment.EARLY, rows, seen).named(past_of(EARLIER))


def test_a_fully_known_draft_has_these_features() -> None:
    assert drafted() == pytest.approx(BY_HAND, rel=1e-6, abs=1.1e-4)
    assert list(drafted()) == list(BY_HAND)


def test_a_fully_known_post_with_three_observations_has_these_features_and_those_of_its_draft() -> None:
    found = seen_early(*THREE_HOURS)
    stated = {"followers": math.log(2_000), "creator_over_followers": L1K - math.log(2_000)}
    assert found == pytest.approx({**SEEN_BY_HAND, **BY_HAND, **stated}, rel=1e-6, abs=1.1e-4)
    assert list(found) == [*SEEN_BY_HAND, *BY_HAND]
    assert seen_early(*THREE_HOURS[::-1]) == found


def test_of_seven_posts_the_last_three_and_the_last_five_are_their_own() -> None:
    rows = [ago(str(number), 30 - number, views=10**power - 1) for number, power in enumerate((5, 1, 4, 1, 5, 3, 1))]
    row = frame({**dict.fromkeys(SCHEMA), "video_id": "new", **DRAFTED}).with_columns(asked_at="published_at")
    found = Asking(Moment.DRAFT, row).named(past_of(rows))
    last3, last5 = (L100K + L1K + L10) / 3, (L10K + L10 + L100K + L1K + L10) / 5
    assert (found["creator_last3"], found["creator_last5"]) == (pytest.approx(last3), pytest.approx(last5))
    mean = (2 * L100K + 3 * L10 + L10K + L1K) / 7
    assert (found["creator_mean"], found["creator_trend"]) == (pytest.approx(mean), pytest.approx(last3 - mean))
    assert (found["creator_median"], found["creator_last"], found["creator_before_last"]) == (L1K, L10, L1K)
    assert (found["creator_lower_quartile"], found["creator_upper_quartile"]) == (L10, L10K)


def test_with_one_observation_growth_and_acceleration_are_unknown() -> None:
    found = seen_early({**THREE_HOURS[0], "scraped_at": MONDAY_EVENING + 6 * HOUR})
    unknown = {name for name in SEEN_BY_HAND if math.isnan(found[name])}
    assert unknown == {"seen_comments_rate", "seen_shares_rate", "seen_saves_rate", "seen_growth", "seen_acceleration"}
    assert found["seen_observations"] == 1


def test_two_observations_of_the_same_second_have_no_acceleration() -> None:
    found = seen_early(THREE_HOURS[0], {"views": 999, "scraped_at": MONDAY_EVENING + HOUR - 0.5 * SECOND})
    assert math.isnan(found["seen_acceleration"])
    assert found["seen_growth"] == 0  # views never fall: what is below the first is a fault of the scraper


def test_an_observation_at_the_posting_time_counts_as_a_minute_old() -> None:
    found = seen_early({"views": 99, "scraped_at": MONDAY_EVENING})
    assert found["seen_age"] == pytest.approx(math.log(1 / 60))
    assert found["seen_speed"] == pytest.approx(L100 + math.log(60))


def test_an_early_row_without_an_observation_is_refused() -> None:
    with pytest.raises(ValueError, match="1 rows have no early observation"):
        seen_early()
    with pytest.raises(ValueError, match="needs the observations"):
        asking([], Moment.DRAFT).__class__(Moment.EARLY, asking([], Moment.DRAFT).rows).vectors(past_of([]))


CAPTION_FEATURES = {name for name in BY_HAND if name.startswith("caption")}
HASHTAG_FEATURES = {"hashtag_uses", "hashtag_fewest_uses", "hashtag_lift", "hashtag_best_lift"}
OF_CREATOR = {feature.name for feature in GROUPS["the creator and earlier posts"]}


@pytest.mark.parametrize(
    ("unknown", "features"),
    [
        ({"description": None}, CAPTION_FEATURES),
        ({"hashtags": None}, {"hashtag_count", *HASHTAG_FEATURES}),
        ({"sound_id": None, "sound_is_original": None}, {"sound_is_own", "sound_uses", "sound_lift"}),
        ({"sound_is_original": None}, set()),
        ({"duration_seconds": None}, {"duration", "duration_over_usual"}),
        ({"published_at": None}, {"hour", "weekday"}),
        ({"published_date_only": True}, {"hour"}),
        ({"region": None}, set()),
        ({"is_ad": None}, {"is_ad"}),
        ({"is_slideshow": None}, {"is_slideshow"}),
        ({"author_verified": None}, {"verified"}),
        ({"author": None}, OF_CREATOR),
        ({"author": "new"}, OF_CREATOR - {"creator_posts"}),
        ({"author": None, "author_followers": 9}, OF_CREATOR - {"followers"}),
        ({"platform": "nowhere"}, {name for name, need in ((f.name, f.needs) for f in DRAFT) if need is Needs.HISTORY}
         - {"creator_posts", "platform_measured", "hashtag_uses", "hashtag_fewest_uses", "sound_uses"}),
    ],
)  # fmt: skip
def test_what_is_unknown_leaves_exactly_what_rests_on_it_unknown(unknown: Row, features: set[str]) -> None:
    assert {name for name, value in drafted(**unknown).items() if math.isnan(value)} == features


def test_of_a_row_of_which_nothing_is_known_nothing_is_zero_but_what_was_counted() -> None:
    row = frame({**dict.fromkeys(SCHEMA), "platform": "tiktok", "video_id": "1"}).with_columns(asked_at="scraped_at")
    found = Asking(Moment.DRAFT, row).named(past_of(EARLIER))
    assert {name: value for name, value in found.items() if not math.isnan(value)} == {"platform_measured": 0}


def test_an_empty_caption_and_an_empty_list_of_hashtags_are_known_to_be_empty() -> None:
    found = drafted(description="", hashtags=[])
    assert {name: found[name] for name in CAPTION_FEATURES - {"caption_not_ascii"}} == dict.fromkeys(
        CAPTION_FEATURES - {"caption_not_ascii"}, 0
    )
    assert math.isnan(found["caption_not_ascii"])  # a share of nothing
    assert found["hashtag_count"] == 0
    assert all(math.isnan(found[name]) for name in HASHTAG_FEATURES)


@pytest.mark.parametrize(
    ("region", "at", "hour", "weekday"),
    [
        ("VN", MONDAY_EVENING, 6 + 40 / 60, 2),
        ("US", MONDAY_EVENING, 18 + 40 / 60, 1),
        ("IN", MONDAY_EVENING, 5 + 10 / 60, 2),
        ("NP", MONDAY_EVENING, 5 + 25 / 60, 2),
        ("GB", MONDAY_EVENING, 23 + 40 / 60, 1),
        ("XX", MONDAY_EVENING, 23 + 40 / 60, 1),
        (None, MONDAY_EVENING, 23 + 40 / 60, 1),
        ("US", datetime(2026, 3, 2, 4, 59, 59, tzinfo=UTC), 23 + 59 / 60, 7),
    ],
)
def test_the_hour_and_the_weekday_are_those_of_the_regions_clock(
    region: str | None, at: datetime, hour: float, weekday: float
) -> None:
    found = drafted(region=region, published_at=at)
    assert (found["hour"], found["weekday"]) == (pytest.approx(hour), weekday)


@pytest.mark.parametrize("region", [None, "US", "NZ"])
def test_a_known_day_without_an_hour_is_that_day_on_every_clock(region: str | None) -> None:
    found = drafted(region=region, published_at=datetime(2026, 3, 2, tzinfo=UTC), published_date_only=True)
    assert found["weekday"] == 1
    assert math.isnan(found["hour"])


@pytest.mark.parametrize(
    ("caption", "name", "value"),
    [
        ("ما هذا؟ 什么？ what?", "caption_questions", 3),
        ("oh! 哦！", "caption_exclamations", 2),
        ("12 of 2026, 3rd", "caption_numbers", 3),
        ("😂😂 ☀ ✂", "caption_emoji", 4),
        ("日本 é", "caption_emoji", 0),
        ("  two\nwords ", "caption_words", 2),
        ("@a @b", "caption_mentions", 2),
        ("日本ab", "caption_not_ascii", 0.5),
        ("né🎉", "caption_length", 3),
    ],
)
def test_a_caption_is_counted_in_characters_of_any_script(caption: str, name: str, value: float) -> None:
    assert drafted(description=caption)[name] == value


@pytest.mark.parametrize(("sound", "own"), [({"sound_is_original": True}, 1), ({"sound_is_original": None}, 0)])
def test_a_sound_is_the_creators_own_only_where_that_was_said(sound: Row, own: float) -> None:
    found = drafted(**sound)
    assert found["sound_is_own"] == own
    assert math.isnan(found["sound_uses"]) == bool(own)


def test_stated_followers_go_before_those_of_history() -> None:
    assert drafted(author_followers=0)["followers"] == 0
    assert drafted(author_followers=0)["creator_over_followers"] == pytest.approx(L1K)
    assert drafted(author_followers=None)["followers"] == pytest.approx(math.log(1_000))


# -- 8. embargo


BY_WHEN_IT_BECAME_KNOWN = ("platform_week", "platform_month", "platform_measured", "followers",
                           "creator_over_followers", "seen_over_followers")  # fmt: skip
"""What an embargo shifts in time rather than hides: windows of the measurements last known, and followers."""


def out_for(row: Row, days: float) -> datetime:
    """The whole second at which a post is that old for sure: with only its day known, counted from the day's end."""
    up = -((datetime(1970, 1, 1, tzinfo=UTC) - row["published_at"]) // SECOND)
    return datetime.fromtimestamp(up, tz=UTC) + (days + bool(row["published_date_only"])) * DAY


@repeatable(50)
@given(seeds, st.sampled_from(FORECASTS), st.sampled_from(MODES), st.sampled_from([0.5, 3.0, 10.0]))
def test_under_an_embargo_no_observation_of_a_younger_post_changes_a_feature(
    seed: int, moment: Moment, history: History, days: float
) -> None:
    rows = store(seed)
    one = any_row(asking(rows, moment), seed)
    if one is not None:
        instant = one.rows["asked_at"][0].replace(microsecond=0)
        young = lambda row: out_for(row, days) >= instant  # noqa: E731
        other = disturbed(rows, young, posted_later(instant - days * DAY), seed)
        embargoed = one.vectors(past_of(rows, history, days))
        assert embargoed.tobytes() == one.vectors(past_of(other, history, days)).tobytes()


@repeatable(50)
@given(seeds, st.sampled_from(FORECASTS), st.sampled_from(MODES), st.sampled_from([0.5, 3.0, 10.0]))
def test_under_an_embargo_older_posts_count_as_without_one(
    seed: int, moment: Moment, history: History, days: float
) -> None:
    rows = store(seed)
    one = any_row(asking(rows, moment), seed)
    if one is not None:
        instant = one.rows["asked_at"][0].replace(microsecond=0)
        old = [row for row in rows if out_for(row, days) < instant]
        kept = [name not in BY_WHEN_IT_BECAME_KNOWN for name in NAMES[moment]]
        embargoed = one.vectors(past_of(rows, history, days))
        assert embargoed[:, kept].tobytes() == one.vectors(past_of(old, history))[:, kept].tobytes()


# -- 9. form


@pytest.mark.parametrize(("moment", "n"), [(Moment.DRAFT, 52), (Moment.EARLY, 66)])
def test_vectors_have_a_column_a_feature_in_the_declared_order(moment: Moment, n: int) -> None:
    features: tuple[Feature, ...] = FEATURES[moment]
    assert len(features) == n
    for rows in (store(1), []):
        asked = asking(rows, moment)
        X = asked.vectors(past_of(rows))
        assert X.shape == (asked.rows.height, n)
        assert X.dtype == np.float64
        assert X.flags.c_contiguous
    assert asking([], moment).vectors(past_of(store(1))).shape == (0, n)


def test_what_else_is_told_of_a_row_is_what_its_features_rest_on() -> None:
    row = frame({**dict.fromkeys(SCHEMA), "video_id": "new", **DRAFTED}).with_columns(asked_at="published_at")
    told = describe(row, past_of(EARLIER), Moment.DRAFT)
    assert told.start.tolist() == [0]
    assert told.usual.tolist() == pytest.approx([RECENT])
    assert (told.posts.tolist(), told.followers.tolist()) == ([3], [999])
    assert told.unknown.tobytes() == np.isnan(told.X).tobytes()
    seen = frame({**row.to_dicts()[0], "views": 99, "scraped_at": T0 + 9 * DAY}).with_columns(row=pl.lit(0))
    assert describe(row, past_of(EARLIER), Moment.EARLY, seen=seen).start.tolist() == [L100]
