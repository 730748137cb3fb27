"""Who hears of a retrain that did not promote, and in which words."""

from collections.abc import Sequence
from time import monotonic
from typing import Final

from tiercast.core.errors import Unavailable
from tiercast.flows.report import objections
from tiercast.ports.runs import Notice, Notifier, RunKeeper, RunRecord

TOLD: Final = ("held", "rejected", "failed")
LONGEST: Final = 2_000
"""Characters of a reason in a chat; the run has it whole."""
ALL_SECONDS: Final = 30.0
"""After so long no further notice begins: three runs, each tried twice for 5 seconds, at an address that is silent."""


class Noting:
    """A RunKeeper that also notes what it is given to keep, so that it can be told once everything else is done."""

    def __init__(self, runs: RunKeeper, noted: list[RunRecord]) -> None:
        self._runs = runs
        self._noted = noted

    def save(self, record: RunRecord) -> None:
        """Keep a run, and remember it whether or not that worked."""
        self._noted.append(record)
        self._runs.save(record)


def notify(records: Sequence[RunRecord], notifier: Notifier | None) -> str | None:
    """Tell of each run that did not promote; the sentences of those notices that did not arrive, None where all did.

    Each is tried whatever became of the others, unless the time that all of them have is over.
    """
    if notifier is None:
        return None
    ends, troubles = monotonic() + ALL_SECONDS, []
    for record in records:
        if record.status not in TOLD:
            continue
        if monotonic() >= ends:
            troubles.append(f"No time was left to tell of run {record.run}.")
            continue
        try:
            notifier.send(notice_of(record))
        except Unavailable as error:
            troubles.append(str(error))
    return " ".join(troubles) or None


def notice_of(record: RunRecord) -> Notice:
    """What is told of a run."""
    return Notice(record.run, _facts(record), _text(record))


def _facts(record: RunRecord) -> dict[str, object]:
    return {
        "run": record.run,
        "moment": record.moment.value,
        "status": record.status,
        "reason": record.document["reason"],
        "champion": record.document["champion_after"],
        "findings": objections(record.document),
        "started_at": record.started_at.isoformat(),
    }


def _text(record: RunRecord) -> str:
    """For people, in Slack's markup; captions and handles cannot make links or mentions of it."""
    champion = record.document["champion_after"]
    unknown = "`tiercast models` shows which release serves." if record.status == "failed" else "Nothing serves yet."
    serving = f"{str(champion)[:12]} goes on serving." if champion else unknown
    reason = str(record.document["reason"])
    lines = [
        f"*Tiercast: the retrain of {record.moment.value} {_ENDED[record.status]}*",
        _escaped(reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…"),
        *(f"• {each['code']} {_escaped(str(each['title']))}" for each in objections(record.document)),
        f"{serving} `tiercast runs {_escaped(record.run)}` has it whole.",
    ]
    return "\n".join(lines)


_ENDED: Final = {"held": "was held", "rejected": "was rejected", "failed": "failed"}


def _escaped(text: str) -> str:
    """The text with Slack's three control characters as entities.

    >>> _escaped("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
