"""The candidate beside a release that serves or served: on the same rows, new to both, and on the same label."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.checks.evidence import Comparison, Group
from tiercast.core.errors import InvalidInput, Missing
from tiercast.core.release import Release
from tiercast.flows.model_store import Champion, Standing, load_release
from tiercast.flows.training_set import Drawn
from tiercast.learn.bootstrap import ONE_SIDED, Resamples, ratio
from tiercast.learn.carry import carried
from tiercast.learn.groups import groups
from tiercast.learn.metrics import Measure
from tiercast.learn.models import Inputs
from tiercast.learn.paired import paired
from tiercast.learn.predictor import Predictor, checked
from tiercast.learn.references import log_edges
from tiercast.learn.training_set import TRAINING_ROWS_FILE, TrainingSet, row_keys
from tiercast.ports.models import ObjectStore

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

STANDS_FOR_IT: Final = "the champion, which was held to it, stands for it."
NAMED: Final = "but it was named to be replaced all the same."


@dataclass(frozen=True, slots=True)
class Contender:
    """A candidate's forecast of the test rows, and where they came from."""

    drawn: Drawn
    training_set: TrainingSet
    forecast: Floats
    """Tier probabilities of the test rows (n_test, n_tiers)."""
    majority: Floats
    """The same of the rival that always names the commonest tier."""
    seed: int
    min_group_rows: int
    """Fewer rows of a group are shown but not judged."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The candidate beside the champion and beside the best release kept; None where there is none to compare."""

    champion: Comparison | None
    best: Comparison | None
    groups: tuple[Group, ...]
    """Parts of the test rows beside the champion where it was compared, else beside the majority's tier."""


def beside(contender: Contender, who: Standing, objects: ObjectStore, *, replace: str | None) -> Beside:
    """Compare with whoever serves and with the best release kept; ``replace`` names a champion to do without."""
    serving, label = who.champion, contender.training_set.label
    if who.lost is not None and not named(who.lost, replace):
        lost = Comparison(who.lost, None, problem=" ".join(who.warnings).rstrip("."))
        return Beside(lost, None, _beside_majority(contender))
    if serving is None or serving.release.manifest.label != label:
        return Beside(None, None, _beside_majority(contender))
    release = serving.release
    champion, groups = compare(contender, release)
    if named(release.id, replace):
        champion = dataclasses.replace(champion, excused=NAMED)
    return Beside(champion, _beside_best(contender, serving, objects), groups or _beside_majority(contender))


def named(release: str, replaced: str | None) -> bool:
    """Whether the first digits that somebody gave name this release."""
    return bool(replaced) and release.startswith(replaced or "")


def _beside_best(contender: Contender, serving: Champion, objects: ObjectStore) -> Comparison | None:
    best = serving.promotion.best
    if best is None or best == serving.release.id:
        return None
    try:
        kept = load_release(objects, contender.training_set.moment, best)
    except (InvalidInput, Missing) as error:
        return Comparison(best, None, problem=_bare(error), excused=STANDS_FOR_IT)
    found, _ = compare(contender, kept)
    return found if found.paired else dataclasses.replace(found, excused=STANDS_FOR_IT)


def _beside_majority(contender: Contender) -> tuple[Group, ...]:
    rows = contender.training_set.numbers(test=True)
    resamples = Resamples.draw(contender.training_set.creators[rows], seed=contender.seed)
    return compared_groups(contender, np.arange(len(rows)), contender.majority, resamples)


def compare(contender: Contender, release: Release) -> tuple[Comparison, tuple[Group, ...]]:
    """Both forecasts of the test rows that neither learned from, over all and by group."""
    training_set = contender.training_set
    test = training_set.numbers(test=True)
    try:
        new = new_to(release, training_set, test)
        places = np.flatnonzero(new)
        if not len(places):
            raise InvalidInput("no test row is new to both.")
        other = scored(release, contender.drawn, training_set, test[places])
    except InvalidInput as error:
        return Comparison(release.id, None, problem=_bare(error)), ()
    rows, own = test[places], contender.forecast[places]
    resamples = Resamples.draw(training_set.creators[rows], seed=contender.seed)
    pair = paired(own, other, training_set.tiers[rows], resamples)
    compared = Comparison(release.id, pair, left_out=len(test) - len(places))
    return compared, compared_groups(contender, places, other, resamples)


def _bare(error: Exception) -> str:
    return str(error).rstrip(".")


def new_to(release: Release, training_set: TrainingSet, test: Rows) -> NDArray[np.bool_]:
    """Which test rows a release cannot have learned from, neither for its fit nor its calibration nor its threshold.

    A forecast: what was posted after all that it trained on. Else: what its list of training rows does not hold.
    Raises InvalidInput where it did not record what it learned from.
    """
    manifest = release.manifest
    if manifest.moment.forecasts:
        newest, posted_at = manifest.newest_training_video_at, training_set.posted_at
        if newest is None or posted_at is None:
            raise InvalidInput("it does not say how new its training rows were.")
        return np.asarray(posted_at[test] > round(datetime.fromisoformat(newest).timestamp() * 1e6))
    if TRAINING_ROWS_FILE not in release.files:
        raise InvalidInput("it does not list the rows that it learned from.")
    learned = np.frombuffer(release.files[TRAINING_ROWS_FILE], dtype="<u8")
    return ~np.isin(row_keys(training_set.identities)[test], learned)


def scored(release: Release, drawn: Drawn, training_set: TrainingSet, rows: Rows) -> Floats:
    """What a release says of these rows, carried to the edges of today's training set (n_rows, n_tiers).

    Raises InvalidInput where it can no longer answer.
    """
    predictor = Predictor.of(release)
    edges, log_range = training_set.inputs.edges, release.manifest.log_views_range
    if drawn.rows is not None:
        asked = predictor.observed(drawn.rows[rows])
    elif training_set.standpoint is not None:
        asked = predictor.described(training_set.inputs[rows], training_set.standpoint[rows])
    else:
        return checked(predictor.blend.probabilities(Inputs(training_set.inputs.X[rows])))
    said, own = predictor.probabilities(asked), asked.inputs.edges
    if edges is None or own is None or log_range is None:
        raise InvalidInput("it has no edges of views.")
    low, high = log_edges(np.exp(np.array(log_range))).tolist()
    return carried(said, own, (low, high), edges[rows])


def compared_groups(contender: Contender, places: Rows, other: Floats, resamples: Resamples) -> tuple[Group, ...]:
    """Each group of the test rows at ``places``, of which ``other`` is somebody else's forecast.

    Bounds hold for all judged groups together (Bonferroni), so that one group in twenty is not harmed by chance.
    """
    training_set = contender.training_set
    rows = training_set.numbers(test=True)[places]
    tiers = training_set.tiers[rows]
    hits = [forecast.argmax(axis=1) + 1 == tiers for forecast in (contender.forecast[places], other)]
    parts = groups_of(training_set, rows)
    if not parts:
        return ()
    judged = sum(bool(part.sum() >= contender.min_group_rows) for part in parts.values())
    columns = [column for part in parts.values() for column in (hits[0] & part, hits[1] & part, part)]
    totals = resamples.totals(np.column_stack(columns).astype(np.float64))
    found = []
    for number, (name, part) in enumerate(parts.items()):
        among = resamples.among(part)
        counted = totals[:, 3 * number : 3 * number + 3]
        shares = [ratio(counted[:, side], counted[:, 2]) for side in (0, 1)]
        own, others = (_measured(hit[part], share, among) for hit, share in zip(hits, shares, strict=True))
        more = shares[0] - shares[1]
        bounds = among.bounds(more)
        gained = Measure(float(hits[0][part].mean() - hits[1][part].mean()), bounds.interval if bounds else None)
        enough = part.sum() >= contender.min_group_rows
        proven = among.quantile(more, 1 - ONE_SIDED / judged) if enough else None
        found.append(Group(name, int(part.sum()), own, others, gained, proven))
    return tuple(found)


def groups_of(training_set: TrainingSet, rows: Rows) -> Mapping[str, NDArray[np.bool_]]:
    """The groups of some test rows; none where labels were given."""
    if training_set.standpoint is None or training_set.posted_at is None:
        return {}
    trained = training_set.creators[training_set.numbers(test=False)]
    unseen = ~np.isin(training_set.creators[rows], trained)
    return groups(training_set.standpoint[rows], training_set.posted_at[rows], unseen)


def _measured(hit: NDArray[np.bool_], shares: Floats, resamples: Resamples) -> Measure:
    alike = hit.all() or not hit.any()
    bounds = resamples.share_bounds(hit) if alike else resamples.bounds(shares)
    return Measure(float(hit.mean()), bounds.interval if bounds else None)
