"""The parameters of the invented world: every number here is chosen, none is fitted to anyone's data."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRate:
    """How one count follows views: ln(count / views) = ln(typical) - slope * ln(views / usual) + noise * N(0, 1)."""

    count: str
    """The canonical column that holds the count."""
    typical: float
    """Count per view of a video with the usual views."""
    slope: float
    """Fall of the log rate per unit of log views: larger audiences engage less."""
    noise: float
    """Standard deviation of the log rate among videos of equal views; the smaller, the easier the tiers."""
    missing_share: float
    """Share of videos for which this count is unknown, in every scrape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is drawn, from which distribution; log means natural logarithm, hours and weekdays are UTC."""

    videos_per_creator: int = 8
    """Mean number; with 8 a creator usually has some history, and 10,000 videos still hold 1,250 creators."""
    productivity_pareto: float = 1.3
    """Tail of the videos per creator: below 2 a few creators post very much."""
    productivity_cap: float = 60.0
    """Times the least active creator, so that no single creator dominates a training set."""
    youtube_share: float = 0.08
    """Share of creators on YouTube, whose shares and saves are never known; the others are on TikTok."""

    followers_median: int = 50_000
    """Puts creators into all five follower tiers."""
    followers_log_sd: float = 1.8
    """Lognormal audiences: one creator in 20 has more than a million followers."""
    followers_growth_per_day: float = 0.0005
    """Followers fall by this log step for each day back from now."""
    followers_missing_share: float = 0.10
    """Share of videos whose scraper gave no followers."""

    usual_views: int = 30_000
    """Final views of a typical video; counts stay large enough for rounding to hide little."""
    creator_log_sd: float = 1.3
    """Spread of the creators' usual log views."""
    audience_correlation: float = 0.7
    """Between a creator's log followers and usual log views: followers tell something, far from all."""
    video_log_sd: float = 0.7
    """Luck of the single video in log views, which nothing known before posting tells."""

    hour_amplitude: float = 0.12
    """Log views between the mean and the best hour (a cosine over the day)."""
    best_hour: int = 18
    """Hour with the highest views."""
    weekend_bonus: float = 0.06
    """Log views gained on Saturday and Sunday."""
    length_slope: float = -0.06
    """Log views per unit of log(duration / 30 s); a video of unknown length has no such effect."""
    hashtag_bonus: float = 0.03
    """Log views per hashtag, up to five."""

    growth_median_hours: float = 12.0
    """Age at which a video has half of its final views: views(age) = final * age / (age + half)."""
    growth_log_sd: float = 0.5
    """Spread of that age among videos, in log hours."""
    youngest_hours: float = 3.0
    """Least age at the first scrape; ages are log-uniform from here."""
    oldest_hours: float = 8760.0
    """Greatest age at the first scrape: a year."""
    rescraped_share: float = 0.4
    """Share of videos that were scraped again."""
    most_rescrapes: int = 3
    """Such a video has 1 to this many further scrapes, equally likely."""
    rescrape_median_days: float = 5.0
    """Time between two scrapes: lognormal around this, at least an hour."""
    rescrape_log_sd: float = 0.6
    """Spread of that time."""
    last_scrape_within_days: float = 7.0
    """The last scrape lies evenly within this time before now, as for a team that scrapes weekly."""

    duration_median_seconds: float = 25.0
    """Whole seconds, lognormal."""
    duration_log_sd: float = 0.7
    """Spread of the log duration."""
    duration_shortest_seconds: int = 5
    """Shorter draws are set to this."""
    duration_longest_seconds: int = 180
    """Longer draws are set to this: the duration feature shows no more."""
    duration_missing_share: float = 0.06
    """Share of videos of unknown length."""
    caption_missing_share: float = 0.14
    """Share of videos without a caption, and so without hashtags."""
    hashtags_mean: float = 4.0
    """Hashtags drawn per caption (Poisson); a tag drawn twice counts once."""
    sound_missing_share: float = 0.04
    """Share of videos without any sound."""
    original_sound_share: float = 0.45
    """Share of the other videos that use the creator's own sound."""
    ad_share: float = 0.02
    """Share of videos marked as paid; being paid has no effect."""
    pinned_share: float = 0.01
    """Share of videos that the creator pinned; being pinned has no effect."""

    rates: tuple[EngagementRate, ...] = (
        EngagementRate(count="likes", typical=0.07, slope=0.22, noise=0.15, missing_share=0.01),
        EngagementRate(count="comments", typical=0.006, slope=0.24, noise=0.18, missing_share=0.0),
        EngagementRate(count="shares", typical=0.007, slope=0.26, noise=0.17, missing_share=0.05),
        EngagementRate(count="saves", typical=0.009, slope=0.25, noise=0.18, missing_share=0.10),
    )
    """Tight on purpose: they put the best possible accuracy near three in four."""


WORLD: Final = World()
"""The world of most tests: first scrapes at any age up to a year."""
REGULAR: Final = World(
    videos_per_creator=20, oldest_hours=72, rescraped_share=1.0, last_scrape_within_days=120, rescrape_median_days=5
)
"""The world of the demo: a team that scrapes its creators every few days, so that history is known in time."""
