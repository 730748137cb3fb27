"""The gate's evidence: gathered here, judged by the checks."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tiercast.checks.candidate import CANDIDATE_CHECKS
from tiercast.checks.data import DATA_CHECKS
from tiercast.checks.evidence import REHEARSAL_ROWS, Bars, CandidateEvidence, ChampionFacts, DataEvidence
from tiercast.core.errors import TiercastError
from tiercast.core.findings import Finding
from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.core.tiers import TIERS
from tiercast.flows.candidates import Fitted, Judged
from tiercast.flows.forecast_set import Assembly
from tiercast.flows.training_set import Drawn
from tiercast.learn.features import FEATURES
from tiercast.learn.training_set import TrainingSet
from tiercast.ports import Question, Rehearsal


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The largest difference that a fresh process showed in any probability, or why it showed none."""

    difference: float | None
    problem: str | None = None


def champion_facts(serving: Release | None) -> ChampionFacts | None:
    """What the gate needs to know of the champion."""
    if serving is None:
        return None
    features = serving.manifest.features
    relied_on = tuple(f.name for f in features if f.held is None and f.missing_share < 1)
    return ChampionFacts(serving.id, serving.manifest.label, relied_on)


def judge_data(drawn: Drawn, *, min_videos: int, serving: Release | None) -> list[Finding]:
    """Every question that can be put before a candidate exists."""
    training_set = drawn.training_set
    evidence = DataEvidence(
        usable_videos=training_set.n_videos if training_set else drawn.usable_videos,
        min_videos=min_videos,
        source="the fallback file" if drawn.source == "fallback" else "the video store",
        label=training_set.label if training_set else "views",
        training_tiers=_tier_rows(training_set, test=False),
        test_tiers=_tier_rows(training_set, test=True),
        all_missing=_all_missing(training_set),
        champion=champion_facts(serving),
        validation_cuts=len(training_set.folds(seed=0)) if training_set and training_set.timing else None,
        shortage=_shortage(drawn.assembly),
    )
    return [check.judge(evidence) for check in DATA_CHECKS]


def judge_candidate(
    judged: Judged, rehearsed: Rehearsed, training_set: TrainingSet, *, bars: Bars, serving: Release | None
) -> list[Finding]:
    """Every question put to the fitted, evaluated and rehearsed candidate."""
    evidence = CandidateEvidence(
        moment=training_set.moment,
        label=training_set.label,
        evaluation=judged.candidate,
        rivals=judged.rivals,
        bars=bars,
        rehearsal_difference=rehearsed.difference,
        rehearsal_problem=rehearsed.problem,
        champion=champion_facts(serving),
        over_rivals=judged.over_rivals,
        confident=judged.confident,
    )
    return [check.judge(evidence) for check in CANDIDATE_CHECKS]


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
