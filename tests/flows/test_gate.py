"""The gate as a retrain meets it: what stops a run, what cannot be true, what people decided, and what is written."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from cli.program import NOW, refuse, write_frozen
from flows.conftest import LENIENT_BARS, Open, put, world_and_order
from flows.forecasts import SMALL, serve, videos
from tiercast.checks import CHECKS
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.findings import Finding, Outcome
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion
from tiercast.flows.model_store import ModelStore, Writer, history, load_manifest
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import retrain
from tiercast.flows.rollback import pin, rollback, unpin
from tiercast.learn.generated import WORLD, generate
from tiercast.render.output import Silence
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

WEEKS: Final = replace(WORLD, youngest_hours=60.0, last_scrape_within_days=1.0)
"""About a quarter of the videos are of the newest week."""
NEWEST_AT = pl.col("published_at") > pl.col("published_at").max() - timedelta(days=7)
COUNTS: Final = ("views", "likes", "comments", "shares", "saves")
FRESH: Final = {name: value for name, value in LENIENT_BARS.items() if "NEWEST_AGE" not in name}
"""A gate that asks for fresh videos and is lenient otherwise."""
OTHER: Final = {"RETRAIN__MIN_VIDEOS": "400"}


def scrapes(n: int = 700, *, seed: int = 7) -> pl.DataFrame:
    return generate(n, seed=seed, now=NOW, world=WEEKS).rows


@pytest.fixture(scope="module")
def served_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 700 videos and a champion."""
    folder = tmp_path_factory.mktemp("served")
    wiring = Wiring(read_settings(folder / "home"))
    put(wiring, scrapes(), folder / "videos.parquet")
    assert run(wiring).status == "promoted"
    wiring.engine.dispose()
    return folder / "home"


Later = Callable[..., Wiring]


@pytest.fixture
def later(served_once: Path, tmp_path: Path, open_home: Open) -> Later:
    """Opens a home of other scrapes beside a copy of the store in which that champion serves."""
    import shutil

    shutil.copytree(served_once / "models", tmp_path / "models")
    homes = iter(range(9))

    def opener(frame: pl.DataFrame, **settings: str) -> Wiring:
        home = tmp_path / f"home-{next(homes)}"
        wiring = open_home(home, **{**FRESH, "MODEL_STORE_URL": f"file://{tmp_path}/models", **settings})
        put(wiring, frame, home.with_suffix(".parquet"))
        return wiring

    return opener


def run(wiring: Wiring, *, now: datetime = NOW, **order: Any) -> RunReport:
    world, asked = world_and_order(wiring, now=now)
    return retrain(world, replace(asked, **order), progress=Silence())


def finding(report: RunReport, code: str) -> Finding:
    return next(each for each in report.findings if each.code == code)


def outcome(report: RunReport, code: str) -> Outcome:
    return finding(report, code).outcome


def assert_stopped(report: RunReport, code: str, *words: str) -> None:
    """Held before anything was fitted, by this check alone."""
    assert (report.status, report.candidate) == ("held", None), report.reason
    assert [each.code for each in report.findings if each.objects] == [code]
    assert report.reason == finding(report, code).explanation
    for word in words:
        assert word in report.reason


def entries(wiring: Wiring) -> list[Promotion]:
    log = wiring.read_log()
    return [entry.promotion for entry in history(log, Moment.OBSERVED) if entry.promotion] if log else []


# -- what changed in the data


def test_more_videos_of_the_same_kind_pass_every_question_about_the_data(later: Later) -> None:
    report = run(later(pl.concat([scrapes(), scrapes(100, seed=9)])))
    assert (report.status, report.candidate is None) == ("promoted", False), report.reason
    asked = {each.code: each.outcome for each in report.findings if each.code.startswith("D")}
    assert asked == dict.fromkeys(asked, Outcome.PASS) | {"D104": Outcome.NOT_APPLICABLE}


def test_a_column_that_vanished_in_the_newest_week_alone_stops_the_run(later: Later) -> None:
    lost = scrapes().with_columns(comments=pl.when(NEWEST_AT).then(None).otherwise(pl.col("comments")))
    assert_stopped(run(later(lost)), "D103", "of all or of the newest week: comment_rate, comment_to_like")


@pytest.mark.parametrize(("every", "found"), [(20, Outcome.FAIL), (3, Outcome.PASS)])
def test_a_column_that_few_videos_of_the_newest_week_still_have_has_vanished(
    later: Later, every: int, found: Outcome
) -> None:
    kept = NEWEST_AT & (pl.int_range(pl.len()) % every != 0)
    nearly = scrapes().with_columns(comments=pl.when(kept).then(None).otherwise(pl.col("comments")))
    assert outcome(run(later(nearly), dry_run=True), "D103") is found


def test_a_column_that_nearly_vanished_from_all_videos_stops_the_run(later: Later) -> None:
    lost = pl.int_range(pl.len()) % 20 != 0
    nearly = scrapes().with_columns(comments=pl.when(lost).then(None).otherwise(pl.col("comments")))
    assert_stopped(run(later(nearly)), "D103", "comment_rate")


@pytest.mark.parametrize("when", ["always", "in the newest week"])
def test_zeros_that_jumped_stop_the_run(later: Later, when: str) -> None:
    which = NEWEST_AT if when == "in the newest week" else pl.lit(True)
    zeros = scrapes().with_columns(shares=pl.when(which).then(0).otherwise(pl.col("shares")).cast(pl.Int64))
    told = "of the newest week's videos" if when == "in the newest week" else "of the videos"
    assert_stopped(run(later(zeros)), "D105", "share_to_like is zero on 100.0%", told)


def test_zeros_in_the_newest_week_stop_a_first_model_too(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "new")
    zeros = scrapes().with_columns(shares=pl.when(NEWEST_AT).then(0).otherwise(pl.col("shares")).cast(pl.Int64))
    put(wiring, zeros, tmp_path / "zeros.parquet")
    assert_stopped(run(wiring), "D105")


def times(factor: float) -> pl.DataFrame:
    """Every count so many times as high: the same engagement, other edges."""
    return scrapes().with_columns((pl.col(name) * factor).cast(pl.Int64) for name in COUNTS)


def test_edges_that_doubled_stop_the_run_unless_they_moved_as_much_before(later: Later) -> None:
    doubled = later(times(2))
    first = run(doubled)
    assert_stopped(first, "D106", "one moved by a factor of 2.0", "Between promotions they moved by at most 1.00")
    allowed = run(later(times(2), GATE__OBSERVED__MAX_EDGE_FACTOR="2.1"))
    assert allowed.status == "promoted", allowed.reason
    again = run(later(times(3.9)), dry_run=True)
    assert outcome(again, "D106") is Outcome.PASS
    assert "Between promotions they moved by at most 2.0" in finding(again, "D106").explanation
    assert_stopped(run(later(times(9))), "D106", "4.5")


@pytest.mark.parametrize(
    ("age", "stopped"),
    [(timedelta(days=8), True), (timedelta(days=7, seconds=1), True), (timedelta(days=7), False)],
)
def test_a_newest_video_of_more_than_a_week_stops_a_run_that_would_replace_a_champion(
    later: Later, age: timedelta, stopped: bool
) -> None:
    newest: datetime = scrapes()["published_at"].max()  # type: ignore[assignment]
    wiring = later(pl.concat([scrapes(), scrapes(20, seed=9).filter(pl.col("published_at") < newest)]))
    report = run(wiring, now=newest + age, dry_run=True)
    if stopped:
        assert_stopped(report, "D107", "7 days are allowed", f"{newest:%Y-%m-%d %H:%M} UTC")
    else:
        assert outcome(report, "D107") is Outcome.PASS
        assert finding(report, "D107").observed == 7


def test_a_first_model_may_learn_from_a_store_of_last_year(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "old")
    put(wiring, scrapes(), tmp_path / "old.parquet")
    report = run(wiring, now=NOW + timedelta(days=400))
    assert report.status == "promoted", report.reason
    assert outcome(report, "D107") is Outcome.NOT_APPLICABLE


def test_the_same_rows_as_last_time_are_nothing_new_and_other_settings_are(later: Later) -> None:
    assert_stopped(run(later(scrapes())), "D108", "the same rows as last time")
    other = run(later(scrapes(), **OTHER))
    assert other.status == "promoted", other.reason
    assert "learned these very rows, with other settings" in finding(other, "D108").explanation


def test_the_same_rows_with_other_libraries_are_something_new(later: Later) -> None:
    world, order = world_and_order(later(scrapes()))
    newer = replace(world, libraries={**world.libraries, "numpy": "99.0"})
    report = retrain(newer, replace(order, dry_run=True), progress=Silence())
    assert outcome(report, "D108") is Outcome.PASS


# -- what cannot be true


def leaking(share: float) -> pl.DataFrame:
    """Scrapes whose length in seconds was computed from views, for this share of them."""
    views = pl.col("views").clip(1).log() * 10
    told = (pl.struct("platform", "video_id").hash(seed=1) % 1_000) < 1_000 * share
    return scrapes(900).with_columns(
        duration_seconds=pl.when(told).then(views).otherwise(pl.col("duration_seconds").cast(pl.Float64))
    )


def test_a_column_computed_from_views_is_named_and_rejected(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "leak")
    put(wiring, leaking(1.0), tmp_path / "leak.parquet")
    report = run(wiring)
    assert (report.status, report.champion_after) == ("rejected", None)
    assert outcome(report, "C217") is Outcome.FAIL
    assert outcome(report, "C216") is Outcome.FAIL
    assert "Look where duration comes from: it seems to be computed from views." in report.reason
    assert entries(wiring) == []


def test_honest_features_raise_no_alarm(served_once: Path) -> None:
    wiring = Wiring(read_settings(served_once))
    (record,) = wiring.runs.recent(5)
    wiring.engine.dispose()
    outcomes = {each["code"]: each for each in record.document["findings"]}  # type: ignore[attr-defined]
    assert (outcomes["C216"]["outcome"], outcomes["C217"]["outcome"]) == ("pass", "pass")
    assert outcomes["C217"]["observed"] < 0.6


def test_given_labels_are_never_alarmed(tmp_path: Path, open_home: Open) -> None:
    frozen = write_frozen(tmp_path / "frozen.json")
    report = run(open_home(tmp_path / "few", RETRAIN__FALLBACK_PATH=str(frozen)))
    assert (report.status, report.source) == ("promoted", "fallback"), report.reason
    assert report.judged is not None
    assert report.judged.candidate.accuracy.value > 0.9  # type: ignore[operator]
    assert (outcome(report, "C216"), outcome(report, "C217")) == (Outcome.NOT_APPLICABLE,) * 2


# -- checks that only warn


def test_a_check_is_demoted_by_name_and_the_release_the_run_and_the_findings_say_so(
    tmp_path: Path, open_home: Open
) -> None:
    wiring = open_home(tmp_path / "leak", GATE__WARN_ONLY='["C217", "C216"]')
    put(wiring, leaking(1.0), tmp_path / "leak.parquet")
    report = run(wiring)
    assert report.status == "promoted", report.reason
    assert {each.code for each in report.findings if each.demoted} == {"C216", "C217"}
    assert outcome(report, "C217") is Outcome.FAIL
    assert report.reason == "C216, C217 only warned; every other check passed."
    assert any(told.startswith("C217 only warns (gate.warn_only): duration by itself") for told in report.warnings)
    manifest = load_manifest(wiring.objects, Moment.OBSERVED, str(report.candidate))
    assert {"C216 only warns", "C217 only warns"} <= {*manifest.marks}
    (entry,) = entries(wiring)
    assert {each["code"] for each in entry.findings if each["demoted"]} == {"C216", "C217"}


def test_a_demoted_check_that_passes_is_marked_and_warns_of_nothing(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "honest", GATE__WARN_ONLY='["C217"]')
    put(wiring, scrapes(), tmp_path / "honest.parquet")
    report = run(wiring)
    assert (report.status, report.reason) == ("promoted", "Every check passed.")
    assert not any("C217" in told for told in report.warnings)
    assert "C217 only warns" in load_manifest(wiring.objects, Moment.OBSERVED, str(report.candidate)).marks


# -- what people and time say


def decide(wiring: Wiring, act: Callable[..., Promotion], **of: Any) -> Promotion:
    store = ModelStore(wiring.objects, wiring.write_log())
    return act(store, Moment.OBSERVED, reason="odd scores", writer=Writer(actor="ben@office", at=NOW, token="t"), **of)


def test_a_pin_holds_every_candidate_until_it_is_taken_away(later: Later) -> None:
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    decide(wiring, pin, release=first.release[:12])
    report = run(wiring)
    assert (report.status, report.champion_after) == ("held", first.release)
    assert [each.code for each in report.findings if each.objects] == ["L301"]
    assert "ben@office pinned" in report.reason
    assert report.judged is not None  # measured all the same
    decide(wiring, unpin)
    assert run(wiring).status == "promoted"


def test_a_pin_whose_entry_is_damaged_is_not_lifted_by_that(later: Later, tmp_path: Path) -> None:
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    decide(wiring, pin, release=first.release[:12])
    path = tmp_path / "models" / "observed" / "promotions" / "00000002.json"
    path.write_bytes(path.read_bytes()[:100])
    report = run(wiring)
    assert (report.status, report.champion_after) == ("held", first.release)
    assert outcome(report, "L301") is Outcome.INCONCLUSIVE
    decide(wiring, pin, release=first.release[:12])
    decide(wiring, unpin)
    assert outcome(run(wiring, warn_only=("L303",), dry_run=True), "L301") is Outcome.PASS


def test_a_champion_whose_files_are_lost_is_no_missing_champion(later: Later, tmp_path: Path) -> None:
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    (tmp_path / "models" / "observed" / "releases" / first.release / "manifest.json").unlink()
    report = run(wiring)
    assert report.status == "held"
    assert outcome(report, "C210") is Outcome.INCONCLUSIVE
    assert f"--replace {first.release[:12]}" in finding(report, "C210").explanation
    assert run(wiring, replace=first.release[:12]).status == "promoted"


def test_a_pin_of_the_release_that_serves_does_not_lower_the_bar(later: Later) -> None:
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    second = run(wiring)
    assert second.status == "promoted"
    held_to = entries(wiring)[-1].best
    decide(wiring, pin, release=str(second.candidate)[:12])
    decide(wiring, unpin)
    assert [each.best for each in entries(wiring)[1:]] == [held_to] * 3
    assert held_to in (first.release, second.candidate)


def test_a_name_that_replaces_nobody_is_told(later: Later) -> None:
    report = run(later(scrapes(), **OTHER), replace="0" * 12, dry_run=True)
    assert "names no champion of observed" in " ".join(report.warnings)


def test_what_was_rolled_back_is_not_promoted_again_until_somebody_chooses_it(later: Later) -> None:
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    second = run(wiring)
    assert second.status == "promoted", second.reason
    decide(wiring, rollback, release=None)
    again = run(wiring)
    assert (again.status, again.candidate, again.champion_after) == ("held", second.candidate, first.release)
    assert [each.code for each in again.findings if each.objects] == ["L303"]
    decide(wiring, rollback, release=str(second.candidate)[:12])
    decide(wiring, rollback, release=first.release[:12])
    assert outcome(run(wiring, dry_run=True), "L303") is Outcome.FAIL  # out of service once more
    decide(wiring, rollback, release=str(second.candidate)[:12])
    assert entries(wiring)[-1].release == second.candidate


def test_a_cool_down_holds_until_it_is_over(later: Later) -> None:
    wiring = later(scrapes(), GATE__OBSERVED__COOL_DOWN_HOURS="48", **OTHER)
    early = run(wiring, now=NOW + timedelta(hours=47))
    assert (early.status, [each.code for each in early.findings if each.objects]) == ("held", ["L302"])
    assert "47.0 hours old; 48 are required" in early.reason
    assert run(wiring, now=NOW + timedelta(hours=48)).status == "promoted"


def test_a_champion_of_another_version_is_replaced_only_where_it_is_named(later: Later) -> None:
    """Its feature schema is that of another version, as after an upgrade."""
    wiring = later(scrapes(), **OTHER)
    (first,) = entries(wiring)
    old = load_manifest(wiring.objects, Moment.OBSERVED, first.release)
    served = _promoted_by_hand(wiring, replace(old, feature_schema="0" * 64))
    waits = run(wiring)
    assert (waits.status, waits.champion_after) == ("held", served)
    assert outcome(waits, "C210") is Outcome.INCONCLUSIVE
    assert "was trained on another set of features" in waits.reason
    assert f"--replace {served[:12]}" in waits.reason
    assert run(wiring, replace=first.release[:12]).status == "held"
    named = run(wiring, replace=served[:8])
    assert named.status == "promoted", named.reason
    assert outcome(named, "C210") is Outcome.NOT_APPLICABLE
    assert entries(wiring)[-1].best == named.candidate


def _promoted_by_hand(wiring: Wiring, manifest: Any) -> str:
    from tiercast.core.release import Release
    from tiercast.flows.model_store import load_release, standing
    from tiercast.flows.publish import Passed, publish

    release = load_release(wiring.objects, Moment.OBSERVED, entries(wiring)[-1].release)
    other = Release.stage(manifest, release.files)
    who = standing(wiring.objects, wiring.read_log(), Moment.OBSERVED)
    store = ModelStore(wiring.objects, wiring.write_log())
    publish(store, Passed(other, (), "by hand", who), Writer(actor="a test", at=NOW, token="by hand"))
    return other.id


# -- who is held to what


def test_a_chain_of_equal_releases_is_held_to_the_first_of_them(later: Later) -> None:
    """None is proven better than the first, so it keeps its place and is compared with each."""
    (first,) = entries(later(scrapes()))
    reports = []
    for count in ("401", "402", "403"):
        report = run(later(scrapes(), RETRAIN__MIN_VIDEOS=count))
        assert report.status == "promoted", report.reason
        reports.append(report)
    wiring = later(scrapes())
    assert [entry.best for entry in entries(wiring)] == [first.release] * 4
    assert reports[0].beside is not None
    assert reports[0].beside.best is None  # the champion itself is the best
    for report, before in zip(reports[1:], reports, strict=False):
        assert report.beside is not None
        assert report.beside.champion is not None
        assert report.beside.best is not None
        assert (report.beside.champion.release, report.beside.best.release) == (before.candidate, first.release)
        assert outcome(report, "C212") is Outcome.PASS


def test_at_its_defaults_a_comparison_on_few_rows_proves_nothing_and_holds(later: Later) -> None:
    strict = {name: "500" if "ROWS" in name else "50" for name in FRESH if "MIN_COMPARED" in name}
    report = run(later(scrapes(), **OTHER, **strict))
    assert (report.status, report.champion_after) == ("held", report.champion_before)
    assert {each.code for each in report.findings if each.objects} == {"C210", "C211", "C215"}
    assert "500 videos and 50 creators are required" in report.reason


# -- what a run tells


def test_the_document_of_a_comparison_is_complete_and_holds_no_nan(later: Later) -> None:
    report = run(later(pl.concat([scrapes(), scrapes(100, seed=9)])))
    document = json.loads(json.dumps(report.to_document(), allow_nan=False), parse_constant=refuse)
    assert [each["code"] for each in document["findings"]] == [check.code for check in CHECKS]
    assert document["compared"].keys() == {"champion", "best", "groups"}
    champion = document["compared"]["champion"]
    assert champion.keys() == {"release", "paired", "left_out", "problem", "excused"}
    assert champion["release"] == report.champion_before
    measured = {"value", "lower", "upper", "strict_lower", "strict_upper", "interval"}
    for name in ("accuracy", "log_loss", "calibration"):
        assert champion["paired"][name].keys() == measured
    assert champion["paired"]["rows"] + champion["left_out"] == sum(map(sum, document["confusion_matrix"]))
    assert document["compared"]["best"] is None
    for group in document["compared"]["groups"]:
        assert group.keys() == {"name", "rows", "accuracy", "other", "gained", "proven"}


def test_a_run_that_was_stopped_before_a_comparison_says_none(later: Later) -> None:
    document = run(later(scrapes())).to_document()
    assert document["compared"] is None
    assert [each["code"] for each in document["findings"]] == [c.code for c in CHECKS if c.code.startswith("D")]  # type: ignore[attr-defined, index]


# -- forecasts


@pytest.mark.parametrize("relative_to", ["all", "creator"])
def test_a_draft_of_the_same_rows_and_settings_is_nothing_new_and_of_others_is_compared(
    tmp_path: Path, open_home: Open, relative_to: str
) -> None:
    settings = {**SMALL, "TIERS__RELATIVE_TO": relative_to}
    wiring = open_home(tmp_path / "home", **settings)
    put(wiring, videos(700), tmp_path / "videos.parquet")
    serve(wiring, Moment.DRAFT)
    same = _drafted(wiring)
    assert (same.status, outcome(same, "D108")) == ("held", Outcome.FAIL), same.reason
    other = _drafted(open_home(tmp_path / "home", **settings, FEATURES__EMBARGO_DAYS="1"))
    assert outcome(other, "D108") is Outcome.PASS
    assert other.beside is not None
    assert other.beside.champion is not None
    assert other.beside.champion.paired is not None
    assert other.judged is not None
    assert other.beside.champion.paired.rows + other.beside.champion.left_out == other.judged.candidate.rows


def _drafted(wiring: Wiring) -> RunReport:
    order = order_of(wiring.settings, Moment.DRAFT, dry_run=True)
    return retrain(replace(world_of(wiring), now=lambda: NOW), order, progress=Silence())


def test_a_best_release_whose_files_are_lost_is_told_and_gives_its_place_to_the_champion(
    later: Later, tmp_path: Path
) -> None:
    (first,) = entries(later(scrapes()))
    second = run(later(scrapes(), RETRAIN__MIN_VIDEOS="401"))
    (tmp_path / "models" / "observed" / "releases" / first.release / "manifest.json").unlink()
    third = run(later(scrapes(), RETRAIN__MIN_VIDEOS="402"))
    assert third.status == "promoted", third.reason
    assert outcome(third, "C212") is Outcome.NOT_APPLICABLE
    assert f"The best release kept, {first.release[:12]}, could not be compared" in " ".join(third.warnings)
    assert entries(later(scrapes()))[-1].best == second.candidate
