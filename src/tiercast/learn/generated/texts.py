"""Captions, hashtags, ids and sounds of generated videos: plausible to read, plainly invented."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tiercast.learn.generated.world import World

_WORDS: Final = (
    "a the my our this new first last small big slow quick quiet bright morning evening day week city garden kitchen "
    "street river coffee bread soup dance song guitar drum dog cat bike train hike walk run paint clay paper light "
    "rain sun snow how why when tried made found learned watch wait until again never always with without before after"
)
_TAGS: Final = (
    "fyp viral foryou trending learnontiktok recipe cooking baking coffee travel hiking fitness yoga running dance "
    "music guitar singing comedy storytime diy craft painting pottery garden plants dogs cats pets fashion thrift "
    "makeup skincare hair books booktok study school science history space tech coding gaming cars bikes football "
    "basketball skate surf climbing camping home cleaning parenting wedding vlog dayinmylife asmr film photography"
)
_REUSED_SOUNDS: Final = 400
"""Sounds that travel between creators; drawn with weight 1 / rank, so that a few are everywhere."""
_MEAN_WORDS: Final = 9
"""Words per caption (1 + Poisson)."""
_ID_STRIDE: Final = 2_654_435_761
"""Odd, so that index * stride modulo 2**32 never repeats (Knuth's multiplicative hash)."""
_SOUND_ID_START: Final = 7_000_000_000_000_000_000
"""Sound ids have 19 digits, as TikTok's do."""


def _by_rank(rng: np.random.Generator, pool: int, size: int) -> NDArray[np.int64]:
    """Indices ``(size,)`` into a pool whose members have weight 1 / rank."""
    weight = 1.0 / np.arange(1, pool + 1)
    return rng.choice(pool, size=size, p=weight / weight.sum())


def hashtag_lists(rng: np.random.Generator, has_caption: NDArray[np.bool_], world: World) -> list[list[str]]:
    """The distinct hashtags of each video ``(n_videos,)``; none where there is no caption."""
    drawn = np.where(has_caption, rng.poisson(world.hashtags_mean, len(has_caption)), 0)
    ends = np.cumsum(drawn)
    pool = _TAGS.split()
    tags = [pool[i] for i in _by_rank(rng, len(pool), int(ends[-1])).tolist()]
    return [list(dict.fromkeys(tags[end - n : end])) for end, n in zip(ends.tolist(), drawn.tolist(), strict=True)]


def captions(rng: np.random.Generator, has_caption: NDArray[np.bool_], hashtags: list[list[str]]) -> list[str | None]:
    """The caption of each video ``(n_videos,)``: words, then its hashtags; None where unknown."""
    n_words = 1 + rng.poisson(_MEAN_WORDS, len(has_caption))
    ends = np.cumsum(n_words)
    pool = _WORDS.split()
    words = [pool[i] for i in rng.integers(0, len(pool), int(ends[-1])).tolist()]
    known, stops, sizes = has_caption.tolist(), ends.tolist(), n_words.tolist()
    return [
        " ".join([*words[stop - size : stop], *(f"#{tag}" for tag in tags)]) if is_known else None
        for is_known, stop, size, tags in zip(known, stops, sizes, hashtags, strict=True)
    ]


def sounds(rng: np.random.Generator, creator: NDArray[np.int64], world: World) -> pl.DataFrame:
    """Columns sound_id, sound_name and sound_is_original, all null where a video has no sound."""
    n = len(creator)
    original = rng.random(n) < world.original_sound_share
    known = rng.random(n) >= world.sound_missing_share
    reused = _by_rank(rng, _REUSED_SOUNDS, n)
    number = np.where(original, _REUSED_SOUNDS + creator, reused)
    table = pl.DataFrame({"number": number, "original": original, "known": known})
    name = pl.when("original").then(pl.lit("original sound")).otherwise(pl.format("Invented song {}", "number"))
    return table.select(
        sound_id=pl.when("known").then((pl.lit(_SOUND_ID_START) + pl.col("number")).cast(pl.String)),
        sound_name=pl.when("known").then(name),
        sound_is_original=pl.when("known").then("original"),
    )


def ids_and_urls(posted: NDArray[np.int64], author: pl.Series, platform: pl.Series) -> pl.DataFrame:
    """Columns video_id and video_url; ``posted`` is UTC epoch seconds, which TikTok ids hold in their upper bits."""
    index = np.arange(len(posted), dtype=np.uint64)
    tiktok_id = (posted.astype(np.uint64) << np.uint64(32)) | (index * np.uint64(_ID_STRIDE) % np.uint64(2**32))
    youtube_id = [f"gen{i:08x}" for i in range(len(posted))]
    on_tiktok = pl.col("platform") == "tiktok"
    table = pl.DataFrame({"author": author, "platform": platform, "tiktok": tiktok_id, "youtube": youtube_id})
    named = table.with_columns(video_id=pl.when(on_tiktok).then(pl.col("tiktok").cast(pl.String)).otherwise("youtube"))
    return named.select(
        "video_id",
        video_url=pl.when(on_tiktok)
        .then(pl.format("https://www.tiktok.com/@{}/video/{}", "author", "video_id"))
        .otherwise(pl.format("https://www.youtube.com/shorts/{}", "video_id")),
    )
