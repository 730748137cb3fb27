"""Generated videos: what they promise of themselves, and that the stated best accuracy is neither beaten nor idle."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tiercast.core.tiers import tier_edges
from tiercast.core.video import published_at_from_tiktok_id
from tiercast.intake.clean import Context, clean
from tiercast.intake.schema import SCHEMA
from tiercast.learn.features import HELD_ON_VIEWS, feature_matrix, hold
from tiercast.learn.generated import (
    WORLD,
    Generated,
    IdealForecast,
    best_possible_accuracy,
    generate,
    ideal_forecast,
)

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "generated-videos.md"
COUNTS = ("views", "likes", "comments", "shares", "saves")
few = st.builds(generate, st.integers(1, 60), seed=st.integers(0, 2**32), now=st.just(NOW))


@cache
def made(seed: int = 42) -> Generated:
    return generate(10_000, seed=seed, now=NOW)


@cache
def ideal(seed: int = 42) -> IdealForecast:
    return ideal_forecast(made(seed), edges(made(seed)))


def edges(generated: Generated) -> tuple[int, ...]:
    return tier_edges(generated.latest()["views"].to_list())


def shown(videos: pl.DataFrame) -> np.ndarray:
    """The 15 features as a run on views shows them, the six ratios as logs, (n_videos, 15)."""
    X = hold(feature_matrix(videos, save_per_like=0.15), HELD_ON_VIEWS)
    X[:, :6] = np.log(np.maximum(X[:, :6], 1e-6))
    return X


def learned(learner: str, seed: int) -> tuple[np.ndarray, IdealForecast]:
    """Tier probabilities for the other videos after learning from 8,000, and the ideal forecast of these others."""
    forecast = ideal(seed)
    X = shown(forecast.videos.join(made(seed).latest(), on=["platform", "video_id"], maintain_order="left"))
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:8000], order[8000:]
    if learner == "logistic":
        X = np.where(np.isnan(X), np.nanmedian(X[train], axis=0), X)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    else:
        model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, max_leaf_nodes=8, random_state=0)
    model.fit(X[train], forecast.actual[train])
    return model.predict_proba(X[test]), forecast.on(forecast.videos[test])


@given(few)
@settings(max_examples=30, deadline=None)
def test_every_row_has_the_canonical_columns_and_possible_counts(generated: Generated) -> None:
    rows = generated.rows
    assert dict(rows.schema) == SCHEMA
    assert rows.select("platform", "video_id", "scraped_at").is_unique().all()
    assert rows.filter(pl.col("views") < 1).is_empty()
    for count in COUNTS[1:]:
        assert rows.filter((pl.col(count) < 0) | (pl.col(count) > pl.col("views"))).is_empty()
    assert rows.filter((pl.col("scraped_at") <= pl.col("published_at")) | (pl.col("scraped_at") > NOW)).is_empty()


@given(few)
@settings(max_examples=30, deadline=None)
def test_no_count_ever_falls_between_two_scrapes_of_a_video(generated: Generated) -> None:
    falls = generated.rows.select(
        (pl.col(count).diff().over("platform", "video_id", order_by="scraped_at") < 0).any() for count in COUNTS
    )
    assert not any(falls.row(0))


@given(few)
@settings(max_examples=30, deadline=None)
def test_a_tiktok_id_holds_the_posting_time(generated: Generated) -> None:
    for video_id, posted in generated.rows.filter(platform="tiktok").select("video_id", "published_at").iter_rows():
        assert len(video_id) == 19
        assert published_at_from_tiktok_id(video_id, NOW) == posted


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_videos(seed: int) -> None:
    once, again = (generate(50, seed=seed, now=NOW) for _ in range(2))
    assert once.rows.equals(again.rows)
    assert once.latent.equals(again.latent)


def test_another_seed_gives_other_videos() -> None:
    assert not generate(50, seed=1, now=NOW).rows.equals(generate(50, seed=2, now=NOW).rows)


def test_ingest_keeps_every_row_as_it_is() -> None:
    context = Context(now=NOW, scraped_at=None, file_modified_at=NOW, platform=None, platform_of_id={}.get)
    cleaned = clean(made().rows, context)
    assert cleaned.rejects == ()
    assert cleaned.rows.select(made().rows.columns).equals(made().rows)


def test_what_cannot_be_generated_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one video, got 0"):
        generate(0, seed=1, now=NOW)
    with pytest.raises(ValueError, match="without a zone"):
        generate(5, seed=1, now=NOW.replace(tzinfo=None))


def test_missing_fields_come_at_their_stated_rates() -> None:
    latest = made().latest().filter(platform="tiktok")
    stated = {rate.count: rate.missing_share for rate in WORLD.rates} | {
        "author_followers": WORLD.followers_missing_share,
        "duration_seconds": WORLD.duration_missing_share,
        "description": WORLD.caption_missing_share,
        "sound_id": WORLD.sound_missing_share,
    }
    for column, share in stated.items():
        four_errors = 4 * np.sqrt(share * (1 - share) / latest.height)
        assert latest[column].null_count() / latest.height == pytest.approx(share, abs=four_errors), column
    rescraped = 1 - (made().rows.group_by("platform", "video_id").len()["len"] == 1).mean()
    assert rescraped == pytest.approx(WORLD.rescraped_share, abs=0.02)


def test_views_and_creators_have_heavy_tails() -> None:
    latest = made().latest()
    views = latest["views"].sort(descending=True)
    assert views[:100].sum() > 0.10 * views.sum()  # the top 1 % of the videos
    assert views.min() >= 50
    posts = latest["author"].value_counts(sort=True)["count"]
    assert posts[:10].sum() > 0.08 * latest.height
    assert posts[0] < 0.03 * latest.height
    followers = latest["author_followers"].drop_nulls()
    assert followers.max() > 20 * followers.median() > 100_000


def test_the_latent_parts_add_up_to_the_views() -> None:
    both = made().latest().join(made().latent, on=["platform", "video_id"])
    age = (both["scraped_at"] - both["published_at"]).dt.total_seconds() / 3600
    parts = both["creator_effect"] + both["draft_effect"] + both["video_effect"] + np.log(WORLD.usual_views)
    np.testing.assert_allclose(parts, both["log_views_final"])
    expected = np.exp(both["log_views_final"].to_numpy()) * (age / (age + both["half_hours"])).to_numpy()
    np.testing.assert_allclose(both["views"].to_numpy(), expected, atol=0.51)


@pytest.mark.parametrize("seed", [1, 42])
def test_the_ideal_reaches_what_it_expects_of_itself(seed: int) -> None:
    forecast = ideal(seed)
    np.testing.assert_allclose(forecast.probabilities.sum(axis=1), 1.0)
    assert abs(forecast.realised_accuracy - forecast.expected_accuracy) < 3 * forecast.standard_error
    reached = forecast.actual[:, None] == np.arange(1, 6)
    error = np.sqrt((forecast.probabilities * (1 - forecast.probabilities)).sum(axis=0))
    assert (np.abs((forecast.probabilities - reached).sum(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_a_wrong_ideal_would_be_noticed(factor: float) -> None:
    rates = tuple(replace(rate, noise=factor * rate.noise) for rate in WORLD.rates)
    wrong = ideal_forecast(replace(made(), world=replace(WORLD, rates=rates)), edges(made()))
    assert abs(wrong.realised_accuracy - wrong.expected_accuracy) > 6 * wrong.standard_error


@pytest.mark.parametrize("seed", [1, 42])
@pytest.mark.parametrize("learner", ["logistic", "boosting"])
def test_learning_approaches_the_ideal_and_does_not_beat_it(learner: str, seed: int) -> None:
    probabilities, best = learned(learner, seed)
    predicted, row = probabilities.argmax(axis=1), np.arange(len(probabilities))
    accuracy = (predicted + 1 == best.actual).mean()
    # What the ideal expects of exactly these choices on these rows: only the luck of the views is left.
    expected = best.probabilities[row, predicted]
    luck = np.sqrt((expected * (1 - expected)).sum()) / len(row)
    assert abs(accuracy - expected.mean()) < 3 * luck
    assert 0.66 < accuracy < best.expected_accuracy + 3 * best.standard_error
    excess_loss = np.log(best.probabilities[row, best.actual - 1] / probabilities[row, best.actual - 1])
    assert 0 < excess_loss.mean() < 0.10


def test_the_ideal_can_be_asked_about_the_rows_of_one_run() -> None:
    used = made().latest().filter(pl.col("likes").is_not_null()).head(4000)
    forecast = ideal_forecast(made(), tier_edges(used["views"].to_list()), videos=used)
    assert forecast.probabilities.shape == (4000, 5)
    test_part = forecast.on(used[::-5])
    assert test_part.videos.rows() == used[::-5].select("platform", "video_id").rows()
    assert 0.70 < test_part.expected_accuracy < 0.80
    with pytest.raises(ValueError, match=r"6\d{3} of 10000 videos"):
        forecast.on(made().latest())


def test_the_page_states_every_parameter_and_the_best_figure_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for field in fields(WORLD):
        if field.name != "rates":
            assert f"| `{field.name}` | {getattr(WORLD, field.name):,} |" in page, field.name
    for rate in WORLD.rates:
        row = f"| {rate.count} | {rate.typical} | {rate.slope} | {rate.noise} | {rate.missing_share:.2f} |"
        assert row in page, row
    for seed in (1, 42):
        best = best_possible_accuracy(made(seed), edges(made(seed)))
        assert f"| {seed} | {best:.3f} | {ideal(seed).realised_accuracy:.3f} |" in page, best
