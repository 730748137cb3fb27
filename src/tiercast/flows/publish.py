"""From a fitted candidate to a release, and from a release to the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from tiercast.core.canonical import sha256_hex
from tiercast.core.findings import Finding, Verdict
from tiercast.core.release import FeatureUse, Manifest, Promotion, Release
from tiercast.flows.candidates import Fitted
from tiercast.flows.comparison import Beside
from tiercast.flows.evaluation import Judged
from tiercast.flows.model_store import ModelStore, Race, Standing, Writer, promote, upload
from tiercast.flows.order import Order, settings_of
from tiercast.flows.training_set import Drawn
from tiercast.learn.features import FEATURES, Needs, feature_schema
from tiercast.learn.training_set import TRAINING_ROWS_FILE, TrainingSet


@dataclass(frozen=True, slots=True)
class Won:
    """The candidate that a run settled on: what it learned from, and how it did."""

    drawn: Drawn
    training_set: TrainingSet
    fitted: Fitted
    judged: Judged


def stage(won: Won, *, order: Order, libraries: Mapping[str, str]) -> Release:
    """The release that would be published: only what follows from rows, settings, seed and libraries."""
    fitted, drawn, training_set = won.fitted, won.drawn, won.training_set
    settings = settings_of(order, drawn)
    files = fitted.blend.to_files()
    if not order.moment.forecasts:
        files[TRAINING_ROWS_FILE] = training_set.training_rows()
    reference, temperature = training_set.reference, fitted.blend.temperature
    manifest = Manifest(
        moment=order.moment,
        label=training_set.label,
        model=fitted.name,
        features=_feature_uses(training_set, settings["history"]),
        feature_schema=feature_schema(FEATURES[order.moment]),
        tier_edges=training_set.tier_edges,
        tiers=reference.to_document() if reference else None,
        marks=(*(drawn.assembly.marks if drawn.assembly else ()), *(f"{code} only warns" for code in order.warn_only)),
        log_views_range=training_set.log_views_range(),
        newest_training_video_at=training_set.newest_video_at,
        calibration=f"temperature {temperature:g}",
        confidence_threshold=fitted.threshold,
        training=training_set.fingerprint(test=False),
        test=training_set.fingerprint(test=True),
        metrics={name: asdict(measure) for name, measure in won.judged.candidate.metrics.items()},
        settings={**settings, "candidate": fitted.settings},
        libraries=libraries,
        files={name: sha256_hex(content) for name, content in files.items()},
    )
    return Release.stage(manifest, files)


def _feature_uses(training_set: TrainingSet, history: object) -> tuple[FeatureUse, ...]:
    training = training_set.numbers(test=False)
    X = training_set.inputs.X[training]
    uses = []
    missing_shares = training_set.missing_shares().tolist()
    zero_shares = training_set.zero_shares(training).tolist()
    for column, feature in enumerate(FEATURES[training_set.moment]):
        known = X[~np.isnan(X[:, column]), column]
        uses.append(
            FeatureUse(
                name=feature.name,
                unit=feature.unit,
                low=feature.low,
                high=feature.high,
                meaning=feature.meaning,
                held=training_set.held.get(feature.name),
                median=float(np.median(known)) if len(known) else None,
                missing_share=missing_shares[column],
                needs=feature.needs.value,
                as_scraped=history == "as_scraped" and feature.needs is Needs.HISTORY,
                zero_share=zero_shares[column],
            )
        )
    return tuple(uses)


@dataclass(frozen=True, slots=True)
class Passed:
    """A release that passed the gate: the findings that say so, its run, and who served when it was judged."""

    release: Release
    findings: Sequence[Finding]
    run: str
    beside: Standing
    best: str | None = None
    """The release that later candidates are also held to; itself where None."""


def best_kept(release: Release, who: Standing, beside: Beside | None) -> str:
    """Whom later candidates are also held to: a new champion takes that place only once it is proven better.

    Better means a log loss below the best one's with 99 % confidence, and no lower accuracy. Where nobody serves, or
    the champion could not be compared, the new one has the place.
    """
    compared = [each for each in ((beside.best, beside.champion) if beside else ()) if each and each.paired]
    if who.champion is None or not compared:
        return release.id
    held_to = compared[0]
    pair = held_to.paired
    if pair is None or pair.log_loss is None or pair.accuracy is None:
        return held_to.release
    better = pair.log_loss.strict_lower > 0 and pair.accuracy.value >= 0
    return release.id if better else held_to.release


def publish(store: ModelStore, passed: Passed, writer: Writer) -> Race:
    """Upload the release, verify it by hash, then name it champion, unless who serves has changed since the gate.

    The entry takes the number after the last one that the gate knew of: where it is taken, the race is lost.
    """
    release, moment = passed.release, passed.release.manifest.moment
    previous = passed.beside.release
    upload(store.objects, moment, release)
    entry = Promotion(
        number=passed.beside.last_number + 1,
        moment=moment,
        action="promote",
        release=release.id,
        previous=previous.id if previous else None,
        manifest_sha256=sha256_hex(release.manifest_bytes),
        verdict=Verdict.PROMOTE.value,
        findings=tuple(asdict(finding) for finding in passed.findings),
        actor=writer.actor,
        reason="passed the gate",
        run=passed.run,
        at=writer.at,
        token=writer.token,
        best=passed.best or release.id,
    )
    return promote(store, entry)
