"""Generated videos that a forecast can learn within seconds, and champions that serve without asking the gate."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import polars as pl

from cli.program import NOW
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.moments import Moment
from tiercast.flows.candidates import fit_best
from tiercast.flows.evaluation import judge
from tiercast.flows.model_store import ModelStore, Writer, standing
from tiercast.flows.publish import Passed, Won, publish, stage
from tiercast.flows.training_set import Sources, draw
from tiercast.learn.generated import generate
from tiercast.learn.generated.world import WORLD, World
from tiercast.render.output import Silence
from tiercast.wiring import Wiring

PREDICTABLE: Final = replace(WORLD, video_log_sd=0.25)
"""Little luck, so that a few hundred videos teach something whatever the seed."""
SCRAPED_AGAIN: Final = replace(
    PREDICTABLE,
    oldest_hours=48.0,
    rescraped_share=1.0,
    rescrape_median_days=8.0,
    last_scrape_within_days=150.0,
)
"""Posted over half a year; each video was scraped within two days, and once to three times after that."""
SCRAPED_ONCE: Final = replace(PREDICTABLE, youngest_hours=200.0, rescraped_share=0.0)
"""Whole profiles scraped this week: one observation a video, from eight days to a year after posting."""
YOUNG: Final = replace(PREDICTABLE, oldest_hours=100.0, rescraped_share=0.0, last_scrape_within_days=2.0)
"""Nothing is seven days old."""

SMALL: Final = {"RETRAIN__MIN_VIDEOS": "300"}
"""Settings by name, without the prefix of their environment variables."""


def videos(n: int, world: World = SCRAPED_AGAIN, *, seed: int = 7) -> pl.DataFrame:
    """Scrapes of ``n`` videos, in the canonical columns."""
    return generate(n, seed=seed, now=NOW, world=world).rows


def variables(settings: dict[str, str]) -> dict[str, str]:
    """The same settings as environment variables."""
    return {f"TIERCAST_{name}": value for name, value in settings.items()}


def elsewhere(rows: pl.DataFrame, *, hours: float) -> pl.DataFrame:
    """The same instants as people write them where clocks are ahead of UTC by this much."""
    ahead, sign = timedelta(hours=abs(hours)), "+" if hours >= 0 else "-"
    offset = f"{sign}{int(abs(hours)):02}:{ahead.seconds // 60 % 60:02}"
    shifted = [pl.col(name) + (ahead if hours >= 0 else -ahead) for name in ("published_at", "scraped_at")]
    return rows.with_columns(time.dt.strftime(f"%Y-%m-%dT%H:%M:%S{offset}") for time in shifted)


def serve(wiring: Wiring, moment: Moment) -> Won:
    """A champion of what this home holds, whatever the gate would say of it: for tests of what comes after."""
    world, order = world_of(wiring), order_of(wiring.settings, moment)
    sources = Sources(world.videos, world.history, world.fallback)
    drawn = draw(sources, moment, order.plan, order.forecast)
    assert drawn.training_set is not None
    fitted = fit_best(drawn.training_set, seed=order.plan.seed, progress=Silence())
    judged = judge(fitted, drawn, drawn.training_set, seed=order.plan.seed)
    won = Won(drawn, drawn.training_set, fitted, judged)
    release = stage(won, order=order, libraries=world.libraries)
    beside = standing(world.objects, world.read_log(), moment)
    store = ModelStore(world.objects, world.write_log())
    publish(store, Passed(release, (), "by hand", beside), Writer(actor="a test", at=NOW, token="by hand"))
    return won
