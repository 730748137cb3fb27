"""How hashtags, sounds and platforms had done by an instant: what everybody's earlier posts tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from tiercast.learn.history import Floats, age_bands, mean_of
from tiercast.learn.ledger import Ledger
from tiercast.learn.timeline import Ints, Timeline

PRIOR_USES: Final = 5
"""A hashtag or sound counts as usual until it was used a few times: five uses weigh as much as the platform's mean."""
MOST_TAGS: Final = 30
WEEK: Final = 7 * 86_400
MONTH: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class StorePast:
    """Everybody's earlier posts, summed up by hashtag, sound, platform and age."""

    platforms: Ledger
    """Each post once, under its platform, with its latest log views."""
    hashtags: Ledger
    sounds: Ledger
    measured: Ledger
    """Every measurement under its platform."""
    at_age: Ledger
    """Every measurement under its platform and band of age."""

    @classmethod
    def of(cls, timeline: Timeline) -> "StorePast":
        """From a timeline of the store's newest posts."""
        order = timeline.latest.order
        post, known, log_views = timeline.post[order], timeline.known[order], timeline.log_views[order]
        repeats = np.concatenate([[False], post[1:] == post[:-1]]) if len(post) else np.zeros(0, dtype=bool)
        change = log_views - np.where(repeats, np.roll(log_views, 1), 0)
        entries = _Entries(post, known, (~repeats).astype(np.int64), change)
        platform = timeline.posts["platform"].to_list()
        once = np.ones(len(post), dtype=np.int64)
        places = [platform[p] for p in post.tolist()]
        bands = age_bands(timeline.age_hours[order]).tolist()
        return cls(
            platforms=entries.ledger(places),
            hashtags=_by_hashtag(timeline, entries),
            sounds=entries.ledger(_taken(sound_keys(timeline.posts), post)),
            measured=Ledger.of(places, known, once, log_views),
            at_age=Ledger.of([f"{p}:{b}" for p, b in zip(places, bands, strict=True)], known, once, log_views),
        )

    def level(self, rows: pl.DataFrame, seconds: Ints) -> Floats:
        """The platform's usual log views in LOG_UNITS by then; NaN where nothing was known."""
        return mean_of(*self.platforms.before(rows["platform"].to_list(), seconds))

    def columns(self, rows: pl.DataFrame, seconds: Ints, level: Floats) -> dict[str, Floats]:
        """How each row's hashtags, sound and platform had done; lifts are over ``level``."""
        platform = rows["platform"].to_list()
        week = self.measured.before(platform, seconds, within=WEEK)
        sounds = sound_keys(rows)
        uses, total = self.sounds.before(sounds, seconds)
        known = np.array([key is not None for key in sounds], dtype=bool)
        return {
            **self._hashtag_columns(rows, seconds, level),
            "sound_uses": np.where(known, uses, np.nan),
            "sound_lift": np.where(known & (uses > 0), _lift(uses, total, level), np.nan),
            "platform_week": mean_of(*week),
            "platform_month": mean_of(*self.measured.before(platform, seconds, within=MONTH)),
            "platform_measured": week[0].astype(np.float64),
        }

    def usual_at_age(self, rows: pl.DataFrame, seconds: Ints, age_hours: Floats) -> Floats:
        """Mean log views that earlier posts of the platform had at that age, in LOG_UNITS."""
        bands = age_bands(age_hours).tolist()
        keys = [f"{platform}:{band}" for platform, band in zip(rows["platform"].to_list(), bands, strict=True)]
        return mean_of(*self.at_age.before(keys, seconds))

    def _hashtag_columns(self, rows: pl.DataFrame, seconds: Ints, level: Floats) -> dict[str, Floats]:
        row, keys = _hashtag_keys(rows)
        uses, total = self.hashtags.before(keys, seconds[row])
        lift = np.nan_to_num(np.rint(_lift(uses, total, level[row]))).astype(np.int64)
        used = (uses > 0) & ~np.isnan(level[row])
        n = rows.height
        best = np.full(n, np.iinfo(np.int64).min)
        np.maximum.at(best, row[used], lift[used])
        most, fewest = np.zeros(n), np.full(n, np.inf)
        np.maximum.at(most, row, uses)
        np.minimum.at(fewest, row, uses)
        known = np.bincount(row, minlength=n) > 0
        counted = np.bincount(row[used], minlength=n)
        summed = np.zeros(n, dtype=np.int64)
        np.add.at(summed, row[used], lift[used])
        return {
            "hashtag_uses": np.where(known, most, np.nan),
            "hashtag_fewest_uses": np.where(known, fewest, np.nan),
            "hashtag_lift": mean_of(counted, summed),
            "hashtag_best_lift": np.where(counted > 0, best, np.nan),
        }


@dataclass(frozen=True, slots=True)
class _Entries:
    """One entry a measurement: a post counts once, and each measurement moves its amount to what was measured last."""

    post: Ints
    known: Ints
    count: Ints
    change: Ints

    def ledger(self, keys: Sequence[str | None]) -> Ledger:
        return Ledger.of(keys, self.known, self.count, self.change)


def _by_hashtag(timeline: Timeline, entries: _Entries) -> Ledger:
    of_post, keys = _hashtag_keys(timeline.posts)
    tags = np.bincount(of_post, minlength=timeline.posts.height)
    first = np.cumsum(tags) - tags
    repeat = tags[entries.post]
    entry = np.repeat(np.arange(len(entries.post)), repeat)
    within = np.arange(len(entry)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    place = first[entries.post[entry]] + within
    named = [keys[i] for i in place.tolist()]
    return Ledger.of(named, entries.known[entry], entries.count[entry], entries.change[entry])


def _hashtag_keys(rows: pl.DataFrame) -> tuple[Ints, list[str]]:
    """The row and the key of every distinct hashtag."""
    tags = pl.col("hashtags").list.drop_nulls().list.eval(pl.element().str.to_lowercase())
    tags = tags.list.unique(maintain_order=True)
    listed = rows.select("platform", tags.list.head(MOST_TAGS)).rows()
    named = [(row, f"{platform}:{tag}") for row, (platform, names) in enumerate(listed) for tag in names or ()]
    return np.array([row for row, _ in named], dtype=np.int64), [key for _, key in named]


def own_sound() -> pl.Expr:
    """Whether the sound is the creator's own recording; null where no sound is known."""
    known = pl.col("sound_id").is_not_null() | pl.col("sound_name").is_not_null()
    return pl.coalesce("sound_is_original", pl.when(known).then(pl.lit(value=False)))


def sound_keys(rows: pl.DataFrame) -> list[str | None]:
    """The key of each row's sound: its id, else its name; none where it is the creator's own or unknown."""
    sound = pl.coalesce("sound_id", "sound_name")
    key = pl.when(~own_sound().fill_null(value=False)).then(pl.concat_str("platform", sound, separator=":"))
    return rows.select(key).to_series().to_list()


def _taken(keys: list[str | None], post: Ints) -> list[str | None]:
    return [keys[p] for p in post.tolist()]


def _lift(uses: Ints, total: Ints, level: Floats) -> Floats:
    """Mean log views over the usual, drawn towards it while uses are few."""
    return (total + PRIOR_USES * level) / (uses + PRIOR_USES) - level
