"""The demo's story: what was promoted, what was refused, and what to type next."""

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console

from tiercast.flows.demo import Demonstration
from tiercast.flows.report import RunReport
from tiercast.render.output import percent, stdout
from tiercast.render.run import show_run


def show_demo(shown: Demonstration, home: Path, report: Path) -> None:
    """The honest run as a table, the damaged one in a sentence, then the next commands."""
    show_run(shown.honest.to_document())
    console = stdout()
    console.print()
    console.rule("[bold]What happened", align="left", style="dim")
    _honest(console, shown)
    _damaged(console, shown.damaged)
    _forecasts(console, shown)
    console.rule("[bold]What to type next", align="left", style="dim")
    _next(console, home, report)


def _honest(console: Console, shown: Demonstration) -> None:
    ingested, honest, ideal = shown.ingested, shown.honest, shown.ideal
    accuracy = honest.judged.candidate.accuracy.value if honest.judged else None
    console.print(
        f"1. {ingested.stored:,} generated videos with {ingested.observations:,} observations were ingested and a "
        f"model was trained. It is right for {percent(accuracy)} of its test videos. These videos are invented, so the "
        f"best that any model can expect on the same ones is known: {percent(ideal.expected_accuracy)} "
        f"(give or take {percent(ideal.standard_error)}). It passed the gate and serves."
    )


def _damaged(console: Console, damaged: RunReport) -> None:
    accuracy = damaged.judged.candidate.accuracy.value if damaged.judged else None
    unchanged = "still serves, byte for byte" if damaged.champion_before == damaged.champion_after else "changed"
    console.print(
        "2. A week later a join in the scraper goes wrong: every video gets the engagement rates of another one. "
        f"The candidate trained on that reaches {percent(accuracy)}, so the gate [bold red]{damaged.status}[/] it. "
        f"The champion {(damaged.champion_after or '')[:12]} {unchanged}."
    )


def _forecasts(console: Console, shown: Demonstration) -> None:
    draft, early = shown.forecasts
    best = percent(shown.ideal_draft.expected_accuracy) if shown.ideal_draft else "unknown"
    console.print(
        "3. Before posting, from the post itself and what was known of earlier posts by then: right for "
        f"{_right(draft)} of newer test videos; who knew every creator's true audience could expect {best}. "
        f"{_sure(draft)}"
    )
    console.print(f"4. In the first hours, with a first observation: right for {_right(early)}. {_sure(early)}")


def _right(report: RunReport) -> str:
    return percent(report.judged.candidate.accuracy.value if report.judged else None)


def _sure(report: RunReport) -> str:
    part = report.judged.confident if report.judged else None
    if part is None:
        return f"None is called confident; {report.status}."
    return (
        f"It calls {percent(part.coverage)} of them confident and is right for {percent(part.accuracy.value)} of "
        f"those; {report.status}."
    )


def _next(console: Console, home: Path, report: Path) -> None:
    place = shlex.quote(str(home))
    started = (
        f"{shlex.quote(sys.executable)} -m tiercast"
        if sys.argv[0].endswith("__main__.py")
        else shlex.quote(sys.argv[0])
    )
    program = "tiercast" if shutil.which("tiercast") else started
    commands = (
        (f"{program} models --home {place}", "who serves, and the promotion log"),
        (f"{program} runs --home {place}", "the four runs"),
        (f"{program} predict {shlex.quote(str(home / 'generated-videos.parquet'))} --home {place}", "predict"),
        (f"{program} ingest YOUR-SCRAPE.json", "start with your own videos, in .tiercast"),
        (f"{program} retrain", "train on them"),
    )
    for command, why in commands:
        console.print(f"[bold]{command}[/]   [dim]# {why}[/]", soft_wrap=True)
    console.print(f"The forecast's run as a page: {report}", soft_wrap=True)
