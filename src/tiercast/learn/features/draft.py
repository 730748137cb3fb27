"""What can be known before posting: the post itself, its creator's earlier posts, and how its ingredients had done.

Columns that no canonical row has come from ``learn.describe``; every one of them is cut at the instant of the question.
Log views are in ten-thousandths there, seconds are whole.
"""

from typing import Final

import polars as pl

from tiercast.core.moments import Moment
from tiercast.learn.circumstances import own_sound
from tiercast.learn.features.feature import Feature, Needs
from tiercast.learn.regions import MINUTES_FROM_UTC
from tiercast.learn.timeline import COUNTS, LOG_UNITS

EMOJI: Final = r"[\x{1F000}-\x{1FAFF}\x{2600}-\x{27BF}]"
LARGEST_LOG: Final = 28.0
"""ln of 10**12, above which a count is a fault."""
_PER_DAY: Final = 1 / 86_400
"""Multiplied, never divided: Polars divides a single row otherwise than many, and the last bit would differ."""

CAPTION, POSTED = pl.col("description"), pl.col("published_at")
HOUR_KNOWN = POSTED.is_not_null() & ~pl.col("published_date_only").fill_null(value=False)
_MINUTES = pl.col("region").replace_strict(MINUTES_FROM_UTC, default=0, return_dtype=pl.Int64)
LOCAL_TIME = POSTED + pl.duration(minutes=_MINUTES)


def _post(name: str, unit: str, meaning: str, value: pl.Expr, *, high: float, changeable: bool = True) -> Feature:
    return Feature(name, unit, meaning, value, Moment.DRAFT, Needs.VIDEO, high=high, changeable=changeable)


def _log_views(name: str, meaning: str, value: pl.Expr | None = None) -> Feature:
    column = pl.col(name.removeprefix("creator_")) if value is None else value
    unit = "ln(views + 1)"
    return Feature(name, unit, meaning, column, Moment.DRAFT, Needs.HISTORY, high=LARGEST_LOG, per=LOG_UNITS)


def _lift(name: str, meaning: str, value: pl.Expr, *, changeable: bool = False) -> Feature:
    unit, reach = "ln of views over views", LARGEST_LOG
    return Feature(
        name, unit, meaning, value, Moment.DRAFT, Needs.HISTORY,
        low=-reach, high=reach, per=LOG_UNITS, changeable=changeable,
    )  # fmt: skip


def _number(
    name: str, unit: str, meaning: str, value: pl.Expr, *, high: float, low: float = 0.0, changeable: bool = False
) -> Feature:
    return Feature(
        name, unit, meaning, value, Moment.DRAFT, Needs.HISTORY, low=low, high=high, changeable=changeable
    )  # fmt: skip


def _matches(pattern: str) -> pl.Expr:
    return CAPTION.str.count_matches(pattern)


POST: Final[tuple[Feature, ...]] = (
    _post("duration", "ln(seconds + 1)", "length of the video", pl.col("duration_seconds").log1p(), high=10),
    _post("caption_length", "characters", "length of the caption", CAPTION.str.len_chars(), high=5000),
    _post("caption_words", "words", "words of the caption", _matches(r"\S+"), high=1000),
    _post("caption_questions", "marks", "question marks in the caption", _matches(r"[?？؟]"), high=20),
    _post("caption_exclamations", "marks", "exclamation marks in the caption", _matches("[!！]"), high=20),
    _post("caption_numbers", "numbers", "numbers in the caption", _matches(r"\d+"), high=50),
    _post("caption_emoji", "emoji", "emoji in the caption", _matches(EMOJI), high=50),
    _post("caption_mentions", "mentions", "accounts named in the caption", _matches("@"), high=30),
    _post(
        "caption_not_ascii", "share of characters", "language, as far as the script tells it: characters outside ASCII",
        _matches(r"[^\x00-\x7F]") / CAPTION.str.len_chars(), high=1,
    ),
    _post("hashtag_count", "hashtags", "number of hashtags", pl.col("hashtags").list.len(), high=60),
    _post("hour", "hours", "hour of posting, local where the region is known, else UTC",
          pl.when(HOUR_KNOWN).then(LOCAL_TIME.dt.hour() + LOCAL_TIME.dt.minute() * (1 / 60)), high=24),
    _post("weekday", "days", "day of posting, Monday 1, local where the region is known",
          pl.when(HOUR_KNOWN).then(LOCAL_TIME).otherwise(POSTED).dt.weekday(), high=7),
    _post("sound_is_own", "0 or 1", "1 where the sound is the creator's own", own_sound().cast(pl.Float64), high=1),
    _post("is_slideshow", "0 or 1", "1 for a slideshow of pictures", pl.col("is_slideshow").cast(pl.Float64), high=1),
    _post("is_ad", "0 or 1", "1 where it is paid or sponsored", pl.col("is_ad").cast(pl.Float64), high=1),
    _post("verified", "0 or 1", "1 where the platform verified the creator",
          pl.col("author_verified").cast(pl.Float64), high=1, changeable=False),
)  # fmt: skip

CREATOR: Final[tuple[Feature, ...]] = (
    _number("followers", "ln(followers + 1)", "followers of the creator, last known by then",
            pl.col("followers").log1p(), high=28),
    _number("creator_posts", "ln(posts + 1)", "known earlier posts of the creator, up to 200",
            pl.col("posts").log1p(), high=6),
    _log_views("creator_mean", "mean views of the creator's earlier posts"),
    _log_views("creator_median", "median views of the creator's earlier posts"),
    _log_views("creator_spread", "how far the creator's earlier posts stray (standard deviation)"),
    _log_views("creator_best", "views of the creator's best earlier post"),
    _log_views("creator_worst", "views of the creator's worst earlier post"),
    _log_views("creator_lower_quartile", "views that a quarter of the creator's earlier posts stay below"),
    _log_views("creator_upper_quartile", "views that a quarter of the creator's earlier posts exceed"),
    _log_views("creator_last", "views of the creator's last post"),
    _log_views("creator_before_last", "views of the creator's post before the last"),
    _log_views("creator_last3", "mean views of the creator's last three posts"),
    _log_views("creator_last5", "mean views of the creator's last five posts"),
    _log_views("creator_recent", "the creator's usual views: a mean in which weights halve every three posts"),
    _log_views("creator_recent_month", "the creator's usual views: a mean in which weights fall to a third in a month"),
    _lift("creator_trend", "the creator's last three posts over the mean of all", pl.col("last3") - pl.col("mean")),
    _lift("creator_over_followers", "median views of the creator's earlier posts over followers",
          pl.col("median") - pl.col("followers").log1p() * LOG_UNITS),
    _number("creator_hits", "share of posts",
            "share of the creator's earlier posts with three times the platform's usual views",
            pl.col("hits"), high=1),
    _number("creator_posts_week", "posts", "the creator's posts in the week before", pl.col("posts_week"), high=100),
    _number("creator_posts_month", "posts", "the creator's posts in the thirty days before",
            pl.col("posts_month"), high=200),
    _number("days_since_post", "ln(days + 1)", "days since the creator's last post",
            (pl.col("seconds_since") * _PER_DAY).log1p(), high=9),
    _number("days_between_posts", "ln(days + 1)", "median days between the creator's posts",
            (pl.col("seconds_between") * _PER_DAY).log1p(), high=9),
    *(
        Feature(
            f"creator_{name}_rate", "ln of share of views", f"{name} per view of the creator's earlier posts",
            pl.col(f"{name}_rate"), Moment.DRAFT, Needs.HISTORY, low=-LARGEST_LOG, high=1.0, per=LOG_UNITS,
        )
        for name in COUNTS
    ),
    _number("duration_over_usual", "ln of seconds over seconds", "length over the creator's usual length",
            pl.col("duration_seconds").log1p() - pl.col("log_seconds") * (1 / LOG_UNITS),
            low=-10, high=10, changeable=True),
)  # fmt: skip

CIRCUMSTANCES: Final[tuple[Feature, ...]] = (
    _number("hashtag_uses", "ln(uses + 1)", "earlier posts under the hashtag used most",
            pl.col("hashtag_uses").log1p(), high=20, changeable=True),
    _number("hashtag_fewest_uses", "ln(uses + 1)", "earlier posts under the hashtag used least",
            pl.col("hashtag_fewest_uses").log1p(), high=20, changeable=True),
    _lift("hashtag_lift", "earlier posts under the hashtags over the platform's usual", pl.col("hashtag_lift"),
          changeable=True),
    _lift("hashtag_best_lift", "the same of the hashtag that did best", pl.col("hashtag_best_lift"), changeable=True),
    _number("sound_uses", "ln(uses + 1)", "earlier posts with the sound", pl.col("sound_uses").log1p(), high=20,
            changeable=True),
    _lift("sound_lift", "earlier posts with the sound over the platform's usual", pl.col("sound_lift"),
          changeable=True),
    _log_views("platform_week", "mean views measured on the platform in the week before", pl.col("platform_week")),
    _log_views("platform_month", "mean views measured on the platform in the thirty days before",
               pl.col("platform_month")),
    _number("platform_measured", "ln(measurements + 1)", "measurements on the platform in the week before",
            pl.col("platform_measured").log1p(), high=20),
)  # fmt: skip

DRAFT: Final[tuple[Feature, ...]] = (*POST, *CREATOR, *CIRCUMSTANCES)
GROUPS: Final[dict[str, tuple[Feature, ...]]] = {
    "the post itself": POST,
    "the creator and earlier posts": CREATOR,
    "hashtags, sound and platform": CIRCUMSTANCES,
}
"""Who brings what: ``benchmarks/quality.py`` leaves each out in turn."""
