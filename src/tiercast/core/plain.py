"""Text that a terminal only shows."""

import re
from typing import Final

CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Everything but the line feed that could move the cursor, ring or retitle a terminal."""


def plain(text: object) -> str:
    """The text with control characters, which scraped captions and handles may hold, made visible.

    >>> plain("a\\x1b[2Jb")
    'a\\ufffd[2Jb'
    """
    return CONTROL.sub("\ufffd", str(text))
