"""The candidate beside releases that serve or served: on rows that neither learned from, and on the same label."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from cli.program import NOW
from tiercast.adapters.objects import open_objects
from tiercast.checks.comparison import COMPARISON_CHECKS
from tiercast.cli.retrain import forecast_plan, order_of
from tiercast.core.findings import Finding, Outcome
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion, Release
from tiercast.core.tiers import RelativeTo
from tiercast.flows.candidates import Fitted
from tiercast.flows.comparison import Beside, Contender, beside, compare, compared_groups, new_to, scored
from tiercast.flows.evaluation import judge
from tiercast.flows.gate import Rehearsed, judge_candidate
from tiercast.flows.model_store import Champion, Standing, upload
from tiercast.flows.past import Past
from tiercast.flows.publish import Won, best_kept, stage
from tiercast.flows.training_set import Drawn, TrainingPlan, draw_forecast, from_videos
from tiercast.learn.blend import Blend
from tiercast.learn.bootstrap import Resamples
from tiercast.learn.fit_boosted import BoostedRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.fit_ordinal import OrdinalRecipe
from tiercast.learn.generated import REGULAR, WORLD, generate
from tiercast.learn.metrics import majority_forecast
from tiercast.learn.recipes import Recipe
from tiercast.learn.references import log_edges
from tiercast.learn.selection import Selected
from tiercast.learn.training_set import TRAINING_ROWS_FILE, TrainingSet, row_keys, tier_weights
from tiercast.settings import Settings

SETTINGS = Settings(home=Path())
PLAN = TrainingPlan(max_videos=10_000, min_videos=500, test_share=0.2, seed=42, save_per_like=0.15)
KINDS: Final[Mapping[str, tuple[Recipe, Mapping[str, object]]]] = {
    "logistic": (LogisticRecipe(), {"scale": "log", "inverse_penalty": 1.0}),
    "xgboost": (BoostedRecipe(), {"rounds": 60}),
    "ordinal": (OrdinalRecipe(), {}),
}
"""Recipes with fixed settings: what is compared here is not how they are chosen."""


@dataclass(frozen=True)
class Model:
    """A model fitted without any choice, as a release and as the contender that it was before."""

    won: Won
    release: Release

    @property
    def contender(self) -> Contender:
        judged = self.won.judged
        return Contender(
            self.won.drawn,
            self.won.training_set,
            judged.forecast,
            judged.majority_forecast,
            seed=42,
            min_group_rows=100,
        )


def fitted(drawn: Drawn, kind: str = "logistic") -> Model:
    training_set, (recipe, chosen) = drawn.training_set, KINDS[kind]
    assert training_set is not None
    blend = Blend((recipe.fit(training_set.rows(test=False), chosen),), temperature=1.0)
    selected = Selected(recipe.name, {recipe.name: chosen}, 1.0, None, (0.1, 0.9), ())
    model = Fitted(recipe.name, {recipe.name: chosen}, blend, None, (), selected)
    won = Won(drawn, training_set, model, judge(model, drawn, training_set, seed=42, curves=False))
    order = order_of(SETTINGS, training_set.moment)
    return Model(won, stage(won, order=order, libraries={}))


@cache
def scrapes() -> pl.DataFrame:
    """Scrapes of 9,000 videos of a year, for half a year of which the store has grown."""
    return generate(9_000, seed=42, now=NOW, world=replace(WORLD, last_scrape_within_days=180.0)).rows


def known_by(at: datetime, count: int = 4_000) -> Drawn:
    """What ``observed`` draws from a store that has grown until then: the newest videos, each as last scraped."""
    latest = scrapes().filter(pl.col("scraped_at") <= at).sort("scraped_at").group_by("platform", "video_id").last()
    rows = latest.filter(pl.col("likes").is_not_null()).sort("published_at", "video_id", descending=[True, False])
    rows = rows.head(count).select(scrapes().columns)
    return Drawn(from_videos(rows, PLAN), "videos", rows.height, rows=rows)


@cache
def observed() -> Drawn:
    return known_by(NOW)


@cache
def champion() -> Model:
    """Learned from the store of a week ago."""
    return fitted(known_by(NOW - timedelta(days=7)))


@cache
def candidate() -> Model:
    return fitted(observed())


@cache
def drafts() -> Drawn:
    rows = generate(8_000, seed=4, now=NOW, world=REGULAR).rows
    plan = order_of(SETTINGS, Moment.DRAFT).plan
    return draw_forecast(rows, Moment.DRAFT, plan, forecast_plan(SETTINGS))


@cache
def drafted() -> Model:
    return fitted(drafts(), "ordinal")


def changed(release: Release, **manifest: Any) -> Release:
    """The same files under a manifest that says something else."""
    return Release.stage(replace(release.manifest, **manifest), release.files)


def standing(release: Release | None, *, best: str | None = None) -> Standing:
    """A log in which this release serves."""
    if release is None:
        return Standing(None, 0)
    moment = release.manifest.moment
    entry = Promotion(
        number=3, moment=moment, action="promote", release=release.id, previous=None, manifest_sha256=release.id,
        verdict="promote", findings=(), actor="ana", reason="passed the gate", run=None, at=NOW, token="t", best=best,
    )  # fmt: skip
    return Standing(Champion(release, entry, ()), 3)


def beside_these(
    model: Model, release: Release | None, *, best: str | None = None, replacing: str | None = None, store: Path
) -> Beside:
    return beside(model.contender, standing(release, best=best), open_objects(store.as_uri()), replace=replacing)


def judged(model: Model, found: Beside, who: Standing) -> dict[str, Finding]:
    """What the gate says of the comparison, by code."""
    order = order_of(SETTINGS, model.won.training_set.moment)
    past = Past(who, NOW, {})
    findings = judge_candidate(
        model.won.judged, Rehearsed(0.0), model.contender, order=order, past=past, beside=found
    )  # fmt: skip
    codes = {check.code for check in COMPARISON_CHECKS}
    return {finding.code: finding for finding in findings if finding.code in codes}


# -- the same rows


def test_exactly_the_rows_that_the_champion_learned_from_are_left_out() -> None:
    training_set, old = candidate().won.training_set, champion().won.training_set
    learned = {old.identities[row] for row in old.numbers(test=False).tolist()}
    test = training_set.numbers(test=True)
    new = new_to(champion().release, training_set, test)
    assert new.tolist() == [training_set.identities[row] not in learned for row in test.tolist()]
    assert 0 < (~new).sum() < len(test)  # some changed sides as edges moved
    own = training_set.numbers(test=False)
    assert not new_to(candidate().release, training_set, own).any()
    assert new_to(candidate().release, training_set, test).all()


def test_the_list_of_training_rows_holds_all_of_them_and_does_not_depend_on_their_order() -> None:
    training_set = champion().won.training_set
    listed = np.frombuffer(champion().release.files[TRAINING_ROWS_FILE], dtype="<u8")
    own = row_keys(training_set.identities)[training_set.numbers(test=False)]
    assert listed.tolist() == sorted(own.tolist())
    assert len(np.unique(listed)) == champion().release.manifest.training.rows


def test_what_is_left_out_is_told_and_the_rest_is_compared() -> None:
    found, _ = compare(candidate().contender, champion().release)
    test = candidate().won.training_set.numbers(test=True)
    new = new_to(champion().release, candidate().won.training_set, test)
    assert found.paired is not None
    assert (found.paired.rows, found.left_out) == (new.sum(), (~new).sum())
    assert (found.problem, found.excused) == (None, None)


def test_both_are_judged_on_the_same_rows_and_the_champion_as_it_would_answer_today() -> None:
    training_set = candidate().won.training_set
    test = training_set.numbers(test=True)
    places = np.flatnonzero(new_to(champion().release, training_set, test))
    said = scored(champion().release, candidate().won.drawn, training_set, test[places])
    found, _ = compare(candidate().contender, champion().release)
    own = candidate().won.judged.forecast[places]
    tiers = training_set.tiers[test[places]]
    right = [(each.argmax(axis=1) + 1 == tiers).mean() for each in (own, said)]
    assert found.paired is not None
    assert found.paired.accuracy is not None
    assert found.paired.accuracy.value == pytest.approx(right[0] - right[1])


def test_three_weekly_retrains_keep_nine_tenths_of_the_test_rows_comparable() -> None:
    """Windows of the 4,000 newest videos overlap; which rows test follows from the videos, not from the week."""
    weeks = [known_by(NOW - timedelta(days=days)) for days in (14, 7, 0)]
    sets = [week.training_set for week in weeks]
    assert all(each is not None and each.n_videos == 4_000 for each in sets)
    assert sets[0].identities != sets[1].identities != sets[2].identities  # type: ignore[union-attr]
    for before, now in ((0, 1), (1, 2), (0, 2)):
        served = learned_from(sets[before])  # type: ignore[arg-type]
        test = sets[now].numbers(test=True)  # type: ignore[union-attr]
        new = new_to(served, sets[now], test)  # type: ignore[arg-type]
        assert new.mean() >= 0.90, (before, now)
        assert new.sum() >= 500


def learned_from(training_set: TrainingSet) -> Release:
    """A release that says so."""
    release = champion().release
    return Release.stage(release.manifest, {**release.files, TRAINING_ROWS_FILE: training_set.training_rows()})


def test_a_forecast_is_compared_on_videos_posted_after_all_that_the_champion_trained_on() -> None:
    training_set = drafted().won.training_set
    test = training_set.numbers(test=True)
    assert training_set.posted_at is not None
    posted = training_set.posted_at[test]
    middle = int(np.sort(posted)[len(posted) // 3])
    at = datetime.fromtimestamp(0, tz=NOW.tzinfo) + timedelta(microseconds=middle)
    newer = changed(drafted().release, newest_training_video_at=at.isoformat())
    assert new_to(newer, training_set, test).tolist() == (posted > middle).tolist()  # not what was posted that instant
    found, _ = compare(drafted().contender, newer)
    assert found.paired is not None
    assert found.left_out == (posted <= middle).sum() > 0
    assert new_to(drafted().release, training_set, test).all()


# -- who cannot be compared


def test_below_five_hundred_rows_or_fifty_creators_the_gate_waits(tmp_path: Path) -> None:
    model = candidate()
    test = model.won.training_set.numbers(test=True)
    learned = np.sort(row_keys(model.won.training_set.identities)[test[:-499]])
    all_but_499 = Release.stage(
        model.release.manifest, {**model.release.files, TRAINING_ROWS_FILE: learned.astype("<u8").tobytes()}
    )
    found = beside_these(model, all_but_499, store=tmp_path)
    assert found.champion is not None
    assert found.champion.paired is not None
    assert found.champion.paired.rows == 499
    findings = judged(model, found, standing(all_but_499))
    for code in ("C210", "C211", "C215"):
        assert findings[code].outcome is Outcome.INCONCLUSIVE
        assert findings[code].rows == 499
        assert "Ingest more videos, raise retrain.max_videos" in findings[code].explanation


def test_a_release_without_a_list_of_its_rows_is_inconclusive_with_the_remedy(tmp_path: Path) -> None:
    files = {name: content for name, content in champion().release.files.items() if name != TRAINING_ROWS_FILE}
    silent = Release.stage(champion().release.manifest, files)
    _assert_waits(candidate(), silent, "it does not list the rows that it learned from", tmp_path)


def test_a_forecast_that_does_not_say_how_new_its_rows_were_is_inconclusive(tmp_path: Path) -> None:
    silent = changed(drafted().release, newest_training_video_at=None)
    _assert_waits(drafted(), silent, "it does not say how new its training rows were", tmp_path)


def test_a_champion_that_learned_from_every_test_row_is_inconclusive(tmp_path: Path) -> None:
    keys = np.sort(row_keys(candidate().won.training_set.identities)).astype("<u8")
    everything = {**candidate().release.files, TRAINING_ROWS_FILE: keys.tobytes()}
    _assert_waits(candidate(), Release.stage(candidate().release.manifest, everything), "no test row is new", tmp_path)


def _assert_waits(model: Model, release: Release, problem: str, store: Path) -> None:
    found = beside_these(model, release, store=store)
    assert found.champion is not None
    assert found.champion.paired is None
    findings = judged(model, found, standing(release))
    for code in ("C210", "C211", "C215"):
        assert findings[code].outcome is Outcome.INCONCLUSIVE
        assert problem in findings[code].explanation
        assert f"`tiercast retrain --replace {release.id[:12]}`" in findings[code].explanation


def test_a_champion_of_other_labels_is_not_compared(tmp_path: Path) -> None:
    found = beside_these(candidate(), changed(champion().release, label="given"), store=tmp_path)
    assert (found.champion, found.best) == (None, None)
    assert found.groups  # beside the majority's


@pytest.mark.parametrize("digits", [8, 12, 64])
def test_a_champion_that_cannot_score_is_replaced_only_where_it_was_named(tmp_path: Path, digits: int) -> None:
    old = changed(champion().release, feature_schema="0" * 64)
    _assert_waits(candidate(), old, "was trained on another set of features", tmp_path)
    named = beside_these(candidate(), old, replacing=old.id[:digits], store=tmp_path)
    findings = judged(candidate(), named, standing(old))
    for code in ("C210", "C211", "C215"):
        assert findings[code].outcome is Outcome.NOT_APPLICABLE
    assert "it was named to be replaced all the same" in findings["C210"].explanation
    other = beside_these(candidate(), old, replacing=champion().release.id[:digits], store=tmp_path)
    assert judged(candidate(), other, standing(old))["C210"].outcome is Outcome.INCONCLUSIVE


def test_a_champion_that_can_be_compared_is_compared_although_it_was_named(tmp_path: Path) -> None:
    """To name it is no way round a comparison that can be made."""
    served = champion().release
    named = beside_these(candidate(), served, replacing=served.id[:8], store=tmp_path)
    assert named.champion is not None
    assert named.champion.paired is not None
    assert named.groups[0].name.startswith("platform")


def test_a_best_release_that_is_gone_is_excused_by_the_champion_that_was_held_to_it(tmp_path: Path) -> None:
    served = champion().release
    found = beside_these(candidate(), served, best="beef" * 16, store=tmp_path)
    assert found.best is not None
    assert (found.best.release, found.best.paired) == ("beef" * 16, None)
    findings = judged(candidate(), found, standing(served, best="beef" * 16))
    for code in ("C212", "C213"):
        assert findings[code].outcome is Outcome.NOT_APPLICABLE
        assert "is not in the model store" in findings[code].explanation
        assert "the champion, which was held to it, stands for it" in findings[code].explanation
    assert findings["C210"].outcome is not Outcome.NOT_APPLICABLE


def test_the_best_release_kept_is_scored_again_on_todays_rows(tmp_path: Path) -> None:
    older = fitted(known_by(NOW - timedelta(days=14))).release
    upload(open_objects(tmp_path.as_uri()), Moment.OBSERVED, older)
    found = beside_these(candidate(), champion().release, best=older.id, store=tmp_path)
    assert found.best is not None
    assert found.best.paired is not None
    assert found.best.release == older.id
    assert found.best.paired.rows > 500
    assert beside_these(candidate(), older, best=older.id, store=tmp_path).best is None  # it serves itself


def test_without_a_champion_groups_stand_beside_the_majority(tmp_path: Path) -> None:
    found = beside_these(candidate(), None, store=tmp_path)
    assert (found.champion, found.best) == (None, None)
    majority = majority_forecast(
        candidate().won.training_set.rows(test=False).tiers, rows=candidate().won.judged.candidate.rows
    )
    assert (majority == candidate().won.judged.majority_forecast).all()
    youtube = next(group for group in found.groups if group.name == "platform tiktok")
    assert youtube.other.value is not None
    assert youtube.other.value < 0.3 < youtube.accuracy.value  # type: ignore[operator]


# -- the same label


def cut_at(training_set: TrainingSet, factor: float) -> TrainingSet:
    """The same rows, their tiers cut at edges that are so many times as high."""
    reference, rows = training_set.reference, training_set.standpoint
    assert reference is not None
    assert rows is not None
    assert training_set.views is not None
    moved = replace(
        reference, edges={name: tuple(round(factor * edge) for edge in each) for name, each in reference.edges.items()}
    )
    tiers = moved.tiers(training_set.views, rows)
    weights = training_set.weights.copy()
    if not training_set.moment.forecasts:
        weights[~training_set.is_test] = tier_weights(tiers[~training_set.is_test])
    inputs = replace(training_set.inputs, edges=log_edges(moved.edges_of(rows)))
    return replace(training_set, reference=moved, tiers=tiers, weights=weights, inputs=inputs)


@pytest.mark.parametrize("factor", [1.0, 1.1, 1.5, 1 / 1.5])
def test_a_draft_asked_at_moved_edges_is_found_equal_to_itself(factor: float) -> None:
    """The regression on views can be asked at any edges: what it says there itself is what carrying has to say."""
    moved = cut_at(drafted().won.training_set, factor)
    test = moved.numbers(test=True)
    asked = drafted().won.fitted.blend.probabilities(moved.inputs[test])
    contender = replace(drafted().contender, training_set=moved, forecast=asked)
    found, _ = compare(contender, drafted().release)
    assert found.paired is not None
    assert found.paired.log_loss is not None
    assert found.paired.accuracy is not None
    assert found.left_out == 0
    assert abs(found.paired.log_loss.value) < (0.01 if factor != 1 else 1e-9)
    assert abs(found.paired.accuracy.value) < 0.02


@pytest.mark.parametrize(
    ("kind", "factor", "apart"),
    [
        ("logistic", 1.0, 1e-9),
        ("logistic", 1.1, 0.01),
        ("logistic", 1.5, 0.01),
        ("logistic", 1 / 1.5, 0.01),
        ("xgboost", 1.0, 1e-9),
        ("xgboost", 1.1, 0.01),
        ("xgboost", 1.5, 0.02),  # trees look closest at their own edges, which is no fault of carrying
    ],
)
def test_a_model_of_the_same_rows_with_moved_edges_is_found_equal_to_the_one_before(
    kind: str, factor: float, apart: float
) -> None:
    """One learned tiers at the edges, the other at edges so many times as high: the same rows, the same recipe."""
    before = of_all_rows(kind)
    after = fitted(replace(before.won.drawn, training_set=cut_at(before.won.training_set, factor)), kind)
    found, _ = compare(after.contender, before.release)
    assert found.paired is not None
    assert found.paired.log_loss is not None
    assert found.paired.rows > 1_600
    assert abs(found.paired.log_loss.value) < apart


@cache
def of_all_rows(kind: str) -> Model:
    return fitted(known_by(NOW, 9_000), kind)


def test_tiers_relative_to_the_creator_are_carried_row_by_row() -> None:
    """A champion whose tiers were relative to everybody, beside one that cuts each creator's own."""
    settings = SETTINGS.model_copy(
        update={"tiers": SETTINGS.tiers.model_copy(update={"relative_to": RelativeTo.CREATOR})}
    )
    rows = generate(8_000, seed=4, now=NOW, world=REGULAR).rows
    own = draw_forecast(rows, Moment.DRAFT, order_of(settings, Moment.DRAFT).plan, forecast_plan(settings))
    training_set = own.training_set
    assert training_set is not None
    assert training_set.inputs.edges is not None
    assert len(np.unique(training_set.inputs.edges, axis=0)) > 300
    test = training_set.numbers(test=True)
    carried = scored(drafted().release, own, training_set, test)
    exact = drafted().won.fitted.blend.probabilities(training_set.inputs[test])
    np.testing.assert_allclose(carried.sum(axis=1), 1, atol=1e-9)
    assert np.abs(carried - exact).mean() < 0.03


# -- parts of the rows


def test_a_small_loss_in_one_of_many_groups_is_not_proven_and_a_large_one_is() -> None:
    """Alone the loss would be proven at 95 %; among all groups it is not."""
    model = candidate()
    training_set = model.won.training_set
    test = training_set.numbers(test=True)
    tiers = training_set.tiers[test]
    resamples = Resamples.draw(training_set.creators[test], seed=42)
    right = np.eye(5)[tiers - 1]
    wrong = np.roll(right, 1, axis=1)
    assert training_set.standpoint is not None
    youtube = np.array(training_set.standpoint.platforms)[test] == "youtube"

    def proven(share: float) -> tuple[float | None, float]:
        rng = np.random.default_rng(1)
        lost = youtube & (rng.random(len(test)) < share)
        contender = replace(model.contender, forecast=np.where(lost[:, None], wrong, right), min_group_rows=10)
        found = compared_groups(contender, np.arange(len(test)), right, resamples)
        harmed = next(group for group in found if group.name == "platform youtube")
        alone = resamples.among(youtube).mean_bounds(-lost.astype(np.float64)[youtube])
        assert alone is not None
        assert {group.gained.value for group in found if not lost[_part(model, group.name)].any()} <= {0.0}
        return harmed.proven, alone.upper

    together, alone = proven(0.5)
    assert together is not None
    assert together < -0.02
    assert together > alone + 0.005  # at a stricter level less is proven
    nothing, _ = proven(0.0)
    assert nothing == 0


def _part(model: Model, name: str) -> np.ndarray:
    from tiercast.flows.comparison import groups_of

    return groups_of(model.won.training_set, model.won.training_set.numbers(test=True))[name]


def test_a_group_of_too_few_rows_is_shown_and_not_judged(tmp_path: Path) -> None:
    found = beside_these(candidate(), champion().release, store=tmp_path)
    sizes = {group.name: (group.rows, group.proven is not None) for group in found.groups}
    assert any(rows < 100 for rows, _ in sizes.values())
    assert all(judged == (rows >= 100) for rows, judged in sizes.values())
    assert all(group.accuracy.value is not None and group.other.value is not None for group in found.groups)


# -- the best release kept


def kept(champion_id: str, log_loss: object, accuracy: object, *, best: str | None = None) -> Beside:
    """A comparison that ended so, beside the best release where one is named, else beside the champion."""
    from checks.samples import difference, pair
    from tiercast.checks.evidence import Comparison

    equal = Comparison(champion_id, pair(difference(-0.001, 0.001), difference(-0.001, 0.001)))
    compared = Comparison(best or champion_id, pair(accuracy, log_loss))  # type: ignore[arg-type]
    return Beside(equal if best else compared, compared if best else None, ())


@pytest.mark.parametrize("best", [None, "beef" * 16])
def test_the_place_of_the_best_moves_only_where_better_is_proven_with_99_percent(best: str | None) -> None:
    from checks.samples import difference

    served, new = champion().release, candidate().release
    who, held_to = standing(served, best=best), best or served.id
    cases = {
        (0.001, 0.0): new.id,
        (0.0, 0.0): held_to,  # not above 0
        (-0.001, 0.1): held_to,
        (0.001, -0.01): held_to,  # lower in accuracy
    }
    for (strict, accuracy), expected in cases.items():
        found = kept(
            served.id, difference(0.002, 0.1, strict=strict), difference(accuracy - 0.05, accuracy + 0.05), best=best
        )
        assert best_kept(new, who, found) == expected, (strict, accuracy)


def test_the_first_champion_and_one_that_replaces_what_cannot_be_compared_are_the_best(tmp_path: Path) -> None:
    new = candidate().release
    assert best_kept(new, standing(None), Beside(None, None, ())) == new.id
    given = changed(champion().release, label="given")
    assert best_kept(new, standing(given), beside_these(candidate(), given, store=tmp_path)) == new.id
    old = changed(champion().release, feature_schema="0" * 64)
    named = beside_these(candidate(), old, replacing=old.id[:8], store=tmp_path)
    assert best_kept(new, standing(old), named) == new.id


def test_a_best_release_that_is_gone_hands_its_place_to_the_champion_until_better_is_proven(tmp_path: Path) -> None:
    served = champion().release
    found = beside_these(candidate(), served, best="beef" * 16, store=tmp_path)
    assert best_kept(candidate().release, standing(served, best="beef" * 16), found) == served.id
