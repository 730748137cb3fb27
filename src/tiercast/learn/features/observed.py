"""The 15 engagement features of the moment ``observed``."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.core.moments import Moment
from tiercast.learn.features.feature import Feature, Needs, matrix

LIKES, VIEWS, SHARES, COMMENTS = pl.col("likes"), pl.col("views"), pl.col("shares"), pl.col("comments")
SAVES = pl.col("saves_or_estimate")
FOLLOWERS, DURATION = pl.col("author_followers"), pl.col("duration_seconds")
CAPTION, HASHTAGS, POSTED = pl.col("description"), pl.col("hashtags"), pl.col("published_at")

UNKNOWN_DURATION_SECONDS: Final = 30.0
"""What frozen training sets hold where the length was unknown."""


def _of_likes(part: pl.Expr) -> pl.Expr:
    return pl.when(LIKES == 0).then(0.0).otherwise(part / LIKES)


_FOLLOWER_TIER = (
    pl.when(FOLLOWERS.is_null()).then(0.5)
    .when(FOLLOWERS < 10_000).then(0.1)
    .when(FOLLOWERS < 100_000).then(0.3)
    .when(FOLLOWERS < 500_000).then(0.5)
    .when(FOLLOWERS < 1_000_000).then(0.7)
    .otherwise(0.9)
)  # fmt: skip
_HAS_SOUND = pl.col("sound_id").is_not_null() | pl.col("sound_name").is_not_null()
_HOUR_KNOWN = POSTED.is_not_null() & ~pl.col("published_date_only").fill_null(value=False)
_ALWAYS = pl.lit(value=True)


def _counted(name: str, frozen_name: str, unit: str, meaning: str, value: pl.Expr, known: pl.Expr) -> Feature:
    """A feature of the counts of an observation."""
    moment, needs = Moment.OBSERVED, Needs.OBSERVATIONS
    return Feature(name, unit, meaning, value, moment, needs, known, frozen_name=frozen_name)


def _posted(
    name: str, frozen_name: str, unit: str, meaning: str, value: pl.Expr, known: pl.Expr, per: float = 1.0
) -> Feature:
    """A feature of the post itself."""
    return Feature(name, unit, meaning, value, Moment.DRAFT, Needs.VIDEO, known, per=per, frozen_name=frozen_name)


OBSERVED: Final[tuple[Feature, ...]] = (
    _counted(
        "share_rate", "shareRate", "share of views", "shares / views",
        SHARES / VIEWS, SHARES.is_not_null(),
    ),
    _counted(
        "comment_rate", "commentRate", "share of views", "comments / views",
        COMMENTS / VIEWS, COMMENTS.is_not_null(),
    ),
    _counted(
        "like_rate", "likeRate", "share of views", "likes / views",
        LIKES / VIEWS, LIKES.is_not_null(),
    ),
    _counted(
        "save_rate", "saveRate", "share of views", "saves / views; saves unknown: likes x retrain.save_per_like",
        SAVES / VIEWS, pl.col("saves").is_not_null(),
    ),
    _counted(
        "share_to_like", "shareToLikeRatio", "shares per like", "shares / likes, 0 where likes are 0",
        _of_likes(SHARES), SHARES.is_not_null() & LIKES.is_not_null(),
    ),
    _counted(
        "comment_to_like", "commentToLikeRatio", "comments per like", "comments / likes, 0 where likes are 0",
        _of_likes(COMMENTS), COMMENTS.is_not_null() & LIKES.is_not_null(),
    ),
    _posted(
        "duration", "durationSeconds", "180 seconds", "length; unknown: 30 seconds",
        DURATION.fill_null(UNKNOWN_DURATION_SECONDS), DURATION.is_not_null(), per=180,
    ),
    _posted(
        "hashtag_count", "hashtagCount", "30 hashtags", "number of hashtags",
        HASHTAGS.list.len(), HASHTAGS.is_not_null(), per=30,
    ),
    _posted(
        "has_sound", "hasTrendingSound", "0 or 1", "1 where the post names its sound",
        _HAS_SOUND.cast(pl.Float64), _HAS_SOUND,
    ),
    _posted(
        "caption_length", "captionLength", "2,000 characters", "length of the caption",
        CAPTION.str.len_chars(), CAPTION.is_not_null(), per=2000,
    ),
    _posted(
        "has_follower_data", "hasFollowerData", "0 or 1", "1 where the creator's followers are known",
        FOLLOWERS.is_not_null().cast(pl.Float64), _ALWAYS,
    ),
    _posted(
        "follower_tier", "followerTier", "step", "followers: <10k .1, <100k .3, <500k .5, <1M .7, else .9; unknown .5",
        _FOLLOWER_TIER, FOLLOWERS.is_not_null(),
    ),
    _counted(
        "views_per_follower", "viewsPerFollower", "views per follower",
        "views / followers; unknown followers: 0; the label in disguise, so held at 0 where tiers come from views",
        pl.when(FOLLOWERS.is_null()).then(0.0).otherwise(VIEWS / FOLLOWERS.clip(lower_bound=1)),
        FOLLOWERS.is_not_null(),
    ),
    _posted(
        "weekday_posted", "weekdayPosted", "6 days", "UTC day of the week of posting, Sunday 0",
        POSTED.dt.weekday() % 7, POSTED.is_not_null(), per=6,
    ),
    _posted(
        "hour_posted", "hourPosted", "23 hours", "UTC hour of posting",
        pl.when(_HOUR_KNOWN).then(POSTED.dt.hour()), _HOUR_KNOWN, per=23,
    ),
)  # fmt: skip

_KNOWN: Final = [feature.known.alias(feature.name) for feature in OBSERVED if feature.known is not None]
_PLACES: Final = {feature.name: place for place, feature in enumerate(OBSERVED)}

HELD_ON_VIEWS: Final[dict[str, float]] = {"views_per_follower": 0.0}
"""Features held constant, in training and in prediction, wherever tiers are cut from views."""


def feature_matrix(rows: pl.DataFrame, *, save_per_like: float) -> NDArray[np.float64]:
    """The vectors of canonical rows, (n_videos, 15), each value clipped to its range, unknown as NaN.

    ``save_per_like`` stands in for saves where a video has none (saves per like).
    """
    estimate = pl.coalesce("saves", pl.col("likes") * save_per_like).alias("saves_or_estimate")
    return matrix(rows.with_columns(estimate), OBSERVED)


def unknown_inputs(rows: pl.DataFrame) -> NDArray[np.bool_]:
    """Where a feature's inputs were unknown, (n_videos, 15), so that it is NaN, estimated or stood in for."""
    return ~rows.select(_KNOWN).to_numpy().astype(bool)


def hold(X: NDArray[np.float64], held: dict[str, float]) -> NDArray[np.float64]:
    """A copy of the matrix with the named features set to their constants."""
    constant = X.copy()
    for name, value in held.items():
        constant[:, _PLACES[name]] = value
    return constant
