"""How often the gate errs: the checks as they are, at their defaults, on models whose true difference is known.

python benchmarks/gate_error.py                      the whole table and the chain of a year
python benchmarks/gate_error.py --repetitions 100    quicker and coarser
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.checks.evidence import Comparison, FeatureAlone
from tiercast.core.findings import Verdict, verdict_of
from tiercast.core.moments import Moment
from tiercast.core.release import Manifest, Promotion, Release, RowSet
from tiercast.core.tiers import N_TIERS, TIERS
from tiercast.flows.comparison import Beside, Contender, compared_groups
from tiercast.flows.evaluation import Judged
from tiercast.flows.gate import Rehearsed, judge_candidate, judge_serving
from tiercast.flows.model_store import Champion, Standing
from tiercast.flows.order import Order
from tiercast.flows.past import Past
from tiercast.flows.publish import best_kept
from tiercast.flows.training_set import Drawn, TrainingPlan
from tiercast.gate_settings import Gate
from tiercast.learn.alone import names_alone
from tiercast.learn.bootstrap import Resamples
from tiercast.learn.metrics import Evaluation, Measure, confusion, majority_forecast, tier_report
from tiercast.learn.models import Inputs
from tiercast.learn.paired import paired
from tiercast.learn.references import Standpoint
from tiercast.learn.training_set import TrainingSet

Floats = NDArray[np.float64]

ROWS: Final = (500, 2_000, 10_000)
DISCORDANCES: Final = (0.05, 0.10, 0.20)
"""Shares of the rows on which exactly one of two models is right."""
TRUTHS: Final = {
    "equal": 0.0,
    "1 point worse": -0.01,
    "2 points worse": -0.02,
    "5 points worse": -0.05,
    "1 point better": 0.01,
    "3 points better": 0.03,
    "equal, shifted holdout": 0.0,
}
SIZES: Final = (1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 14, 20)
"""Videos a creator has among the newest 2,000 of a real feed, at evenly spaced quantiles."""
SAME_HAND: Final = 0.3
"""How much the videos of one creator favour the same model: deviation of the log odds."""
CLOSER: Final = 0.55
"""How much of the gap between two likeliest tiers is left where models differ: log loss then varies two thirds as much
as accuracy, as between two weekly retrains on a real feed."""
SHIFT: Final = 0.35
"""A holdout whose videos do better than both models expect, in tiers."""
WORLDS: Final = 12
"""Sets of creators that repetitions share in turn."""
WEEKS: Final = 52
NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)


@lru_cache(maxsize=3 * WORLDS)
def creators_of(n: int, world: int) -> tuple[NDArray[np.int64], Resamples]:
    """Creators of real sizes, and their resamples, which the gate draws the same way in every run."""
    rng = np.random.default_rng((n, world))
    sizes = rng.choice(SIZES, size=n)
    creators = np.repeat(np.arange(n), sizes)[:n]
    return creators, Resamples.draw(creators, seed=42)


def good_forecast(n: int, rng: np.random.Generator, *, shift: float) -> tuple[Floats, NDArray[np.int64]]:
    """A forecast that is calibrated, but for a shift, and what came of it."""
    place = rng.uniform(0.5, N_TIERS + 0.5, n)
    forecast, came = _around(place), _around(place + shift)
    tiers = 1 + (rng.random(n)[:, None] > np.cumsum(came, axis=1)[:, :-1]).sum(axis=1)
    return forecast, tiers.astype(np.int64)


def _around(place: Floats) -> Floats:
    """Shares of the tiers that fall off to both sides of a place."""
    logits = -((np.arange(1, N_TIERS + 1) - place[:, None]) ** 2) / 0.5
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = odds / odds.sum(axis=1, keepdims=True)
    return shares


def contested(forecast: Floats, tiers: NDArray[np.int64], rng: np.random.Generator, share: float) -> NDArray[np.int64]:
    """Rows on which models differ: close calls whose truth is one of the two likeliest tiers."""
    ranked = np.sort(forecast, axis=1)
    top = np.argsort(-forecast, axis=1)[:, :2] + 1
    open_rows = np.flatnonzero((top == tiers[:, None]).any(axis=1))
    weight = 1 / (0.1 + ranked[open_rows, -1] - ranked[open_rows, -2])
    count = min(len(open_rows), round(share * len(tiers)))
    return rng.choice(open_rows, size=count, replace=False, p=weight / weight.sum())


def model(
    forecast: Floats, tiers: NDArray[np.int64], rows: NDArray[np.int64], right: NDArray[np.bool_]
) -> Floats:  # fmt: skip
    """The forecast with its two likeliest tiers in such order on the contested rows that it is right, or is not."""
    said = forecast.copy()
    top = np.argsort(-forecast[rows], axis=1)[:, :2]
    both = forecast[rows, top[:, 0]] + forecast[rows, top[:, 1]]
    gap = CLOSER * (forecast[rows, top[:, 0]] - forecast[rows, top[:, 1]])
    first, second = (both + gap) / 2, (both - gap) / 2
    true_first = top[:, 0] + 1 == tiers[rows]
    kept = true_first == right
    said[rows, top[:, 0]], said[rows, top[:, 1]] = np.where(kept, first, second), np.where(kept, second, first)
    return said


def rights(creators: NDArray[np.int64], gain: float, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whether a model is right on each contested row; ``gain`` is its accuracy over all rows above the common one."""
    leaning = rng.normal(0, SAME_HAND, int(creators.max()) + 1)[creators]
    chance = 1 / (1 + np.exp(-leaning)) + gain / share
    return np.asarray(rng.random(len(creators)) < chance)


ORDER: Final = Order(
    moment=Moment.OBSERVED,
    plan=TrainingPlan(10_000, 500, 0.2, 42, 0.15),
    forecast=None,  # type: ignore[arg-type]  # observed asks nothing of it
    bars=Gate().bars(Moment.OBSERVED),
)


def test_part(n: int, world: int, tiers: NDArray[np.int64], rng: np.random.Generator) -> TrainingSet:
    """The rows as the gate knows them: platforms, followers, posting times, creators."""
    creators, _ = creators_of(n, world)
    followers = np.exp(np.random.default_rng(world).normal(10, 2, n))[creators]
    platforms = ["tiktok" if each % 3 else "youtube" for each in creators.tolist()]
    empty = np.zeros(n)
    return TrainingSet(
        moment=Moment.OBSERVED,
        inputs=Inputs(np.zeros((n, 15))),
        unknown=np.zeros((n, 15), dtype=bool),
        tiers=tiers,
        weights=np.ones(n),
        is_test=np.ones(n, dtype=bool),
        identities=[("tiktok", str(row)) for row in range(n)],
        creators=creators,
        label="views",
        standpoint=Standpoint(platforms, followers, np.full(n, np.nan), empty),
        posted_at=(rng.uniform(0, 60, n) * 86_400e6).astype(np.int64),
    )


def verdict(
    candidate: Floats, champion: Floats, best: Floats | None, rows: TrainingSet, world: int, rng: np.random.Generator
) -> tuple[Verdict, tuple[str, ...], Beside]:  # fmt: skip
    """What the gate says, the codes that stood in the way, and the comparison."""
    n = len(rows.tiers)
    _, resamples = creators_of(n, world)
    majority = majority_forecast(np.array(TIERS), rows=n)
    contender = Contender(Drawn(rows, "videos", n), rows, candidate, majority, 42, ORDER.bars.min_slice_rows)
    beside = Beside(
        Comparison(CHAMPION, paired(candidate, champion, rows.tiers, resamples)),
        None if best is None else Comparison(BEST, paired(candidate, best, rows.tiers, resamples)),
        compared_groups(contender, np.arange(n), champion, resamples),
    )
    judged = judged_of(candidate, majority, rows, resamples, rng)
    findings = judge_candidate(judged, Rehearsed(0.0), contender, order=ORDER, past=PAST, beside=beside)
    findings += judge_serving(RELEASE, ORDER, PAST)
    return verdict_of(findings), tuple(each.code for each in findings if each.objects), beside


def judged_of(
    candidate: Floats, majority: Floats, rows: TrainingSet, resamples: Resamples, rng: np.random.Generator
) -> Judged:  # fmt: skip
    """The candidate's own measures that the gate looks at."""
    hit = candidate.argmax(axis=1) + 1 == rows.tiers
    bounds = resamples.share_bounds(hit)
    assert bounds is not None
    table = confusion(rows.tiers, candidate.argmax(axis=1) + 1)
    known = Evaluation(
        rows=len(rows.tiers),
        metrics={"accuracy": Measure(float(hit.mean()), bounds.interval)},
        confusion_matrix=(),
        per_tier=tuple(tier_report(table, tier) for tier in TIERS),
        bounds={"accuracy": bounds},
    )
    hint = rows.tiers + rng.normal(0, 1.0, len(rows.tiers))
    named = names_alone(hint, rows.tiers, hint)
    assert named is not None
    alone = resamples.share_bounds(named == rows.tiers)
    assert alone is not None
    return Judged(
        candidate=known,
        rivals={"majority": replace(known, metrics={"accuracy": Measure(0.2, None)})},
        train_accuracy=0.7,
        forecast=candidate,
        majority_forecast=majority,
        over_rivals={"majority": paired(candidate, majority, rows.tiers, resamples)},
        features_alone=(FeatureAlone("a hint", Measure(float((named == rows.tiers).mean())), alone.lower),),
    )


CHAMPION: Final = "c" * 64
BEST: Final = "b" * 64
MANIFEST: Final = Manifest(
    moment=Moment.OBSERVED, label="views", model="", features=(), feature_schema="", tier_edges=None, tiers=None,
    marks=(), log_views_range=None, newest_training_video_at=None, calibration=None, confidence_threshold=None,
    training=RowSet(0, ""), test=RowSet(0, ""), metrics={}, settings={}, libraries={}, files={},
)  # fmt: skip
RELEASE: Final = Release.stage(MANIFEST, {})
ENTRY: Final = Promotion(
    number=1, moment=Moment.OBSERVED, action="promote", release=CHAMPION, previous=None, manifest_sha256=CHAMPION,
    verdict="promote", findings=(), actor="", reason="", run=None, at=NOW, token="", best=BEST,
)  # fmt: skip
PAST: Final = Past(
    Standing(Champion(RELEASE, ENTRY, ()), 1, last_promoted_at=NOW - timedelta(days=7)), NOW, {"none": "0"}
)  # fmt: skip


def one_pair(task: tuple[str, int, float, int]) -> tuple[Verdict, tuple[str, ...]]:
    """One candidate beside one champion that is the best kept, on fresh rows."""
    truth, n, discordance, repetition = task
    rng = np.random.default_rng((list(TRUTHS).index(truth), n, round(discordance * 100), repetition))
    world, share = repetition % WORLDS, 2 * discordance
    forecast, tiers = good_forecast(n, rng, shift=SHIFT if "shifted" in truth else 0.0)
    rows = contested(forecast, tiers, rng, share)
    share = len(rows) / n
    creators, _ = creators_of(n, world)
    said = [
        model(forecast, tiers, rows, rights(creators[rows], gain, share, rng)) for gain in (TRUTHS[truth], 0.0)
    ]  # fmt: skip
    found, codes, _ = verdict(said[0], said[1], None, test_part(n, world, tiers, rng), world, rng)
    return found, codes


def one_year(task: tuple[int, float, int]) -> tuple[float, int]:
    """How far the champion ends below the best kept after a year of candidates each .5 point worse than it."""
    n, discordance, repetition = task
    rng = np.random.default_rng((n, round(discordance * 100), repetition, WEEKS))
    champion, best, promoted = 0.0, 0.0, 0
    for week in range(WEEKS):
        world = (repetition + week) % WORLDS
        forecast, tiers = good_forecast(n, rng, shift=0.0)
        rows = contested(forecast, tiers, rng, 2 * discordance)
        share = len(rows) / n
        creators, _ = creators_of(n, world)
        candidate = champion - 0.005
        said = [model(forecast, tiers, rows, rights(creators[rows], gain, share, rng))
                for gain in (candidate, champion, best)]  # fmt: skip
        kept = said[2] if best != champion else None
        found, _, beside = verdict(said[0], said[1], kept, test_part(n, world, tiers, rng), world, rng)
        if found is Verdict.PROMOTE:
            promoted += 1
            champion = candidate
            if best_kept(RELEASE, PAST.standing, beside) == RELEASE.id:
                best = candidate
    return champion, promoted


def table(pool: ProcessPoolExecutor, repetitions: int) -> Iterator[str]:
    """One line a cell."""
    yield "| candidate | rows | discordance | promoted | held | rejected | most often stood in the way |"
    yield "|---|---|---|---|---|---|---|"
    for truth in TRUTHS:
        for n in ROWS:
            for discordance in DISCORDANCES:
                tasks = [(truth, n, discordance, repetition) for repetition in range(repetitions)]
                ended = list(pool.map(one_pair, tasks, chunksize=25))
                counts = Counter(found for found, _ in ended)
                shares = " | ".join(
                    f"{counts[each] / repetitions:.1%}" for each in (Verdict.PROMOTE, Verdict.HOLD, Verdict.REJECT)
                )
                codes = Counter(code for _, stood in ended for code in stood).most_common(3)
                told = ", ".join(f"{code} {count / repetitions:.0%}" for code, count in codes)
                yield f"| {truth} | {n:,} | {discordance:.2f} | {shares} | {told} |"


def chain(pool: ProcessPoolExecutor, repetitions: int) -> Iterator[str]:
    """A year of candidates each half a point worse than the champion of the day."""
    yield "| rows | discordance | years | promotions a year | ended more than 1 point below the best kept | mean end |"
    yield "|---|---|---|---|---|---|"
    for n, discordance in ((500, 0.10), (2_000, 0.05), (2_000, 0.10), (2_000, 0.20), (10_000, 0.10)):
        years = max(20, repetitions // 5)
        ended = list(pool.map(one_year, [(n, discordance, each) for each in range(years)], chunksize=2))
        below = sum(end < -0.0101 for end, _ in ended) / years
        promoted = np.mean([count for _, count in ended])
        mean = 100 * np.mean([end for end, _ in ended])
        yield f"| {n:,} | {discordance:.2f} | {years} | {promoted:.1f} | {below:.1%} | {mean:+.2f} points |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["table", "chain"])
    asked = parser.parse_args()
    began = perf_counter()
    with ProcessPoolExecutor(asked.workers) as pool:
        for part in [table, chain] if asked.only is None else [globals()[asked.only]]:
            for line in part(pool, asked.repetitions):
                print(line, flush=True)
            print()
    print(f"{asked.repetitions:,} repetitions a cell, {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
