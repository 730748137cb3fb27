"""A replay does what real retrains would have done, sees nothing that came later, and grades what serves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from flows.conftest import Open, put
from flows.forecasts import SCRAPED_ONCE, videos
from tiercast.adapters.objects import FolderObjects
from tiercast.adapters.replay_folder import ReplayFolder
from tiercast.cli.replay import replay_home
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.asked import Request, usable_rows
from tiercast.flows.champions import Serving
from tiercast.flows.kept import schema_of
from tiercast.flows.model_store import load_release
from tiercast.flows.predict import predict
from tiercast.flows.replay import Walk, ordered
from tiercast.flows.replay_document import replay_document
from tiercast.flows.replay_questions import Examiner, Questions
from tiercast.flows.replay_report import Replayed
from tiercast.flows.retrain import retrain
from tiercast.learn.features import FEATURES
from tiercast.learn.predictor import Predictor
from tiercast.ports.runs import ReplayedStep
from tiercast.ports.serving import ServedPrediction
from tiercast.render.output import Silence
from tiercast.wiring import Wiring

WEEKS: Final = timedelta(days=21)
FIRST: Final = datetime(2025, 3, 3, tzinfo=UTC)
ASKED: Final = ("C205", "C208", "C209", "C210", "C211", "C212", "C213", "C214", "C215", "D105")
"""So few videos prove little: what a gate would ask of them only warns, so that something serves."""
LENIENT: Final = {
    "RETRAIN__MIN_VIDEOS": "150",
    "GATE__WARN_ONLY": "[" + ", ".join(f'"{code}"' for code in (*ASKED, "C201", "C202", "C206", "C207", "C216")) + "]",
}
CURVES: Final = ("slices", "coverage_curve", "learning_curve", "embargoed")
"""What only people look at, and a replay leaves out."""
MOMENTS: Final = (Moment.OBSERVED, Moment.DRAFT)


def walk(*, steps: int = 2, as_scraped: bool = False) -> Walk:
    return Walk(FIRST, FIRST + (steps - 1) * WEEKS, WEEKS, as_scraped)


def replayed(wiring: Wiring, moment: Moment, way: Walk) -> Replayed:
    order = ordered(order_of(wiring.settings, moment), as_scraped=way.as_scraped)
    return replay_home(wiring, way, order, Silence())[0]


def told(step: ReplayedStep) -> dict[str, Any]:
    """What a step's retrain said, as JSON has it, without its name and what it took."""
    document = json.loads(json.dumps(step.document))
    kept = {name: value for name, value in document.items() if name not in ("run", "seconds", "candidates")}
    return {**kept, "findings": [finding for finding in kept["findings"] if finding["code"] != "C203"]}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return videos(700)


@contextmanager
def filled(open_home: Open, folder: Path, rows: pl.DataFrame, **settings: str) -> Iterator[Wiring]:
    wiring = open_home(folder / "home", **{**LENIENT, **settings})
    put(wiring, rows, folder / "rows.parquet")
    yield wiring


# -- nothing but what was there


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_step_is_the_retrain_of_a_home_that_holds_only_what_was_observed_by_then(
    moment: Moment, rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    (tmp_path / "whole").mkdir()
    with filled(open_home, tmp_path / "whole", rows) as whole:
        steps = replayed(whole, moment, walk()).steps
    real, seen = open_home(tmp_path / "real", **LENIENT), datetime(2000, 1, 1, tzinfo=UTC)
    for step in steps:
        new = rows.filter(pl.col("scraped_at") > seen, pl.col("scraped_at") <= step.at)
        put(real, new, tmp_path / "new.parquet")
        seen = step.at
        world = replace(world_of(real), now=lambda at=seen: at)  # type: ignore[misc]
        report = retrain(world, order_of(real.settings, moment), progress=Silence())
        expected = told(ReplayedStep(seen, report.to_document(), None, {}, {}, 0))
        assert step.document["status"] == "promoted"
        assert {**told(step), **{name: expected[name] for name in CURVES}} == expected
    assert len({step.document["candidate"] for step in steps}) == 2


@pytest.mark.parametrize("moment", Moment)
def test_whatever_happens_after_a_step_changes_nothing_of_it(
    moment: Moment, rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    later = pl.col("scraped_at") > FIRST
    other = rows.with_columns(
        views=pl.when(later).then(pl.col("views") * 100).otherwise("views"),
        likes=pl.when(later).then(1).otherwise("likes"),
        author_followers=pl.when(later).then(7).otherwise("author_followers"),
    )
    newer = videos(300, seed=8).filter(pl.col("scraped_at") > FIRST)
    newer = newer.with_columns(pl.format("n{}", "video_id").alias("video_id"))
    steps = []
    for number, store in enumerate((rows, pl.concat([other, newer]), rows.filter(~later))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with filled(open_home, folder, store) as wiring:
            steps.append(replayed(wiring, moment, walk(steps=1)).steps[0])
    assert steps[0].document["candidate"] is not None
    assert [told(step) for step in steps[1:]] == [told(steps[0])] * 2
    assert {step.ungated for step in steps} == {steps[0].document["candidate"]}


def test_predictions_that_were_served_are_of_another_time_and_change_nothing(
    rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    names, shares = tuple(feature.name for feature in FEATURES[Moment.DRAFT]), (0.2,) * 5
    one = ServedPrediction(
        "",
        FIRST,
        "tiktok",
        "1",
        None,
        Moment.DRAFT,
        "beef",
        schema_of(Moment.DRAFT),
        shares,
        (None,) * len(names),
        names,
    )
    steps = []
    for number, served in enumerate((0, 300)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with filled(open_home, folder, rows) as wiring:
            wiring.served.save([replace(one, prediction=f"{each:04}") for each in range(served)])
            steps.append(told(replayed(wiring, Moment.DRAFT, walk(steps=1)).steps[0]))
    assert steps[0] == steps[1]
    finding = next(each for each in steps[1]["findings"] if each["code"] == "C218")
    assert (finding["outcome"], "No predictions are recorded" in finding["explanation"]) == ("not_applicable", True)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_real_store_is_not_written(moment: Moment, rows: pl.DataFrame, tmp_path: Path, open_home: Open) -> None:
    with filled(open_home, tmp_path, rows) as wiring:
        replayed(wiring, moment, walk(steps=1))
        assert wiring.runs.recent(5) == []
        assert not (tmp_path / "home" / "models").exists()
        assert {path.name for path in (tmp_path / "home").iterdir()} - {"videos.db-wal", "videos.db-shm"} == {
            "videos.db",
            "replays",
        }


# -- grading


def _predicted(question: pl.DataFrame, moment: Moment, home: Wiring, release: Release) -> list[float]:
    """What the real flow answers, asked when the question is asked."""
    serving = Serving(release, Predictor.of(release), (), lambda: home.history)
    now = question["published_at"][0]
    if moment is Moment.DRAFT:
        counts = ("views", "likes", "shares", "comments", "saves", "scraped_at", "author_followers", "author_verified")
        question = question.with_columns(pl.lit(None, dtype=question.schema[name]).alias(name) for name in counts)
    request = Request(question, now, 72)
    return list(predict(usable_rows(request, moment), serving, request)[0]["probabilities"])


@pytest.mark.parametrize("moment", Moment)
def test_what_is_graded_is_what_the_release_would_have_answered(
    moment: Moment, rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    with filled(open_home, tmp_path, rows) as wiring:
        found, last = replayed(wiring, moment, walk()), FIRST + WEEKS
        folder = next((tmp_path / "home" / "replays").iterdir())
        release = load_release(FolderObjects(folder / "models"), moment, str(found.graded[1].champion))
        order = order_of(wiring.settings, moment)
        questions = Questions.of((wiring.videos, wiring.history), moment, order.forecast, (last, last + WEEKS))
        examiner = Examiner.of(questions, wiring.history.recent(limit=None))
    own = np.log(np.array(release.manifest.tier_edges) + 1.5)
    answers, _ = replace(examiner, log_edges=own).answers(release, slice(0, None))
    assert found.graded[1].rows == len(answers) > 40
    for number in range(0, len(answers), len(answers) // 6):
        row = questions.rows[number].select(rows.columns)
        asked_at = row["scraped_at"][0] if moment is Moment.EARLY else row["published_at"][0]
        home = open_home(tmp_path / f"then-{number}", **LENIENT)
        put(home, rows.filter(pl.col("scraped_at") < asked_at), tmp_path / "then.parquet")
        same = pl.col("video_id") == row["video_id"][0]
        given = rows.filter(same, pl.col("scraped_at") <= asked_at) if moment is Moment.EARLY else row
        assert _predicted(given, moment, home, release) == pytest.approx(answers[number].tolist(), abs=1e-12)


def test_everything_is_graded_under_one_set_of_edges(rows: pl.DataFrame, tmp_path: Path, open_home: Open) -> None:
    with filled(open_home, tmp_path, rows) as wiring:
        found = replayed(wiring, Moment.DRAFT, walk(steps=3))
    document: Any = replay_document(found)
    whole = document["summary"]["graded"]
    assert set(whole["forecasters"]) == {"champion", "never_again", "always_promote", "majority", "creators_usual"}
    assert whole["videos"] == sum(step["graded"]["videos"] for step in document["steps"]) > 100
    assert document["tiers"]["cut_from_videos"] == whole["videos"]
    pooled = sum(
        step["graded"]["videos"] * step["graded"]["forecasters"]["champion"]["accuracy"]["value"]
        for step in document["steps"]
    )
    assert whole["forecasters"]["champion"]["accuracy"]["value"] == pytest.approx(pooled / whole["videos"])
    assert whole["forecasters"]["majority"]["accuracy"]["value"] < 0.35
    assert whole["forecasters"]["champion"]["accuracy"]["value"] > 0.35


def test_a_cron_without_a_gate_serves_what_the_gate_refuses(
    rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    broken = pl.col("scraped_at") > FIRST + timedelta(days=1)
    shuffled = rows.with_columns(pl.col(name).shuffle(seed=1) for name in ("likes", "shares", "comments", "saves"))
    spoilt = pl.concat([rows.filter(~broken), shuffled.filter(broken)])
    spoilt = spoilt.filter(pl.col("likes").is_null() | (pl.col("likes") <= pl.col("views")))
    strict = {"GATE__WARN_ONLY": "[]", "GATE__OBSERVED__MIN_COMPARED_ROWS": "20", "GATE__OBSERVED__MIN_ACCURACY": "0.5"}
    with filled(open_home, tmp_path, spoilt, **strict) as wiring:
        document: Any = replay_document(replayed(wiring, Moment.OBSERVED, walk(steps=4)))
    first, *others = document["steps"]
    assert first["status"] == "promoted"
    assert {step["champion"] for step in document["steps"]} == {first["champion"]}
    assert {step["status"] for step in others} <= {"held", "rejected"}
    assert all(step["without_gate"] not in (None, first["champion"]) for step in others)
    apart = document["summary"]["graded_where_always_promoting_differs"]
    assert (apart["steps"], set(apart["forecasters"])) == (3, {"champion", "never_again", "always_promote", "majority"})


def test_before_anything_is_promoted_the_candidates_of_a_cron_are_graded(
    rows: pl.DataFrame, tmp_path: Path, open_home: Open
) -> None:
    with filled(open_home, tmp_path, rows, GATE__DRAFT__MIN_ACCURACY="0.99", GATE__WARN_ONLY="[]") as wiring:
        document: Any = replay_document(replayed(wiring, Moment.DRAFT, walk()))
    summary = document["summary"]
    assert (summary["champions"], summary["graded"]["videos"]) == (0, 0)
    pool = summary["graded_without_champion"]
    assert (pool["steps"], set(pool["forecasters"])) == (2, {"always_promote", "creators_usual", "majority"})
    assert pool["videos"] == document["tiers"]["cut_from_videos"] > 50
    assert {marks["champion_ahead"] for marks in pool["forecasters"].values()} == {None}


# -- scraped once


@pytest.mark.parametrize("moment", MOMENTS)
def test_as_scraped_a_video_is_there_a_horizon_after_its_posting(
    moment: Moment, tmp_path: Path, open_home: Open
) -> None:
    once = videos(700, SCRAPED_ONCE)
    with filled(open_home, tmp_path, once) as wiring:
        found = replayed(wiring, moment, walk(as_scraped=True))
        assert replayed(wiring, moment, walk(steps=1, as_scraped=True)).resumed == 1
    by_then = once.filter(pl.col("published_at") <= FIRST - timedelta(days=7), pl.col("likes").is_not_null())
    if moment is Moment.OBSERVED:
        assert found.steps[0].document["videos"] == by_then.height
    else:
        assert found.steps[0].document["marks"] == ["history as of scrape", "labels of any age", "labels as scraped"]
    assert [step.document["status"] for step in found.steps] == ["promoted", "promoted"]
    posted = once.filter(pl.col("published_at") > FIRST, pl.col("published_at") <= FIRST + WEEKS)
    assert 0 < found.graded[0].rows <= posted.height


# -- going on


def test_an_interrupted_replay_goes_on_where_it_stopped_and_ends_the_same(
    rows: pl.DataFrame, tmp_path: Path, open_home: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[datetime] = []

    def interrupt(step: ReplayedStep) -> None:
        saved.append(step.at)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with filled(open_home, tmp_path, rows) as wiring:
        save = ReplayFolder.save
        with monkeypatch.context() as patch:
            patch.setattr(ReplayFolder, "save", lambda self, step: (save(self, step), interrupt(step)))
            with pytest.raises(KeyboardInterrupt):
                replayed(wiring, Moment.OBSERVED, walk(steps=4))
        resumed = replayed(wiring, Moment.OBSERVED, walk(steps=4))
        again = replayed(wiring, Moment.OBSERVED, walk(steps=4))
    (tmp_path / "fresh").mkdir()
    with filled(open_home, tmp_path / "fresh", rows) as wiring:
        fresh = replayed(wiring, Moment.OBSERVED, walk(steps=4))
    assert (resumed.resumed, again.resumed, fresh.resumed) == (2, 4, 0)
    assert [told(step) for step in resumed.steps] == [told(step) for step in fresh.steps]
    assert resumed.graded == again.graded == fresh.graded


def test_another_store_or_other_settings_start_afresh(rows: pl.DataFrame, tmp_path: Path, open_home: Open) -> None:
    with filled(open_home, tmp_path, rows.head(1500)) as wiring:
        assert replayed(wiring, Moment.OBSERVED, walk(steps=1)).resumed == 0
        put(wiring, rows, tmp_path / "more.parquet")
        assert replayed(wiring, Moment.OBSERVED, walk(steps=1)).resumed == 0
        assert replayed(wiring, Moment.OBSERVED, walk(steps=1)).resumed == 1
    other = open_home(tmp_path / "home", **LENIENT, RETRAIN__SEED="7")
    assert replayed(other, Moment.OBSERVED, walk(steps=1)).resumed == 0
