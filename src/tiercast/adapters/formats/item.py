"""What a scraper format is, and how its nested items are read."""

from collections.abc import Mapping
from typing import Protocol

Item = Mapping[str, object]


class Format(Protocol):
    """One scraper's way of writing a video; adding one takes a module and a line in the registry."""

    @property
    def name(self) -> str:
        """What ``--format`` calls it."""
        ...

    def recognises(self, item: Item, /) -> bool:
        """Whether the item carries this format's tell-tale fields."""
        ...

    def row(self, item: Item, /) -> dict[str, object]:
        """The item's raw values under canonical column names; absent where the item does not say."""
        ...


def part(item: Item, key: str) -> Item:
    """The object inside an item, empty where there is none.

    >>> part({"author": {"name": "ana"}}, "author"), part({"author": "ana"}, "author")
    ({'name': 'ana'}, {})
    """
    inner = item.get(key)
    return inner if isinstance(inner, Mapping) else {}


def first(item: Item, *keys: str) -> object:
    """The first of these fields that is not null.

    >>> first({"a": None, "b": 2}, "a", "b")
    2
    """
    return next((item[key] for key in keys if item.get(key) is not None), None)
