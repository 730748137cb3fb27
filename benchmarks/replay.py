"""How long a year of weekly steps takes, and how much memory: ``make replay``, or with moments and a number of videos.

Generated videos, posted over sixteen months, each scraped within two days of posting and once to three times after
that; a whole process each, so importing, reading the store and writing the page are in it. With ``spoilt`` a join in
the scraper goes wrong for six weeks: every scrape then has the engagement rates of another video.
"""

import json
import resource
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from run import tiercast
from tiercast.flows.demo import damaged
from tiercast.learn.generated import generate
from tiercast.learn.generated.world import WORLD

NOW = datetime(2026, 6, 1, tzinfo=UTC)
N_VIDEOS = 50_000
STEPS = 53
AIM_SECONDS = 300
SCRAPED_AGAIN = replace(
    WORLD,
    videos_per_creator=20,
    oldest_hours=48.0,
    rescraped_share=1.0,
    rescrape_median_days=8.0,
    last_scrape_within_days=400.0,
)


SPOILT_FROM, SPOILT_TO = datetime(2025, 11, 3, tzinfo=UTC), datetime(2025, 12, 15, tzinfo=UTC)


def main() -> None:
    """Print one line a moment."""
    asked = sys.argv[1:]
    moments = [name for name in asked if name in ("draft", "early", "observed")] or ["observed", "draft"]
    n_videos = next((int(argument) for argument in asked if argument.isdigit()), N_VIDEOS)
    with tempfile.TemporaryDirectory(prefix="tiercast-replay-") as place:
        home = Path(place) / "home"
        rows = generate(n_videos, seed=7, now=NOW, world=SCRAPED_AGAIN).rows
        rows = spoilt(rows) if "spoilt" in asked else rows
        rows.write_parquet(Path(place) / "videos.parquet")
        tiercast("ingest", f"{place}/videos.parquet", home=home)
        for moment in moments:
            print(_line(moment, n_videos, home), flush=True)


def spoilt(rows: pl.DataFrame) -> pl.DataFrame:
    """Six weeks in which each scrape has the engagement rates of another video."""
    then = pl.col("scraped_at").is_between(SPOILT_FROM, SPOILT_TO, closed="left")
    return pl.concat([rows.filter(~then), damaged(rows.filter(then))])


def _line(moment: str, n_videos: int, home: Path) -> str:
    ends = NOW - timedelta(days=7)
    begins = ends - timedelta(days=7) * (STEPS - 1)
    asked = ("--from", f"{begins:%Y-%m-%d}", "--to", f"{ends:%Y-%m-%d}", "--every", "7d", "--moment", moment, "--json")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = tiercast("replay", *asked, home=home)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    summary: dict[str, Any] = json.loads(done.output)["summary"]
    counts = ", ".join(f"{summary[name]} {name}" for name in ("promoted", "held", "rejected", "failed"))
    apart = summary["graded_where_always_promoting_differs"]
    return (
        f"{moment}: {summary['steps']} weekly steps on {n_videos:,} videos in {done.seconds:.0f} s (aim: under "
        f"{AIM_SECONDS} s), {busy:.0f} s of processor time, {done.megabytes:.0f} MB; {counts}\n"
        f"  right tier: {_right(summary['graded'])}\n"
        f"  in the {apart['steps']} steps in which a cron served another: {_right(apart)}"
    )


def _right(pool: dict[str, Any]) -> str:
    return ", ".join(f"{name} {marks['accuracy']['value']:.3f}" for name, marks in pool["forecasters"].items())


if __name__ == "__main__":
    main()
