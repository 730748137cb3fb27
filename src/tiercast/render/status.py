"""The state of a service as one page: server-rendered, without scripts, with nothing from elsewhere."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from textwrap import shorten
from typing import Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tiercast.core.plain import plain
from tiercast.ports.runs import InProgress
from tiercast.render.output import percent

SHOWN: Final = 140
"""Characters of a reason beside its run: two lines of the table; the whole is one click away."""


MEANING: Final = {"draft": "before posting", "early": "in its first hours", "observed": "later, by its engagement"}
"""What a moment is, for who has not read of them yet."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The champion of a moment: what its manifest and the entry that chose it say."""

    release: str
    model: str
    label: str
    marks: Sequence[str]
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    confidence_threshold: float | None
    newest_video_at: datetime | None
    since: datetime
    action: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class MomentStatus:
    """One moment: who serves it, or why nobody does; and what this process has predicted, by tier."""

    moment: str
    champion: Serving | None
    why_none: str
    predicted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Objection:
    """A finding that stood in the way of a promotion."""

    code: str
    outcome: str
    title: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """A retrain of one moment."""

    run: str
    at: datetime
    moment: str
    status: str
    reason: str
    objections: Sequence[Objection]


@dataclass(frozen=True, slots=True)
class Retrains:
    """What is known of retrains: the newest first, the one under way, and when the schedule asks for another."""

    past: Sequence[PastRun]
    problem: str | None
    """Why the past is not known; None where it is."""
    running: InProgress | None
    schedule: str
    """A cron line; empty where there is no schedule."""
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """What became of the predictions that this process served."""

    days: int
    """How long they are kept; 0: not at all."""
    kept: int
    waiting: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that the page shows, as of one time."""

    at: datetime
    version: str
    readiness: Literal["ready", "degraded", "not ready"]
    shortcomings: Mapping[str, str]
    moments: Sequence[MomentStatus]
    retrains: Retrains
    keeping: Keeping


def status_page(status: Status) -> str:
    """The page's HTML."""
    style = Markup(_style())  # noqa: S704  ours, and its hash has to fit
    return _environment().get_template("status.html.jinja").render(status=status, style=style, meaning=MEANING)


def style_source() -> str:
    """What a Content-Security-Policy has to name so that browsers apply the page's style, and no other."""
    return f"'sha256-{b64encode(sha256(_style().encode()).digest()).decode()}'"


def age(span: timedelta) -> str:
    """How long ago, in the largest unit that fits twice.

    >>> age(timedelta(days=9, hours=5)), age(timedelta(minutes=100)), age(timedelta(seconds=-3))
    ('9 days', '100 minutes', 'moments')
    """
    seconds = span.total_seconds()
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return "moments"


def cut(text: str) -> str:
    """The beginning of a text, ended at a word where there is one.

    >>> cut("Every check passed.")
    'Every check passed.'
    >>> cut("no " * 100)[-7:], len(cut("x" * 1000))
    ('no no …', 140)
    """
    if len(text) <= SHOWN:
        return text
    words = shorten(text, SHOWN, placeholder=" …")
    return words if len(words) > SHOWN // 2 else text[: SHOWN - 1] + "…"


def told(text: str) -> Markup:
    """A sentence as HTML, what it has between backticks as code.

    >>> told("`tiercast retrain` makes <one>")
    Markup('<code>tiercast retrain</code> makes &lt;one&gt;')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(plain(text)))))  # noqa: S704  escaped before


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tiercast.render"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "age": age, "cut": cut, "utc": _utc, "told": told}
    return environment


@cache
def _style() -> str:
    return files("tiercast.render").joinpath("templates", "status.css").read_text(encoding="utf-8")


def _shown(value: object) -> object:
    """Whatever the template writes: texts come from strangers, markup from the template alone."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
