"""Training sets of forecasts: who learns, who tests, what each row may know, and what the release says of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from cli.program import NOW, write_rows
from flows.conftest import Open, put
from flows.forecasts import SCRAPED_ONCE, SMALL, YOUNG, elsewhere, serve, videos
from tiercast.adapters.files import open_file
from tiercast.cli.retrain import forecast_plan, order_of, world_of
from tiercast.core.findings import Outcome
from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.flows.asked import Request, usable_rows
from tiercast.flows.champions import Roster, Serving
from tiercast.flows.forecast_rows import ForecastPlan, scraped_once
from tiercast.flows.forecast_set import Assembly, Build, assemble
from tiercast.flows.ingest import IngestOptions, ingest_file
from tiercast.flows.predict import predict
from tiercast.flows.publish import Won
from tiercast.flows.retrain import retrain
from tiercast.learn.metrics import evaluate
from tiercast.render.output import Silence
from tiercast.settings import Settings
from tiercast.train_settings import Retrain, Tiers
from tiercast.wiring import Wiring

PLAN = forecast_plan(Settings(home=Path()))
KEY = ("platform", "video_id", "scraped_at")
FORECASTS = (Moment.DRAFT, Moment.EARLY)


def assembled(
    rows: pl.DataFrame, moment: Moment = Moment.DRAFT, *, plan: ForecastPlan = PLAN, max_videos: int = 10_000
) -> Assembly:
    return assemble(rows, moment, plan, max_videos=max_videos, build=Build(min_videos=100, test_share=0.2))


def side(assembly: Assembly, name: str) -> pl.DataFrame:
    assert assembly.rows is not None
    return assembly.rows.filter(side=name)


# -- labels and sides


@pytest.mark.parametrize("moment", FORECASTS)
def test_strictly_no_label_in_training_was_observed_after_the_test_begins(moment: Moment) -> None:
    found = assembled(videos(600), moment, plan=replace(PLAN, known_at="strict"))
    assert found.split is not None
    begins_at = side(found, "test")["published_at"].min()
    training = side(found, "training")
    assert training.height == found.split.left_strict > 200
    assert training.filter(pl.col("label_at") > begins_at).is_empty()
    assert training.filter(pl.col("published_at") >= begins_at).is_empty()
    assert found.marks == ()


def test_as_scraped_a_label_counts_as_known_a_horizon_after_posting_and_the_release_says_so() -> None:
    found = assembled(videos(600), plan=replace(PLAN, known_at="as_scraped"))
    assert found.split is not None
    begins_at = side(found, "test")["published_at"].min()
    training = side(found, "training")
    assert training.filter(pl.col("published_at") + timedelta(days=7) > begins_at).is_empty()
    assert not training.filter(pl.col("label_at") > begins_at).is_empty()
    assert found.split.left_strict < training.height == found.split.left_as_scraped
    assert found.marks == ("labels as scraped",)


def test_the_rows_that_neither_train_nor_test_are_the_labelled_ones_that_are_left() -> None:
    found = assembled(videos(600))
    assert found.split is not None
    assert found.training_set is not None
    taken = found.split.is_training | found.split.is_test
    assert len(taken) == found.labelled == sum(found.how.values()) < found.candidates == 600
    assert found.training_set.n_videos == taken.sum() < found.labelled
    assert found.split.is_test.sum() == round(0.2 * found.labelled)


def test_no_early_observation_is_used_at_or_after_its_label() -> None:
    found = assembled(videos(600), Moment.EARLY)
    assert found.rows is not None
    age = found.rows["scraped_at"] - found.rows["published_at"]
    assert found.rows.filter(pl.col("scraped_at") >= pl.col("label_at")).is_empty()
    assert age.max() <= timedelta(hours=72)  # type: ignore[operator]
    assert age.min() > timedelta()  # type: ignore[operator]


def test_the_first_early_observation_alone_gives_one_row_a_video() -> None:
    rows = videos(600)
    each, first = (
        assembled(rows, Moment.EARLY, plan=replace(PLAN, early_rows=which))  # type: ignore[arg-type]
        for which in ("each", "first")
    )
    assert first.rows is not None
    assert not first.rows.select(pl.struct("platform", "video_id").is_duplicated().any()).item()
    assert each.candidates > first.candidates == rows.select(pl.struct("platform", "video_id").n_unique()).item()


def test_the_newest_labelled_videos_are_taken() -> None:
    found, all_of_them = assembled(videos(600), max_videos=300), assembled(videos(600))
    assert (found.labelled, found.candidates) == (300, 600)
    assert side(found, "test")["published_at"].max() == side(all_of_them, "test")["published_at"].max()
    assert side(found, "training")["published_at"].min() > side(all_of_them, "training")["published_at"].min()  # type: ignore[operator]


# -- what a row may know


@pytest.mark.parametrize("moment", FORECASTS)
def test_what_was_measured_later_changes_nothing_that_earlier_rows_know(moment: Moment) -> None:
    """The store as it stood at some instant: rows that asked before it have the same vectors, bit by bit."""
    rows, plan = videos(600), replace(PLAN, known_at="as_scraped")
    instant = rows["published_at"].sort()[rows.height // 2]
    whole, then = assembled(rows, moment, plan=plan), assembled(rows.filter(pl.col("scraped_at") < instant), moment)
    vectors = [_vectors(found) for found in (whole, then)]
    asked_before = {
        key
        for key in vectors[0].keys() & vectors[1].keys()
        if key[2] < instant  # an early row asks when it was seen
    }
    assert len(asked_before) > 100
    for key in asked_before:
        np.testing.assert_array_equal(vectors[0][key], vectors[1][key])


def _vectors(found: Assembly) -> dict[tuple[object, ...], np.ndarray]:  # type: ignore[type-arg]
    assert found.rows is not None
    assert found.training_set is not None
    return dict(zip(found.rows.select(KEY).rows(), found.training_set.inputs.X, strict=True))


def test_followers_that_were_measured_after_posting_are_unknown_before_it() -> None:
    rows = videos(600)
    first = rows.sort("published_at").unique("author", keep="first")  # nothing earlier of theirs tells of followers
    found = assembled(rows)
    assert found.rows is not None
    theirs = found.rows.join(first, on=["platform", "video_id"], how="semi")
    assert theirs.height > 20
    assert theirs["author_followers"].null_count() == theirs.height


# -- stores of other kinds


def test_a_store_of_one_observation_a_video_counts_history_and_labels_as_scraped_and_says_so() -> None:
    rows = videos(600, SCRAPED_ONCE)
    found = assembled(rows)
    assert scraped_once(rows)
    assert not scraped_once(videos(600))
    assert found.history == "as_scraped"
    assert found.marks == ("history as of scrape", "labels of any age", "labels as scraped")
    assert (found.split is not None, found.how) == (True, {"later": 600})
    assert found.split is not None
    assert (found.split.rule, found.split.left_strict) == ("as_scraped", 0)
    assert found.embargoed is not None
    assert len(found.embargoed.X) == side(found, "test").height
    assert found.label_age_days is not None
    assert max(found.label_age_days["training"]) > 100


def test_what_the_settings_state_beats_what_the_store_suggests() -> None:
    once = assembled(videos(600, SCRAPED_ONCE), plan=replace(PLAN, history="observed"))
    again = assembled(videos(600), plan=replace(PLAN, history="as_scraped", max_age_days=None))
    assert (once.history, once.marks) == ("observed", ("labels of any age", "labels as scraped"))
    assert (again.history, again.marks) == ("as_scraped", ("history as of scrape", "labels of any age"))


def test_strict_labels_in_a_store_scraped_once_hold_with_a_sentence_and_no_fault(
    tmp_path: Path, open_home: Open
) -> None:
    wiring = open_home(tmp_path / "home", LABELS__KNOWN_AT="strict", **SMALL)
    put(wiring, videos(600, SCRAPED_ONCE), tmp_path / "once.parquet")
    report = retrain(world_of(wiring), order_of(wiring.settings, Moment.DRAFT), progress=Silence())
    labels = report.to_document()["labels"]
    assert (report.status, report.candidate) == ("held", None)
    assert isinstance(labels, dict)
    assert (labels["known_at"], labels["training_rows_strict"]) == ("strict", 0)
    assert labels["training_rows_as_scraped"] > 300
    left = labels["training_rows_as_scraped"]
    assert f"labels.known_at = strict leaves 0 for training, as_scraped {left}; this run took strict" in report.reason
    assert "480 of those take no part" in report.reason


@pytest.mark.parametrize("moment", FORECASTS)
def test_nothing_that_is_seven_days_old_is_held_until_the_first_label_matures(
    tmp_path: Path, open_home: Open, moment: Moment
) -> None:
    rows, wiring = videos(400, YOUNG), open_home(tmp_path / "home", **SMALL)
    put(wiring, rows, tmp_path / "young.parquet")
    report = retrain(world_of(wiring), order_of(wiring.settings, moment), progress=Silence())
    assert (report.status, report.videos, report.assembly and report.assembly.labelled) == ("held", 0, 0)
    last_scrape, asking = rows["scraped_at"].max(), rows
    if moment is Moment.EARLY:
        asking = rows.filter(pl.col("scraped_at") - pl.col("published_at") <= timedelta(hours=72))
    matures = (asking["published_at"] + timedelta(days=7)).sort()
    first = matures.filter(matures > last_scrape)[0]
    assert f"at or after {first:%Y-%m-%d %H:%M} UTC" in report.reason


def test_videos_without_a_posting_time_are_no_rows_and_nothing_crashes(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home", **SMALL)
    undated = videos(50).with_columns(
        published_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")), video_id=pl.format("v{}", "video_id")
    )
    put(wiring, undated, tmp_path / "undated.parquet")
    for moment, words in ((Moment.DRAFT, "posting time"), (Moment.EARLY, "after posting")):
        report = retrain(world_of(wiring), order_of(wiring.settings, moment), progress=Silence())
        assert (report.status, report.videos) == ("held", 0)
        assert words in report.reason


# -- a release of a forecast


def test_the_same_rows_give_the_same_draft_in_any_order_by_any_clock_on_sqlite_and_postgres(
    tmp_path: Path, postgres_url: str, open_home: Open
) -> None:
    rows = videos(480)
    shuffled = elsewhere(rows.sample(fraction=1, shuffle=True, seed=1), hours=5.5)
    first = open_home(tmp_path / "first", **SMALL)
    put(first, rows, tmp_path / "rows.parquet")
    other = open_home(tmp_path / "other", **SMALL)
    _put_lines(other, shuffled[:700], tmp_path / "a.jsonl")
    _put_lines(other, shuffled[700:], tmp_path / "b.jsonl")
    postgres = open_home(tmp_path / "third", DATABASE_URL=postgres_url, **SMALL)
    _put_lines(postgres, elsewhere(rows.reverse(), hours=-8), tmp_path / "c.jsonl")
    candidates = [_draft_of(wiring) for wiring in (first, other, postgres)]
    assert candidates[0] is not None
    assert candidates == [candidates[0]] * 3


def _put_lines(wiring: Wiring, rows: pl.DataFrame, path: Path) -> None:
    write_rows(path, rows)
    ingest_file(open_file(path, None), wiring.videos, wiring.rejects, options=IngestOptions(NOW), progress=Silence())


def _draft_of(wiring: Wiring) -> str | None:
    order = order_of(wiring.settings, Moment.DRAFT, dry_run=True)
    report = retrain(world_of(wiring), order, progress=Silence())
    rehearsed = next(finding for finding in report.findings if finding.code == "C203")
    assert rehearsed.outcome is Outcome.PASS
    return report.candidate


# -- tiers relative to what


@dataclass(frozen=True)
class Served:
    """A draft champion whose tiers are relative to something, and what it says of every stored video."""

    relative_to: RelativeTo
    won: Won
    serving: Serving
    told: list[dict[str, Any]]


CHOSEN: Final = {
    RelativeTo.PLATFORM: Tiers(relative_to=RelativeTo.PLATFORM, min_cohort=100),
    RelativeTo.COHORT: Tiers(relative_to=RelativeTo.COHORT, min_cohort=60),
    RelativeTo.CREATOR: Tiers(relative_to=RelativeTo.CREATOR, min_cohort=60, min_posts=3),
}
WANTED: Final = {
    RelativeTo.PLATFORM: {("platform", "tiktok"), ("all", "all")},
    RelativeTo.COHORT: {("cohort", "tiktok, 10k-100k followers"), ("platform", "tiktok"), ("all", "all")},
    RelativeTo.CREATOR: {("creator", "creator"), ("all", "all")},
}


@pytest.fixture(scope="module", params=CHOSEN)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """700 videos, of which those on YouTube are too few for tiers of their own."""
    folder, relative_to = tmp_path_factory.mktemp(request.param.value), request.param
    settings = Settings(
        home=folder,
        database_url=f"sqlite:///{folder}/videos.db",
        model_store_url=folder.as_uri(),
        retrain=Retrain(min_videos=300),
        tiers=CHOSEN[relative_to],
    )
    wiring, rows = Wiring(settings), videos(700)
    put(wiring, rows, folder / "rows.parquet")
    won = serve(wiring, Moment.DRAFT)
    serving = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).answering(Moment.DRAFT)[
        Moment.DRAFT
    ]
    asked = Request(rows, NOW, 72)
    yield Served(relative_to, won, serving, predict(usable_rows(asked, Moment.DRAFT), serving, asked))
    wiring.engine.dispose()


def test_every_prediction_names_what_its_tier_is_relative_to_or_fell_back_to(served: Served) -> None:
    assert {(each["relative_to"], each["relative_to_group"]) for each in served.told} >= WANTED[served.relative_to]
    tiers = served.serving.release.manifest.tiers
    assert tiers is not None
    assert tiers["relative_to"] == served.relative_to.value
    assert {each["relative_to_group"] for each in served.told} <= {*tiers["edges"], "creator"}
    assert "youtube" not in tiers["edges"]


def test_what_serves_cuts_tiers_at_the_edges_that_training_cut(served: Served) -> None:
    reference = served.won.training_set.reference
    assert reference is not None
    assert served.serving.predictor.reference == reference
    assert served.serving.release.manifest.tier_edges == reference.edges_of_all
    groups = 1 if served.relative_to is RelativeTo.CREATOR else len(WANTED[served.relative_to])
    assert len({*reference.edges.values()}) == len(reference.edges) >= groups
    assert (reference.multiples is not None) == (served.relative_to is RelativeTo.CREATOR)


def test_a_multiple_of_the_creators_usual_views_is_given_wherever_a_post_of_theirs_was_known(served: Served) -> None:
    for each in served.told:
        assert (each["creator_relative"] is None) == ("creator_recent" in each["missing"])
    own = [each for each in served.told if each["relative_to"] == "creator"]
    assert bool(own) == (served.relative_to is RelativeTo.CREATOR)
    assert not [each for each in own if each["creator_relative"] is None]


def test_intervals_of_a_forecast_come_by_creator(served: Served) -> None:
    training_set, judged = served.won.training_set, served.won.judged
    test = training_set.numbers(test=True)
    creators, tiers = training_set.creators[test], training_set.tiers[test]
    forecast = served.won.fitted.blend.probabilities(training_set.inputs[test])
    by_creator = evaluate(forecast, tiers, None, creators=creators, seed=42).accuracy
    by_video = evaluate(forecast, tiers, None, seed=42).accuracy
    assert judged.creators == len(np.unique(creators)) < len(test)
    assert judged.candidate.accuracy == by_creator
    assert (by_creator.value, by_creator.interval) != (by_video.value, by_video.interval)
