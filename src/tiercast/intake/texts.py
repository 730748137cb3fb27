"""Raw text columns as canonical ones: without what databases cannot hold, blanks around it and words for nothing."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from tiercast.core.errors import InvalidInput
from tiercast.intake.reading import Reading, by_value, either, marks
from tiercast.intake.values import CAPTION_HASHTAG, MISSING_WORDS, ROUNDED_NUMBER

IDS: Final = ("video_id", "sound_id")
_WORDS: Final = ("platform", "video_url", *IDS)
"""Text columns in which "null" or "nan" stands for nothing; a caption may well say "none"."""
_AS_WRITTEN: Final = ("description",)
"""Text columns where blank is a value of its own: a caption known to be empty."""
_CODES: Final = ("region",)
"""Text columns of two letters; anything else is unknown, and no reason to refuse a row."""

_TEXT: Final = pl.col("text")
_STORABLE: Final = _TEXT.str.replace_all("\x00", "", literal=True)  # Postgres cannot hold it
_STRIPPED: Final = _STORABLE.str.strip_chars()
_NOTHING: Final = (_TEXT == "") | (pl.col("is_word") & _TEXT.str.to_lowercase().is_in(sorted(MISSING_WORDS)))
_TOLD: Final = pl.when(~_NOTHING).then(_TEXT).alias("text")
_ROUNDED: Final = (pl.col("is_id") & _TEXT.str.contains(f"^(?:{ROUNDED_NUMBER})$")).alias("rounded")
_TWO_LETTERS: Final = pl.when(_STRIPPED.str.contains(r"^[A-Za-z]{2}$")).then(_STRIPPED).str.to_uppercase()
_HASHTAGS: Final = _TEXT.str.extract_all(CAPTION_HASHTAG).list.eval(pl.element().str.slice(1), parallel=False)


def read_texts(columns: Sequence[pl.Series]) -> list[Reading]:
    """Text columns of any type as text; a column of ids that are floating-point numbers raises InvalidInput."""
    texts = [_as_text(series) for series in columns]
    plain = [text.values for text in texts if text.values.name not in (*_AS_WRITTEN, *_CODES)]
    tidied = _tidied(plain) if plain else {}
    return [_finished(text, tidied) for text in texts]


def hashtags_in_captions(captions: pl.Series) -> pl.Series:
    """The hashtags of every caption, as ``values.hashtags_in_caption`` finds them; null for a null one."""
    return _asked(captions, _HASHTAGS)


def _as_text(series: pl.Series) -> Reading:
    if series.dtype == pl.String:
        return Reading(series)
    if series.name in IDS and series.dtype.is_float():
        _refuse_float_id(series)
        return Reading(pl.Series(series.name, [None] * len(series), dtype=pl.String))
    if series.dtype.is_integer():
        return Reading(series.cast(pl.String))
    parsed, bad = by_value(series, "text")
    return Reading(pl.Series(series.name, parsed, dtype=pl.String), bad)


def _refuse_float_id(series: pl.Series) -> None:
    known = series.fill_nan(None).drop_nulls()
    if len(known):
        raise InvalidInput(
            f"The column {series.name} holds floating-point numbers (such as {known[0]!r}), in which 19-digit ids "
            f"have lost their last digits. Write {series.name} as text or whole numbers and read the file again."
        )


def _tidied(columns: Sequence[pl.Series]) -> dict[str, Reading]:
    """Columns of text as one: stripped, null where they tell nothing; bad where a spreadsheet rounded an id."""
    height = len(columns[0])
    stacked = pl.DataFrame(
        {"text": pl.concat(columns), "is_word": _by_name(columns, _WORDS), "is_id": _by_name(columns, IDS)}
    )
    told, rounded = stacked.with_columns(_STRIPPED).select(_TOLD, _ROUNDED)
    whole = Reading(told, marks(rounded))
    return {series.name: whole.slice(place * height, height, series.name) for place, series in enumerate(columns)}


def _by_name(columns: Sequence[pl.Series], names: Sequence[str]) -> pl.Series:
    return pl.concat([pl.Series([series.name in names]).new_from_index(0, len(series)) for series in columns])


def _finished(text: Reading, tidied: dict[str, Reading]) -> Reading:
    name = text.values.name
    if name in _CODES:
        return Reading(_asked(text.values, _TWO_LETTERS))
    if name in _AS_WRITTEN:
        return Reading(_asked(text.values, _STORABLE), text.bad)
    return Reading(tidied[name].values, either(text.bad, tidied[name].bad))


def _asked(texts: pl.Series, of: pl.Expr) -> pl.Series:
    return texts.alias("text").to_frame().select(of).to_series().alias(texts.name)
