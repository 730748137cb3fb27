"""Draws creators, their videos and the scrapes of those videos; pure, and the same for the same seed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.video import COLUMNS
from tiercast.learn.generated import texts
from tiercast.learn.generated.world import WORLD, World

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_LATENT: Final = ("platform", "video_id", "author", "creator_effect", "draft_effect", "video_effect")
_TIME: Final = pl.Datetime("us", "UTC")
_MOST_REWARDED_HASHTAGS: Final = 5
"""Further hashtags gain nothing, so that thirty of them are no recipe."""
_NEUTRAL_SECONDS: Final = 30.0
"""The duration feature shows an unknown length as 30 s; a length of 30 s therefore has no effect either."""
_VERIFIED_SHARES: Final = (0.02, 0.35)
"""Share of verified creators below and from 500,000 followers."""


@dataclass(frozen=True, slots=True)
class Generated:
    """Generated videos and what they were made of."""

    rows: pl.DataFrame
    """The canonical columns of core.video; one row per (video, scrape), ordered by video, then scraped_at."""
    latent: pl.DataFrame
    """One row per video: platform, video_id, author, the three parts of log views (creator_effect,
    draft_effect, video_effect), half_hours, and log_views_final = ln(usual_views) + their sum.
    At an age, log views are log_views_final + ln(age / (age + half_hours)), before rounding."""
    world: World

    def latest(self) -> pl.DataFrame:
        """The last scrape of every video: the rows that the moment ``observed`` learns from."""
        return self.rows.group_by("platform", "video_id", maintain_order=True).last().select(self.rows.columns)


def generate(n_videos: int, *, seed: int, now: datetime, world: World = WORLD) -> Generated:
    """``n_videos`` videos of the invented world, none scraped after ``now``; raises ValueError for a naive ``now``.

    >>> from datetime import UTC
    >>> made = generate(100, seed=1, now=datetime(2026, 1, 5, tzinfo=UTC))
    >>> made.latent.height, made.latest().height, made.rows.height > 100
    (100, 100, True)
    >>> generate(0, seed=1, now=datetime(2026, 1, 5, tzinfo=UTC))
    Traceback (most recent call last):
    ValueError: generate needs at least one video, got 0
    """
    if n_videos < 1:
        raise ValueError(f"generate needs at least one video, got {n_videos}")
    if now.tzinfo is None:
        raise ValueError(f"generate needs an aware time, got {now.isoformat()} without a zone")
    people, posts, luck, scrapes = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4))
    now_seconds = int(now.timestamp())
    creators = _creators(people, max(1, n_videos // world.videos_per_creator), world=world)
    ages = _scrape_ages(scrapes, n_videos, world=world)
    last_scrape = now_seconds - scrapes.integers(0, int(world.last_scrape_within_days * _DAY), n_videos)
    videos = _videos(posts, creators, posted=last_scrape - ages.max(axis=1), world=world)
    videos = _with_views(luck, videos, world=world)
    rows = _observations(luck, videos, ages=ages, now_seconds=now_seconds, world=world)
    return Generated(rows, videos.select(*_LATENT, "half_hours", "log_views_final"), world)


def _creators(rng: np.random.Generator, n_creators: int, *, world: World) -> pl.DataFrame:
    """One row per creator: handle, platform, audience, usual views and how much they post (``weight``)."""
    audience, own = rng.standard_normal((2, n_creators))
    followers = world.followers_median * np.exp(world.followers_log_sd * audience)
    known_part = world.audience_correlation * audience
    own_part = np.sqrt(1 - world.audience_correlation**2) * own
    weight = np.minimum(1 + rng.pareto(world.productivity_pareto, n_creators), world.productivity_cap)
    verified_share = np.where(followers < 500_000, *_VERIFIED_SHARES)
    on_youtube = rng.random(n_creators) < world.youtube_share
    return pl.DataFrame(
        {
            "creator": np.arange(n_creators),
            "author": [f"creator_{i:06d}" for i in range(n_creators)],
            "author_verified": rng.random(n_creators) < verified_share,
            "platform": np.where(on_youtube, "youtube", "tiktok").tolist(),
            "followers_now": followers,
            "creator_effect": world.creator_log_sd * (known_part + own_part),
            "weight": weight / weight.sum(),
        }
    )


def _scrape_ages(rng: np.random.Generator, n_videos: int, *, world: World) -> NDArray[np.int64]:
    """Age in whole seconds at each scrape ``(n_videos, 1 + most_rescrapes)``, ascending; 0 where there was none."""
    shape = (n_videos, world.most_rescrapes)
    gap = world.rescrape_median_days * _DAY * np.exp(world.rescrape_log_sd * rng.standard_normal(shape))
    log_age = rng.uniform(np.log(world.youngest_hours), np.log(world.oldest_hours), (n_videos, 1))
    steps = np.hstack([np.exp(log_age) * _HOUR, np.maximum(gap, _HOUR)])
    again = rng.integers(1, world.most_rescrapes + 1, n_videos) * (rng.random(n_videos) < world.rescraped_share)
    taken = np.arange(world.most_rescrapes + 1) <= again[:, None]
    return np.where(taken, np.cumsum(steps.astype(np.int64), axis=1), 0)


def _videos(
    rng: np.random.Generator, creators: pl.DataFrame, *, posted: NDArray[np.int64], world: World
) -> pl.DataFrame:
    """One row per video: all that is known before posting; ``posted`` is UTC epoch seconds ``(n_videos,)``."""
    n = len(posted)
    chosen = creators[rng.choice(creators.height, size=n, p=creators["weight"].to_numpy())]
    has_caption = rng.random(n) >= world.caption_missing_share
    hashtags = texts.hashtag_lists(rng, has_caption, world)
    seconds = world.duration_median_seconds * np.exp(world.duration_log_sd * rng.standard_normal(n))
    seconds = np.rint(seconds.clip(world.duration_shortest_seconds, world.duration_longest_seconds))
    facts = pl.DataFrame(
        {
            "description": texts.captions(rng, has_caption, hashtags),
            "hashtags": hashtags,
            "duration_seconds": _some_missing(rng, seconds, world.duration_missing_share),
            "followers_now": _some_missing(rng, chosen["followers_now"].to_numpy(), world.followers_missing_share),
            "is_ad": rng.random(n) < world.ad_share,
            "is_pinned": rng.random(n) < world.pinned_share,
            "published_at": _times(posted),
        },
        schema_overrides={"description": pl.String, "hashtags": pl.List(pl.String)},
    )
    sounds = texts.sounds(rng, chosen["creator"].to_numpy(), world)
    names = texts.ids_and_urls(posted, chosen["author"], chosen["platform"])
    return pl.concat([chosen.drop("weight", "followers_now"), names, facts, sounds], how="horizontal")


def _some_missing(rng: np.random.Generator, values: NDArray[np.float64], share: float) -> pl.Series:
    """The values with about this share of them null."""
    known = rng.random(len(values)) >= share
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(values))).to_series()


def _times(seconds: NDArray[np.int64]) -> pl.Series:
    """UTC epoch seconds as canonical times."""
    return pl.Series(seconds * 1_000_000, dtype=pl.Int64).cast(_TIME)


def _with_views(rng: np.random.Generator, videos: pl.DataFrame, *, world: World) -> pl.DataFrame:
    """The videos with their effects on log views, final log views, half-growth time and rate deviations."""
    luck, growth = rng.standard_normal((2, videos.height))
    deviations = {f"{rate.count}_deviation": rng.standard_normal(videos.height) for rate in world.rates}
    phase = (pl.col("published_at").dt.hour().cast(pl.Float64) - world.best_hour) * (2 * np.pi / 24)
    length = (pl.col("duration_seconds") / _NEUTRAL_SECONDS).log().fill_null(0.0)
    rewarded = pl.col("hashtags").list.len().clip(upper_bound=_MOST_REWARDED_HASHTAGS).cast(pl.Float64)
    draft_effect = (
        world.hour_amplitude * phase.cos()
        + world.weekend_bonus * (pl.col("published_at").dt.weekday() >= 6).cast(pl.Float64)
        + world.length_slope * length
        + world.hashtag_bonus * rewarded
    )
    parts = pl.sum_horizontal("creator_effect", "draft_effect", "video_effect")
    return videos.with_columns(
        draft_effect.alias("draft_effect"),
        pl.Series("video_effect", world.video_log_sd * luck),
        pl.Series("half_hours", world.growth_median_hours * np.exp(world.growth_log_sd * growth)),
        *(pl.Series(name, values) for name, values in deviations.items()),
    ).with_columns(log_views_final=float(np.log(world.usual_views)) + parts)


def _observations(
    rng: np.random.Generator, videos: pl.DataFrame, *, ages: NDArray[np.int64], now_seconds: int, world: World
) -> pl.DataFrame:
    """One row per scrape, in the canonical columns; ``ages`` as _scrape_ages gives them."""
    video, position = np.nonzero(ages)
    age = ages[video, position]
    rows = _with_counts(rng, videos, video=video, age_hours=age / _HOUR, world=world)
    posted = rows["published_at"].dt.epoch("s").to_numpy()
    days_back = (now_seconds - posted - age) / _DAY
    shrink = pl.Series(np.exp(-world.followers_growth_per_day * days_back))
    complete = rows.with_columns(
        author_followers=(pl.col("followers_now") * shrink).round().cast(pl.Int64),
        scraped_at=_times(posted + age),
        scrape_time_guessed=pl.lit(value=False),
        published_date_only=pl.lit(value=False),
        is_slideshow=pl.lit(value=False),
        region=pl.lit(None, dtype=pl.String),
    )
    return complete.select(column.name for column in COLUMNS)


def _with_counts(
    rng: np.random.Generator,
    videos: pl.DataFrame,
    *,
    video: NDArray[np.int64],
    age_hours: NDArray[np.float64],
    world: World,
) -> pl.DataFrame:
    """The videos at each scrape with whole counts; growing views leave no count to fall, as every slope is below 1."""
    half = videos["half_hours"].to_numpy()[video]
    log_views = videos["log_views_final"].to_numpy()[video] + np.log(age_hours / (age_hours + half))
    views = np.maximum(np.rint(np.exp(log_views)), 1.0)
    excess = np.log(views / world.usual_views)
    columns = {"views": pl.Series(views).cast(pl.Int64)}
    always_unknown = (videos["platform"] == "youtube").to_numpy()
    for rate in world.rates:
        deviation = videos[f"{rate.count}_deviation"].to_numpy()[video]
        per_view = rate.typical * np.exp(rate.noise * deviation - rate.slope * excess)
        unknown = rng.random(videos.height) < rate.missing_share
        if rate.count in ("shares", "saves"):
            unknown |= always_unknown
        count = pl.Series(np.minimum(np.rint(views * per_view), views)).cast(pl.Int64)
        columns[rate.count] = pl.select(pl.when(pl.Series(~unknown[video])).then(count)).to_series()
    return videos[video].with_columns(**columns)
