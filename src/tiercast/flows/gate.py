"""The gate's evidence: gathered here, judged by the checks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np

from tiercast.checks.candidate import CANDIDATE_CHECKS
from tiercast.checks.change import ALMOST_ALL
from tiercast.checks.data import DATA_CHECKS
from tiercast.checks.evidence import (
    REHEARSAL_ROWS,
    CandidateEvidence,
    ChampionFacts,
    Check,
    DataEvidence,
    EdgeHistory,
    Newest,
    ServedMissing,
    ServingEvidence,
)
from tiercast.checks.serving import SERVING_CHECKS
from tiercast.core.errors import TiercastError
from tiercast.core.findings import Finding
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import TIERS
from tiercast.flows.candidates import Fitted
from tiercast.flows.comparison import Beside, Contender
from tiercast.flows.evaluation import Judged
from tiercast.flows.forecast_set import Assembly
from tiercast.flows.order import Order, settings_of
from tiercast.flows.past import Past
from tiercast.flows.training_set import Drawn
from tiercast.learn.features import FEATURES
from tiercast.learn.groups import newest_week
from tiercast.learn.training_set import TrainingSet
from tiercast.ports.models import Question, Rehearsal

WEEK: Final = timedelta(days=7)
MOST: Final = 0.5
MAX_WEEKS: Final = 8.0
"""Longer away than two months, a store may have drifted far, but not by any factor."""
MIN_WEEK_ROWS: Final = 50
"""Fewer videos of the newest week tell nothing about a scraper: a share of a fifth is then known to 11 points."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The largest difference that a fresh process showed in any probability, or why it showed none."""

    difference: float | None
    problem: str | None = None


def judge_data(drawn: Drawn, order: Order, past: Past) -> list[Finding]:
    """Every question that can be put before a candidate exists."""
    training_set = drawn.training_set
    evidence = DataEvidence(
        usable_videos=training_set.n_videos if training_set else drawn.usable_videos,
        min_videos=order.plan.min_videos,
        source="the fallback file" if drawn.source == "fallback" else "the video store",
        label=training_set.label if training_set else "views",
        training_tiers=_tier_rows(training_set, test=False),
        test_tiers=_tier_rows(training_set, test=True),
        all_missing=_all_missing(training_set),
        champion=_champion_facts(past, drawn, order),
        bars=order.bars,
        validation_cuts=len(training_set.folds(seed=0)) if training_set and training_set.timing else None,
        shortage=_shortage(drawn.assembly),
        edges=_edges(training_set, past),
        newest=Newest(drawn.newest_posted_at, past.now) if drawn.newest_posted_at else None,
    )
    return _asked(DATA_CHECKS, _with_newest_week(evidence, training_set), order)


def judge_candidate(
    judged: Judged, rehearsed: Rehearsed, contender: Contender, *, order: Order, past: Past, beside: Beside
) -> list[Finding]:
    """Every question put to the fitted, evaluated, rehearsed and compared candidate."""
    training_set = contender.training_set
    evidence = CandidateEvidence(
        moment=training_set.moment,
        label=training_set.label,
        evaluation=judged.candidate,
        rivals=judged.rivals,
        bars=order.bars,
        rehearsal_difference=rehearsed.difference,
        rehearsal_problem=rehearsed.problem,
        champion=_champion_facts(past, contender.drawn, order),
        over_rivals=judged.over_rivals,
        confident=judged.confident,
        beside_champion=beside.champion,
        beside_best=beside.best,
        groups=beside.groups,
        features_alone=judged.features_alone,
        served=_served(training_set, past),
    )
    return _asked(CANDIDATE_CHECKS, evidence, order)


def judge_serving(release: Release, order: Order, past: Past) -> list[Finding]:
    """Every question about what people and time say."""
    standing = past.standing
    evidence = ServingEvidence(
        candidate=release.id,
        now=past.now,
        bars=order.bars,
        pinned=standing.pinned,
        withdrawn=standing.withdrawn,
        last_promoted_at=standing.last_promoted_at,
        unreadable=standing.unreadable,
        newest=standing.last_number,
    )
    return _asked(SERVING_CHECKS, evidence, order)


def _asked(checks: Iterable[Check[Any]], evidence: object, order: Order) -> list[Finding]:
    """The answers, those marked that only warn."""
    findings = [check.judge(evidence) for check in checks]
    return [replace(each, demoted=True) if each.code in order.warn_only else each for each in findings]


def rehearse(rehearsal: Rehearsal, release: Release, fitted: Fitted, training_set: TrainingSet) -> Rehearsed:
    """Let a fresh process predict up to 32 test rows from the staged bytes, and compare."""
    rows = training_set.inputs[training_set.numbers(test=True)[:REHEARSAL_ROWS]]
    try:
        answer = rehearsal.predict(release, Question(rows.X, rows.edges, rows.start))
    except TiercastError as error:
        return Rehearsed(None, str(error))
    expected = fitted.blend.probabilities(rows)
    if answer.shape != expected.shape:
        return Rehearsed(None, f"it answered {answer.shape} probabilities for {expected.shape}")
    return Rehearsed(float(np.abs(answer - expected).max()) if len(rows) else None)


def _champion_facts(past: Past, drawn: Drawn, order: Order) -> ChampionFacts | None:
    serving, training_set = past.standing.release, drawn.training_set
    if serving is None:
        return None
    manifest = serving.manifest
    sides = (manifest.training, manifest.test)
    now = training_set and tuple(training_set.fingerprint(test=test) for test in (False, True))
    settings = {name: value for name, value in manifest.settings.items() if name != "candidate"}
    return ChampionFacts(
        release=serving.id,
        label=manifest.label,
        relied_on=tuple(f.name for f in manifest.features if f.held is None and f.missing_share < 1),
        usually_known=tuple(f.name for f in manifest.features if f.held is None and f.missing_share < MOST),
        zero_shares={f.name: f.zero_share for f in manifest.features if f.held is None and f.zero_share is not None},
        same_rows=sides == now,
        same_settings=(settings, manifest.libraries) == (settings_of(order, drawn), past.libraries),
    )


def _with_newest_week(evidence: DataEvidence, training_set: TrainingSet | None) -> DataEvidence:
    """What the newest week's videos are like beside all of them."""
    if training_set is None or training_set.posted_at is None:
        return evidence
    names = [feature.name for feature in FEATURES[training_set.moment]]
    free = [name not in training_set.held for name in names]
    training = training_set.numbers(test=False)
    if not len(training):  # which D102 says
        return evidence
    week = np.flatnonzero(newest_week(training_set.posted_at))
    enough = MIN_WEEK_ROWS <= len(week) <= len(training_set.posted_at) // 2
    gone = training_set.missing_shares() >= ALMOST_ALL
    if enough:
        gone |= training_set.unknown[week].mean(axis=0) >= ALMOST_ALL
    return replace(
        evidence,
        zero_shares=_named(names, training_set.zero_shares(training), free),
        newest_zero_shares=_named(names, training_set.zero_shares(week), free) if enough else {},
        newest_week_rows=len(week),
        newly_missing=tuple(name for name, lost in zip(names, gone.tolist(), strict=True) if lost),
    )


def _named(names: list[str], values: np.ndarray[Any, Any], free: list[bool]) -> Mapping[str, float]:
    return {name: value for name, value, use in zip(names, values.tolist(), free, strict=True) if use}


def _edges(training_set: TrainingSet | None, past: Past) -> EdgeHistory | None:
    if training_set is None or training_set.reference is None or training_set.tier_edges is None:
        return None
    last = past.standing.last_promoted_at
    weeks = min(MAX_WEEKS, max(1.0, (past.now - last) / WEEK)) if last else 1.0
    return EdgeHistory(training_set.tier_edges, past.edges_like(training_set.reference.to_document()), weeks)


def _served(training_set: TrainingSet, past: Past) -> ServedMissing | None:
    """How often each feature's inputs were unknown, in training and in use; a held feature is used in neither."""
    if past.served is None:
        return None
    names = [feature.name for feature in FEATURES[training_set.moment]]
    free = [name not in training_set.held for name in names]
    lacked = np.array([past.served.lacking.get(name, 0) for name in names]) / max(1, past.served.predictions)
    trained = training_set.missing_shares()
    return ServedMissing(past.served.predictions, _named(names, trained, free), _named(names, lacked, free))


def _shortage(assembly: Assembly | None) -> str | None:
    """Why a forecast has not more labels, and when that changes."""
    if assembly is None:
        return None
    told = f"Of {assembly.candidates:,} {_ASKING[assembly.moment]}, {assembly.labelled:,} have a label.{_gap(assembly)}"
    if assembly.candidates == 0:
        return f"{told} {_FIRST_OF_ALL[assembly.moment]}"
    if assembly.first_matures_at is not None:
        told += (
            " A label needs an observation about labels.horizon_days after posting; the first of the others can be "
            f"had by a scrape at or after {assembly.first_matures_at:%Y-%m-%d %H:%M} UTC, within labels.max_age_days."
        )
    return f"{told} Ingest more scrapes of the same videos, or lower retrain.min_videos."


def _gap(assembly: Assembly) -> str:
    """Labelled rows that neither train nor test, by the rule for when a label is known."""
    split = assembly.split
    left_out = 0 if split is None else int(np.sum(~split.is_training & ~split.is_test))
    if split is None or not left_out:
        return ""
    return (
        f" {left_out:,} of those take no part: they were posted before the test begins, and their labels were known "
        f"only after. labels.known_at = strict leaves {split.left_strict:,} for training, as_scraped "
        f"{split.left_as_scraped:,}; this run took {split.rule}."
    )


_FIRST_OF_ALL: Final = {
    Moment.DRAFT: "Ingest videos whose posting time and views are known.",
    Moment.EARLY: "Scrape videos within that time after posting, and again a week later.",
}
_ASKING: Final = {
    Moment.DRAFT: "dated videos with views",
    Moment.EARLY: "early observations (at most moments.early_max_age_hours after posting)",
}


def _tier_rows(training_set: TrainingSet | None, *, test: bool) -> tuple[int, ...]:
    if training_set is None:
        return ()
    tiers = training_set.tiers[training_set.numbers(test=test)]
    return tuple(int(np.sum(tiers == tier)) for tier in TIERS)


def _all_missing(training_set: TrainingSet | None) -> tuple[str, ...]:
    if training_set is None:
        return ()
    shares = zip(FEATURES[training_set.moment], training_set.missing_shares().tolist(), strict=True)
    return tuple(feature.name for feature, share in shares if share == 1)
