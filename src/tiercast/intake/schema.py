"""The canonical columns as Polars types."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Final

import polars as pl

from tiercast.core.video import COLUMNS, COUNTS, Kind

_TYPES: Final[dict[Kind, pl.DataType]] = {
    "text": pl.String(),
    "count": pl.Int64(),
    "real": pl.Float64(),
    "flag": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "texts": pl.List(pl.String()),
}

SCHEMA: Final[dict[str, pl.DataType]] = {column.name: _TYPES[column.kind] for column in COLUMNS}
COUNT_NAMES: Final = frozenset(column.name for column in COUNTS)

_WORD: Final = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_AROUND_COUNTS: Final = frozenset({"", "total", "num", "number", "no", "n", "nb", "of", "video", "post"})
"""What else the names of counts are made of; a word beside these makes it a link, a flag or a rate."""

CLOSE_ENOUGH: Final = 0.75
"""Similarity from which a name is taken for a slip: two letters exchanged in a word of five give 0.8."""
LONGEST_NAME: Final = 100
"""Characters of an unknown name that are looked at; our own have a fifth of them."""
MOST_LOOKED_AT: Final = 100
"""Unknown names that are compared with ours; a table has fewer, and somebody may send a million to keep us busy."""


def nearest_column(name: str) -> str | None:
    """The canonical column that an unknown name was probably meant to be.

    >>> nearest_column("veiws"), nearest_column("Video ID"), nearest_column("mood")
    ('views', 'video_id', None)
    """
    plain = name.strip()[:LONGEST_NAME].lower().replace(" ", "_").replace("-", "_")
    return _nearest(plain)


@lru_cache(maxsize=1_000)  # a thousand items have the same few names, and comparing takes as long as predicting
def _nearest(plain: str) -> str | None:
    return next(iter(get_close_matches(plain, SCHEMA, n=1, cutoff=CLOSE_ENOUGH)), None)


def slips(names: Iterable[str]) -> dict[str, str]:
    """The unknown names among the first hundred that nearly are ours, each with the column it was meant to be.

    >>> slips(["veiws", "mood"])
    {'veiws': 'views'}
    """
    return {name: near for name in islice(names, MOST_LOOKED_AT) if (near := nearest_column(name)) is not None}


def count_meant(name: str) -> str | None:
    """The count that one of the words of an unknown name is, as other tables call theirs.

    >>> count_meant("views_count"), count_meant("totalLikeCount"), count_meant("share_url"), count_meant("count")
    ('views', 'likes', None, None)
    """
    words = {word.lower().removesuffix("count").removesuffix("s") for word in _WORD.findall(name[:LONGEST_NAME])}
    meant = [f"{word}s" for word in words if f"{word}s" in COUNT_NAMES]
    return meant[0] if len(meant) == 1 and len(words - _AROUND_COUNTS) == 1 else None
