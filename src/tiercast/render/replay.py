"""A replay as a table and a few sentences on a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tiercast.render.output import percent, shown, stdout
from tiercast.render.run import COLOUR

FORECASTERS: Final = {
    "champion": "champion",
    "never_again": "first champion",
    "always_promote": "no gate (cron)",
    "creators_usual": "creator's usual",
    "first_views": "first views",
    "majority": "commonest tier",
}
"""In the order in which they are shown."""
NAIVE: Final = ("creators_usual", "first_views", "majority")
COLUMN: Final = {
    "never_again": "first",
    "always_promote": "cron",
    "creators_usual": "usual",
    "first_views": "views",
    "majority": "common",
}
"""The same as narrow as a terminal asks for."""
MEANING: Final = {
    "champion": "what Tiercast would have served",
    "never_again": "never retrained again",
    "always_promote": "every candidate serves at once",
    "creators_usual": "naive: the tier that the creator usually reaches",
    "first_views": "naive: the tier that the first views imply",
    "majority": "naive: always the commonest tier",
}
MOST_CODES: Final = 2
"""In one line of the table; the page shows every finding."""


def show_replay(document: Mapping[str, Any], page: Path) -> None:
    """One line a step, then the summary in sentences."""
    console = stdout()
    console.print()
    _steps(console, document["steps"])
    console.print()
    for sentence in (caveat(document), *replay_sentences(document), *sentences_beside(document)):
        if sentence:
            console.print(shown(sentence))
    console.print(f"The whole replay as a page: {page}", soft_wrap=True)


def _steps(console: Console, steps: Sequence[Mapping[str, Any]]) -> None:
    """Shares in percent without the sign, so that a line fits a terminal."""
    told = [step["graded"]["forecasters"] for step in steps]
    others = [name for name in FORECASTERS if name != "champion" and any(name in each for each in told)]
    title = "Percent with the right tier: of the candidate's test videos, then of those that came until the next step"
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column("step", no_wrap=True)
    table.add_column("verdict", min_width=8)
    table.add_column("champion", no_wrap=True)
    for name in ("videos", "test", "came", "right", "95 %", *(COLUMN[name] for name in others), "sec."):
        table.add_column(name, justify="right", no_wrap=True)
    for step, marks in zip(steps, told, strict=True):
        champion = marks.get("champion")
        table.add_row(
            instant(step["at"]),
            f"[{COLOUR[step['status']]}]{step['status']}[/] {codes(step['in_the_way'])}",
            served(step),
            f"{step['videos']:,}",
            _plain(step["test_accuracy"]),
            f"{step['graded']['videos']:,}",
            _right(champion),
            "-".join(_plain(end) for end in (champion["accuracy"]["interval"] or ())) if champion else "",
            *(_right(marks.get(name)) for name in others),
            f"{step['seconds']:.1f}",
        )
    console.print(table)


def _plain(share: float | None) -> str:
    return percent(share).rstrip("%")


def _right(marks: Mapping[str, Any] | None) -> str:
    return _plain(marks["accuracy"]["value"] if marks else None)


def instant(text: str) -> str:
    """A time as people write it: the day alone where it is its beginning.

    >>> instant("2026-03-02T00:00:00+00:00"), instant("2026-03-02T06:30:00+00:00")
    ('2026-03-02', '2026-03-02 06:30')
    """
    return text[:10] if text[11:16] == "00:00" else text[:16].replace("T", " ")


def codes(found: Sequence[str]) -> str:
    """The checks that stood in the way, the first few of them.

    >>> codes(["D104", "C205", "C206", "C209", "C210"])
    'D104 C205 +3'
    """
    more = len(found) - MOST_CODES
    return " ".join(found[:MOST_CODES]) + (f" +{more}" if more > 0 else "")


def served(step: Mapping[str, Any]) -> str:
    """The champion after a step, and since when it serves."""
    if step["champion"] is None:
        return "none yet"
    return f"{step['champion'][:6]} {step['champion_since'][5:10]}"


def replay_sentences(document: Mapping[str, Any]) -> list[str]:
    """What came out, for people who will not read the table."""
    summary = document["summary"]
    whole, apart = summary["graded"], summary["graded_where_always_promoting_differs"]
    counts = ", ".join(f"{summary[name]} {name}" for name in ("promoted", "held", "rejected", "failed"))
    sentences = [f"{summary['steps']} retrains: {counts}; {summary['champions']} releases served."]
    if not whole["videos"]:
        return [*sentences, _nothing(document), *_unserved(summary), *_tiers(document)]
    champion = whole["forecasters"]["champion"]
    sentences.append(
        f"On the {whole['videos']:,} videos that came after the {whole['steps']} steps with a champion, it named the "
        f"right tier for {_accuracy(champion)}."
    )
    return [*sentences, _apart(apart), *_unserved(summary), *_tiers(document)]


def sentences_beside(document: Mapping[str, Any]) -> list[str]:
    """How everybody else did on the videos that a champion was graded on, and how far the champions were ahead."""
    told = document["summary"]["graded"]["forecasters"]
    return [_beside(name, told[name]) for name in FORECASTERS if name in told and name != "champion"]


def caveat(document: Mapping[str, Any]) -> str:
    """What nobody may forget of a replay as scraped; empty for any other."""
    if not document["as_scraped"]:
        return ""
    return (
        "As scraped: every video and its label counted as known labels.horizon_days after its posting, however late it "
        "was measured, with the views that it had then. A team that scraped once could not have known that much."
    )


def _nothing(document: Mapping[str, Any]) -> str:
    if not document["summary"]["champions"]:
        return f"Nothing was ever promoted, so there is no champion to grade. The last step: {_last_reason(document)}"
    return "No video with a label came after a step with a champion, so nothing can be graded."


def _last_reason(document: Mapping[str, Any]) -> str:
    """Why the last step ended as it did."""
    return str(document["steps"][-1]["reason"])


def _accuracy(marks: Mapping[str, Any]) -> str:
    interval = marks["accuracy"]["interval"]
    told = f" (95 % interval {percent(interval[0])} to {percent(interval[1])})" if interval else ""
    return percent(marks["accuracy"]["value"]) + told


def _beside(name: str, marks: Mapping[str, Any]) -> str:
    name_first = FORECASTERS[name][0].upper() + FORECASTERS[name][1:]
    return f"{name_first} ({MEANING[name]}): {_accuracy(marks)}; {_ahead(marks['champion_ahead'])}."


def _ahead(ahead: Mapping[str, Any]) -> str:
    points, interval = 100 * ahead["value"], ahead["interval"]
    if points == 0:
        return "the champion was right as often"
    told = f", 95 % interval {100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}" if interval else ""
    return f"the champion was right {abs(points):.1f} points {'more' if points > 0 else 'less'} often{told}"


def _apart(apart: Mapping[str, Any]) -> str:
    if not apart["videos"]:
        return "Without a gate the same releases would have served all the time."
    told = apart["forecasters"]
    return (
        f"In {apart['steps']} steps a cron without a gate would have served another release than the champion: on the "
        f"{apart['videos']:,} videos that came then, the champion was right for {_accuracy(told['champion'])}, the "
        f"other for {_accuracy(told['always_promote'])}; {_ahead(told['always_promote']['champion_ahead'])}."
    )


def _unserved(summary: Mapping[str, Any]) -> list[str]:
    """What a cron without a gate would have served while there was no champion."""
    pool = summary["graded_without_champion"]
    if not pool["videos"]:
        return []
    told = pool["forecasters"]
    naive = [f"{FORECASTERS[name]} {percent(told[name]['accuracy']['value'])}" for name in NAIVE if name in told]
    sentence = (
        f"In {pool['steps']} steps nothing had been promoted yet. A cron without a gate would have served candidates "
        f"that were right for {_accuracy(told['always_promote'])} of the {pool['videos']:,} videos that came then; "
        f"naive: {', '.join(naive)}."
    )
    return [sentence]


def _tiers(document: Mapping[str, Any]) -> list[str]:
    tiers = document["tiers"]
    if tiers["edges"] is None:
        return []
    edges = ", ".join(f"{edge:,}" for edge in tiers["edges"])
    sentence = (
        f"All of this under one set of tiers, cut at {edges} views from all {tiers['cut_from_videos']:,} videos that "
        "came in the range: what each release said of its own tiers was carried to these."
    )
    return [sentence]
