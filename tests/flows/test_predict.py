"""Prediction in process: one row a video, the champion or nothing."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.program import NOW, rows
from flows.conftest import Open
from tiercast.core.canonical import sha256_hex
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest, Release, RowSet
from tiercast.core.tiers import RelativeTo, tier_edges
from tiercast.flows.asked import Request, latest_of_each, moments_of, usable_rows
from tiercast.flows.champions import Roster, Serving
from tiercast.flows.predict import ask, predict_all
from tiercast.learn.blend import Blend
from tiercast.learn.features import HELD_ON_VIEWS, OBSERVED, feature_matrix, feature_schema, hold
from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.models import Inputs
from tiercast.learn.predictor import Predictor
from tiercast.learn.recipes import Recipe, Rows
from tiercast.learn.references import TierReference
from tiercast.learn.training_set import tier_weights


def test_of_many_scrapes_the_last_remains_in_the_order_of_first_sight() -> None:
    scrapes = rows(100).sample(fraction=1, shuffle=True, seed=2)
    one = latest_of_each(scrapes)
    assert one["video_id"].to_list() == scrapes["video_id"].unique(maintain_order=True).to_list()
    newest = scrapes.group_by("video_id").agg(pl.col("scraped_at").max())
    assert one.select("video_id", "scraped_at").sort("video_id").equals(newest.sort("video_id"))


def test_without_a_promotion_there_is_no_champion(home, open_home: Open) -> None:  # type: ignore[no-untyped-def]
    wiring = open_home(home)
    with pytest.raises(Missing, match="No model serves the moment observed yet"):
        Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).answering(Moment.OBSERVED)[
            Moment.OBSERVED
        ]


def test_a_scrape_that_found_no_views_does_not_hide_those_that_did() -> None:
    one = rows(100).head(1)
    blank = one.with_columns(views=pl.lit(None, dtype=pl.Int64), scraped_at=pl.col("scraped_at") + timedelta(days=1))
    never = blank.with_columns(video_id=pl.lit("7"))
    latest = latest_of_each(pl.concat([never, blank, one]))
    assert latest["video_id"].to_list() == ["7", one["video_id"][0]]
    assert latest["views"].to_list() == [None, one["views"][0]]


POSTED = datetime(2025, 5, 1, tzinfo=UTC)


def asked(**ages: float | None) -> Request:
    """Videos by name, each with one observation at an age in hours; None: without views."""
    sound = rows(100).head(1)
    given = [
        sound.with_columns(
            video_id=pl.lit(name),
            published_at=pl.lit(POSTED).cast(sound.schema["published_at"]),
            scraped_at=pl.lit(POSTED + timedelta(hours=age or 0)).cast(sound.schema["scraped_at"]),
            views=pl.lit(None if age is None else 1000, dtype=pl.Int64),
        )
        for name, age in ages.items()
    ]
    return Request(pl.concat(given), NOW, early_max_age_hours=72)


@pytest.mark.parametrize(
    ("served", "answers"),
    [
        ({Moment.DRAFT, Moment.EARLY, Moment.OBSERVED}, ["observed", "draft", "early", "early"]),
        ({Moment.DRAFT, Moment.OBSERVED}, ["observed", "draft", "observed", "observed"]),
        ({Moment.DRAFT, Moment.EARLY}, ["draft", "draft", "early", "early"]),
        ({Moment.EARLY, Moment.OBSERVED}, ["observed", None, "early", "early"]),
        ({Moment.EARLY}, [None, None, "early", "early"]),
        ({Moment.DRAFT}, ["draft", "draft", "draft", "draft"]),
    ],
)
def test_each_video_is_answered_by_the_richest_moment_that_is_served(
    served: set[Moment], answers: list[str | None]
) -> None:
    request = asked(old=72.1, none=None, young=3.0, border=72.0)
    placed = moments_of(request, dict.fromkeys(served))  # type: ignore[arg-type]
    assert placed["video_id"].to_list() == ["old", "none", "young", "border"]
    assert placed["moment"].to_list() == answers
    assert placed["naturally"].to_list() == ["observed", "draft", "early", "early"]


def test_early_is_asked_of_the_last_early_observation_whatever_was_measured_since() -> None:
    several = pl.concat([asked(twice=age).rows for age in (200.0, 5.0, 60.0)])
    several = several.with_columns(author_followers=pl.Series([900, 100, 300]))
    request = Request(pl.concat([several, asked(late=100.0).rows]), NOW, early_max_age_hours=72)
    (row,) = usable_rows(request, Moment.EARLY).rows(named=True)
    assert (row["video_id"], row["author_followers"]) == ("twice", 300)
    assert request.early().height == 2
    assert usable_rows(request, Moment.OBSERVED)["author_followers"].to_list()[0] == 900
    assert usable_rows(request, Moment.DRAFT).height == 2


RECIPES: dict[str, tuple[Recipe, dict[str, object]]] = {
    "xgboost": (BoostedRecipe(), {"rounds": 20}),
    "logistic": (LogisticRecipe(), {"scale": "log", "inverse_penalty": 10.0}),
}


@cache
def serving(kind: str) -> Serving:
    """A champion of ``observed`` that learned from the generated videos."""
    taught = rows(300).filter(pl.col("views") > 0)
    views = taught["views"].to_numpy().astype(np.float64)
    edges = tier_edges(taught["views"].to_list())
    tiers = 1 + np.searchsorted(np.array(edges), views).astype(np.int64)
    X = hold(feature_matrix(taught, save_per_like=0.15), HELD_ON_VIEWS)
    recipe, chosen = RECIPES[kind]
    files = Blend((recipe.fit(Rows(Inputs(X), tiers, tier_weights(tiers), np.log1p(views)), chosen),)).to_files()
    reference = TierReference(RelativeTo.PLATFORM, {"all": edges, "tiktok": (200, 900, 2_000, 9_000)})
    none = RowSet(0, "")
    manifest = Manifest(
        moment=Moment.OBSERVED, label="views", model=kind, features=(), feature_schema=feature_schema(OBSERVED),
        tier_edges=edges, tiers=reference.to_document(), marks=("history as of scrape",), log_views_range=None,
        newest_training_video_at=None, calibration=None, confidence_threshold=0.4, training=none, test=none,
        metrics={}, settings={"save_per_like": 0.15}, libraries={},
        files={name: sha256_hex(content) for name, content in files.items()},
    )  # fmt: skip
    release = Release.stage(manifest, files)
    return Serving(release, Predictor.of(release), (), lambda: pytest.fail("observed opens no video store"))


def some_videos(size: int, seed: int) -> pl.DataFrame:
    """Up to that many videos, one scrape of each, with a third of the values unknown."""
    frame = rows(300).sample(size, seed=seed, shuffle=True).unique("video_id", keep="first", maintain_order=True)
    rng = np.random.default_rng(seed)
    given = [name for name in frame.columns if name not in ("platform", "video_id", "scraped_at")]
    unknown = {name: pl.Series(rng.random(frame.height) < 1 / 3) for name in given}
    return frame.with_columns(pl.when(~known).then(name).alias(name) for name, known in unknown.items())


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1_000), st.integers(1, 40))
def test_predictions_one_by_one_are_those_of_the_batch_bit_for_bit(seed: int, size: int) -> None:
    videos = some_videos(size, seed)
    servings = {Moment.OBSERVED: serving("xgboost")}

    def predicted(some: pl.DataFrame) -> list[dict[str, object]]:
        return predict_all(Request(some, NOW, early_max_age_hours=0), servings)

    together = predicted(videos)
    alone = [answer for number in range(videos.height) for answer in predicted(videos[number : number + 1])]
    assert [repr(answer) for answer in alone] == [repr(answer) for answer in together]
    assert len(together) == videos.filter(pl.col("views") > 0).height


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1_000), st.integers(1, 40))
def test_what_a_model_is_asked_and_says_of_one_video_has_the_bits_of_the_batch(seed: int, size: int) -> None:
    champion = serving("logistic")
    videos = some_videos(size, seed).filter(pl.col("views") > 0)
    request = Request(videos, NOW, early_max_age_hours=0)
    together = ask(videos, champion, request)
    alone = [ask(videos[number : number + 1], champion, request) for number in range(videos.height)]
    told = champion.predictor.probabilities(together)
    for number, one in enumerate(alone):
        assert one.inputs.X.tobytes() == together.inputs.X[number].tobytes()
        assert one.unknown.tobytes() == together.unknown[number].tobytes()
        assert one.inputs.edges is not None
        assert together.inputs.edges is not None
        assert one.inputs.edges.tobytes() == together.inputs.edges[number].tobytes()
        assert champion.predictor.probabilities(one).tobytes() == told[number].tobytes()


def test_an_answer_has_its_fields_in_the_order_that_callers_know() -> None:
    (answer,) = predict_all(
        Request(rows(10).filter(pl.col("views") > 0).head(1), NOW, 0), {Moment.OBSERVED: serving("xgboost")}
    )
    assert list(answer) == [
        "platform", "video_id", "moment", "tier", "probabilities", "confident", "score", "release", "missing",
        "views_interval", "relative_to", "relative_to_group", "creator_relative", "label", "marks", "horizon_days",
        "newest_training_video_at",
    ]  # fmt: skip
