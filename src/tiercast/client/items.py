"""Videos as callers hold them, as the JSON that is sent; in process the very same is read."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import polars as pl

from tiercast.answering import form_of, video_id_of
from tiercast.core.errors import InvalidInput

MOST_TOGETHER: Final = 1_000
"""What a service takes at a time (serve.max_videos), unless it is set otherwise."""
MOST_BYTES: Final = 4_000_000
"""Half of what a service takes at a time (serve.max_body_bytes); one larger item is sent alone."""
FINER: Final = frozenset({"ns", "ps", "fs", "as"})
"""Than microseconds, the finest of Python's times: NumPy makes plain integers of them."""


class PandasFrame(Protocol):
    """What is asked of a frame of pandas, which is no dependency."""

    @property
    def columns(self) -> Any:
        """Their names."""

    def astype(self, dtype: Any) -> Any:
        """The frame with other types."""


Item: TypeAlias = Mapping[str, Any]
Videos: TypeAlias = Item | Iterable[Item] | pl.DataFrame | PandasFrame


def items_of(videos: Videos) -> list[Item]:
    """One mapping a video; raises InvalidInput where there is none or something else among them."""
    items = _listed(videos)
    if not items:
        raise InvalidInput("No video was given; give a mapping, a sequence of mappings, or a frame.")
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise InvalidInput(f"Video {number} is of type {type(item).__name__}; each has to be a mapping.")
    return items


def _listed(videos: Any) -> list[Item]:
    if isinstance(videos, Mapping):
        return [videos]
    if isinstance(videos, pl.DataFrame):
        return [*videos.fill_nan(None).iter_rows(named=True)]
    if hasattr(videos, "columns") and hasattr(videos, "astype"):
        plain = videos.astype(object)  # of these notna() finds NaN beside NA in one column, too
        return [*plain.where(plain.notna(), None).to_dict(orient="records")]
    if isinstance(videos, Iterable) and not isinstance(videos, str | bytes):
        return [*videos]
    raise InvalidInput(
        f"The videos are of type {type(videos).__name__}; give a mapping, a sequence of mappings, or a frame."
    )


def json_of(document: Item) -> str:
    """A document in JSON; raises InvalidInput where it holds what JSON cannot, such as NaN.

    >>> json_of({"views": float("nan")})
    Traceback (most recent call last):
    tiercast.core.errors.InvalidInput: {'views': nan} cannot be written as JSON (Out of range float values are not ...
    """
    try:
        return json.dumps(document, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        shown = repr(document)[:100] if not isinstance(error, RecursionError) else "A video"
        raise InvalidInput(f"{shown} cannot be written as JSON ({error}). Write null (None) for unknown.") from error


def _plain(value: object) -> object:
    """Times, mappings, and numbers and lists of other libraries as JSON has them; raises TypeError."""
    if _is_unknown(value):
        return None
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, Mapping):
        return {**value}
    if isinstance(value, pl.Series):
        return value.to_list()
    if hasattr(value, "tolist"):
        return _in_microseconds(value).tolist()
    raise TypeError(f"a value is of type {type(value).__name__}")


def _is_unknown(value: object) -> bool:
    """Whether it is NaT or NA of pandas, which is no dependency: who holds one has imported it."""
    pandas = sys.modules.get("pandas")
    return any(value is getattr(pandas, name, None) for name in ("NaT", "NA"))


def _in_microseconds(value: Any) -> Any:
    """NumPy's times and durations in no finer a unit; anything else as it is."""
    is_time = isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "mM"
    is_finer = is_time and np.datetime_data(value.dtype)[0] in FINER
    return value.astype(f"{value.dtype.kind}8[us]") if is_finer else value


def parts_of(items: Sequence[Item]) -> list[list[str]]:
    """Each item in JSON, in parts that a service takes at a time; those of one video stay together.

    A video that was scraped several times gets one answer from all of them.
    """
    texts = [*map(json_of, items)]
    if len(texts) <= MOST_TOGETHER and sum(map(len, texts)) <= MOST_BYTES:
        return [texts]
    parts: list[list[str]] = []
    size = 0
    for together in _of_each_video(items, texts):
        more = sum(map(len, together))
        if not parts or len(parts[-1]) + len(together) > MOST_TOGETHER or size + more > MOST_BYTES:
            parts.append([])
            size = 0
        parts[-1] += together
        size += more
    return parts


def _of_each_video(items: Sequence[Item], texts: Sequence[str]) -> Iterator[list[str]]:
    form = form_of(items)
    together: dict[object, list[str]] = {}
    for number, (item, text) in enumerate(zip(items, texts, strict=True)):
        together.setdefault(video_id_of(item, form) or number, []).append(text)
    yield from together.values()
