"""Every outcome of the questions put to the data."""

import re
from dataclasses import replace

import pytest

from checks.samples import DATA, FIRST_DATA
from tiercast.checks.data import DATA_CHECKS, EnoughVideos, EveryTierPopulated, TimeEnough
from tiercast.core.findings import Outcome, Verdict, verdict_of

GOOD = FIRST_DATA


def test_good_data_let_the_run_go_on() -> None:
    assert verdict_of(check.judge(FIRST_DATA) for check in DATA_CHECKS) is Verdict.PROMOTE
    assert verdict_of(check.judge(DATA) for check in DATA_CHECKS) is Verdict.PROMOTE


def test_every_check_has_a_data_code_of_its_own_and_says_why_it_matters() -> None:
    codes = [check.code for check in DATA_CHECKS]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("D1") for code in codes)
    assert all(check.title and check.why.endswith(".") for check in DATA_CHECKS)


@pytest.mark.parametrize(
    ("usable", "outcome"), [(499, Outcome.FAIL), (500, Outcome.PASS), (501, Outcome.PASS), (0, Outcome.FAIL)]
)
def test_enough_videos_is_met_exactly_or_not(usable: int, outcome: Outcome) -> None:
    finding = EnoughVideos().judge(replace(GOOD, usable_videos=usable))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, usable, 500)
    assert f"{usable:,} usable videos in the video store; 500 are required" in finding.explanation


def test_too_few_videos_say_what_helps() -> None:
    sentence = EnoughVideos().judge(replace(GOOD, usable_videos=1)).explanation
    assert "views above 0 and likes known" in sentence
    assert "retrain.fallback_path" in sentence


def test_too_few_labels_of_a_forecast_say_why_and_when_that_changes() -> None:
    why = "Of 900 dated videos with views, 12 have a label."
    few = replace(GOOD, usable_videos=12, shortage=why)
    assert EnoughVideos().judge(few).explanation.endswith(f"(retrain.min_videos). {why}")
    assert why not in EnoughVideos().judge(replace(few, usable_videos=500)).explanation


def test_tiers_are_not_asked_about_where_none_could_be_cut() -> None:
    finding = EveryTierPopulated().judge(replace(GOOD, training_tiers=(), test_tiers=()))
    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("training", "test", "outcome", "named"),
    [
        ((10, 10, 10, 10, 10), (1, 1, 1, 1, 46), Outcome.PASS, "smallest tier has 10 training rows; 10 are required"),
        ((10, 10, 9, 10, 10), (1, 1, 1, 1, 1), Outcome.FAIL, "Too few rows in tier 3"),
        ((10, 10, 10, 10, 10), (1, 0, 1, 1, 0), Outcome.FAIL, "Too few rows in tier 2, 5"),
        ((90, 0, 0, 0, 10), (9, 0, 0, 0, 1), Outcome.FAIL, "Too few rows in tier 2, 3, 4"),
    ],
)
def test_every_tier_needs_ten_training_rows_and_one_test_row(
    training: tuple[int, ...], test: tuple[int, ...], outcome: Outcome, named: str
) -> None:
    finding = EveryTierPopulated().judge(replace(GOOD, training_tiers=training, test_tiers=test))
    short_of_tests = min(training) >= 10 and min(test) < 1
    bar = (min(test), 1) if short_of_tests else (min(training), 10)
    assert (finding.outcome, finding.observed, finding.required) == (outcome, *bar)
    assert finding.rows == sum(training)
    assert named in finding.explanation


def test_a_thin_tier_is_explained_by_where_the_label_comes_from() -> None:
    thin = replace(GOOD, training_tiers=(0, 9, 9, 9, 9))
    assert "share the same views" in EveryTierPopulated().judge(thin).explanation
    assert "fallback file" in EveryTierPopulated().judge(replace(thin, label="given")).explanation
    newer = replace(GOOD, test_tiers=(9, 9, 0, 0, 0), validation_cuts=4)
    assert "a source with other audiences" in EveryTierPopulated().judge(newer).explanation


@pytest.mark.parametrize(
    ("cuts", "outcome"),
    [
        (None, Outcome.NOT_APPLICABLE),
        (0, Outcome.FAIL),
        (1, Outcome.FAIL),
        (2, Outcome.PASS),
        (4, Outcome.PASS),
    ],
)
def test_a_forecast_needs_two_blocks_of_time_and_other_moments_none(cuts: int | None, outcome: Outcome) -> None:
    finding = TimeEnough().judge(replace(GOOD, validation_cuts=cuts))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, cuts, 2)
    told = "Asked of forecasts only" if cuts is None else f"{cuts} blocks of time .* 2 are required"
    assert re.search(told, finding.explanation)
    assert ("over a longer time" in finding.explanation) == (outcome is Outcome.FAIL)


def test_a_test_part_of_fewer_than_fifty_rows_decides_nothing() -> None:
    finding = EveryTierPopulated().judge(replace(GOOD, training_tiers=(90,) * 5, test_tiers=(10, 10, 10, 10, 9)))
    assert (finding.outcome, finding.observed, finding.required) == (Outcome.FAIL, 49, 50)
    assert "raise retrain.test_share" in finding.explanation
