"""The canonical columns as Polars types."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Final

import polars as pl

from tiercast.core.video import COLUMNS, Kind

_TYPES: Final[dict[Kind, pl.DataType]] = {
    "text": pl.String(),
    "count": pl.Int64(),
    "real": pl.Float64(),
    "flag": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "texts": pl.List(pl.String()),
}

SCHEMA: Final[dict[str, pl.DataType]] = {column.name: _TYPES[column.kind] for column in COLUMNS}

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
