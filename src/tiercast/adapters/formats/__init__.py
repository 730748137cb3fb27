"""The scraper formats that can be read: one module each, in the order in which they are tried."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tiercast.adapters.formats import apidojo, clockworks, drafts, scraped_videos, table, tiktok_web
from tiercast.adapters.formats.frames import what_it_is
from tiercast.adapters.formats.item import Format
from tiercast.core.errors import InvalidInput
from tiercast.intake.schema import nearest_column

FORMATS: Final[tuple[Format, ...]] = (clockworks, apidojo, tiktok_web, scraped_videos, table)


def format_names() -> str:
    """Every format's name, for messages."""
    return ", ".join(form.name for form in FORMATS)


def by_name(name: str) -> Format:
    """The format of that name; raises InvalidInput naming those that exist.

    >>> by_name("tiktok-web").name
    'tiktok-web'
    >>> by_name("myspace")
    Traceback (most recent call last):
    tiercast.core.errors.InvalidInput: There is no format 'myspace'; formats: clockworks, ..., scraped_videos, table.
    """
    for form in (*FORMATS, drafts):  # only asked for, never detected: a file without views is a fault elsewhere
        if form.name == name:
            return form
    raise InvalidInput(f"There is no format {name!r}; formats: {format_names()}.")


def recognise(items: Iterable[object]) -> Format | None:
    """The format that most of these items have (the earlier one on a tie), or None where no item has any.

    >>> recognise([{"url": "x", "error": "not found"}, {"video_id": "1", "views": 2}]).name
    'table'
    """
    votes = dict.fromkeys(range(len(FORMATS)), 0)
    for item in items:
        if isinstance(item, Mapping):
            for number, form in enumerate(FORMATS):
                if form.recognises(item):
                    votes[number] += 1
                    break
    winner = max(votes, key=lambda number: votes[number])
    return FORMATS[winner] if votes[winner] else None


def choose(items: Sequence[object], wanted: Format | None, label: str) -> Format:
    """The wanted format or else the recognised one; raises InvalidInput where no item has it."""
    found = recognise(items)
    if wanted is not None and any(isinstance(item, Mapping) and wanted.recognises(item) for item in items):
        return wanted
    seen = what_it_is(items[0]) if items else "it holds no items"
    if wanted is not None:
        instead = f" It looks like {found.name}; leave --format out to have it detected." if found else ""
        raise InvalidInput(f"{label} has no {wanted.name} items: {seen}.{instead}")
    if found is None:
        raise InvalidInput(
            f"{label} has no known shape: {seen}. Formats: {format_names()}; "
            f"a table needs at least the columns video_id and views, one of drafts (for predict only) video_id and "
            f"what is known of the post, such as author or description.{_slips(items)}"
        )
    return found


def _slips(items: Sequence[object]) -> str:
    """What the fields of the first item were probably meant to be, where they nearly are a table's."""
    keys = [str(key) for key in items[0]] if items and isinstance(items[0], Mapping) else []
    meant = {near: key for key in keys if (near := nearest_column(key)) in table.NEEDED and near not in keys}
    slips = " and ".join(f"{near} (it has {key!r})" for near, key in meant.items())
    return f" Did you mean {slips}?" if slips else ""
