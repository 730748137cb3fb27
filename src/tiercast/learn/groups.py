"""Parts of the test rows that a good average can hide: platforms, follower bands, new creators, the newest week."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.learn.references import BAND_NAMES, FOLLOWER_BANDS, Standpoint

WEEK_US: Final = 7 * 86_400_000_000
UNDATED: Final = int(np.iinfo(np.int64).min)
"""Stands for the posting time of a video that has none: no such video is of the newest week."""

Mask = NDArray[np.bool_]


def groups(rows: Standpoint, posted_at: NDArray[np.int64], unseen: Mask) -> dict[str, Mask]:
    """Which rows belong to each group, (n_videos,); groups overlap, and one that holds no or all rows is left out.

    ``posted_at`` is in microseconds since 1970; ``unseen`` marks rows of creators that training did not have.

    >>> rows = Standpoint(["tiktok", "youtube"], np.array([500.0, np.nan]), np.zeros(2), np.zeros(2))
    >>> list(groups(rows, np.array([0, 9 * WEEK_US]), np.array([True, False])))
    ['platform tiktok', 'platform youtube', 'followers under 1k', 'followers unknown', 'new creators', 'newest week']
    """
    platforms = np.array(rows.platforms, dtype=np.str_)
    unknown = np.isnan(rows.followers)
    band = np.searchsorted(FOLLOWER_BANDS, np.nan_to_num(rows.followers), side="right")
    parts: dict[str, Mask] = {f"platform {name}": platforms == name for name in np.unique(platforms).tolist()}
    parts |= {f"followers {name}": ~unknown & (band == number) for number, name in enumerate(BAND_NAMES)}
    parts |= {"followers unknown": unknown, "new creators": unseen, "newest week": newest_week(posted_at)}
    return {name: part for name, part in parts.items() if part.any() and not part.all()}


def newest_week(posted_at: NDArray[np.int64]) -> Mask:
    """Which rows were posted in the seven days up to the newest one, (n_videos,)."""
    newest = posted_at.max(initial=UNDATED)
    if newest == UNDATED:
        return np.zeros(len(posted_at), dtype=bool)
    return np.asarray(posted_at > newest - WEEK_US)
