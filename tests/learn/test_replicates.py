"""Measures on all resamples at once, against the measure of rows that are literally drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from tiercast.core.tiers import TIERS
from tiercast.learn import bootstrap
from tiercast.learn.bootstrap import Resamples
from tiercast.learn.replicates import areas_under_roc, kappas, rank_correlations

N = 12
ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9])),
    min_size=1,
    max_size=30,
)


def columns(rows: list[tuple[int, int, int, float]]) -> tuple[Resamples, np.ndarray, np.ndarray, np.ndarray]:
    creators, tiers, predicted, scores = (np.array(column) for column in zip(*rows, strict=True))
    return Resamples.draw(creators, n=N, seed=len(rows)), tiers, predicted, scores


def drawn_rows(resamples: Resamples) -> list[np.ndarray]:
    return [np.repeat(np.arange(len(resamples.codes)), times[resamples.codes]) for times in resamples.weights]


@given(ROWS)
@settings(deadline=None, max_examples=50)
def test_kappa_is_scikit_learns_on_the_rows_drawn(rows: list[tuple[int, int, int, float]]) -> None:
    resamples, tiers, predicted, _ = columns(rows)
    expected = [
        cohen_kappa_score(tiers[part], predicted[part], labels=TIERS, weights="quadratic")
        if len({*tiers[part], *predicted[part]}) > 1
        else np.nan
        for part in drawn_rows(resamples)
    ]
    assert kappas(tiers, predicted, resamples) == pytest.approx(expected, nan_ok=True)


@given(ROWS)
@settings(deadline=None, max_examples=50)
def test_auc_is_scikit_learns_on_the_rows_drawn_ties_included(rows: list[tuple[int, int, int, float]]) -> None:
    resamples, tiers, _, scores = columns(rows)
    actual = tiers >= 4
    expected = [
        roc_auc_score(actual[part], scores[part]) if len({*actual[part]}) > 1 else np.nan
        for part in drawn_rows(resamples)
    ]
    assert areas_under_roc(scores, actual, resamples) == pytest.approx(expected, nan_ok=True)


@given(ROWS)
@settings(deadline=None, max_examples=50)
def test_spearman_is_pearsons_of_the_first_ranks_on_the_rows_drawn(rows: list[tuple[int, int, int, float]]) -> None:
    resamples, tiers, _, scores = columns(rows)
    x, y = rankdata(tiers), rankdata(scores)
    expected = [
        np.corrcoef(x[part], y[part])[0, 1] if np.ptp(x[part]) and np.ptp(y[part]) else np.nan
        for part in drawn_rows(resamples)
    ]
    assert rank_correlations(tiers, scores, resamples) == pytest.approx(expected, nan_ok=True, abs=1e-9)


def test_spearman_of_the_first_ranks_is_close_to_that_of_new_ranks() -> None:
    rng = np.random.default_rng(1)
    first = rng.lognormal(8, 2, 2_000)
    second = first * rng.lognormal(0, 2, 2_000)
    resamples = Resamples.draw(rng.integers(0, 500, 2_000), n=30, seed=1)
    ranked_anew = [spearmanr(first[part], second[part]).statistic for part in drawn_rows(resamples)]
    assert rank_correlations(first, second, resamples) == pytest.approx(ranked_anew, abs=0.005)


def test_blocks_of_resamples_give_the_same_areas_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    resamples = Resamples.draw(rng.integers(0, 30, 200), n=50, seed=1)
    scores, actual = rng.random(200), rng.random(200) < 0.3
    whole = areas_under_roc(scores, actual, resamples)
    monkeypatch.setattr(bootstrap, "BLOCK_WEIGHTS", 1_500)  # seven resamples at a time
    assert (areas_under_roc(scores, actual, resamples) == whole).all()


def test_one_class_or_one_creator_of_each_class_leaves_areas_unknown() -> None:
    resamples = Resamples.draw(np.array([0, 0, 1, 1]), n=60, seed=1)
    scores = np.array([0.1, 0.2, 0.3, 0.4])
    assert np.isnan(areas_under_roc(scores, np.zeros(4, dtype=bool), resamples)).all()
    assert np.isnan(areas_under_roc(scores, np.ones(4, dtype=bool), resamples)).all()
    by_creator = areas_under_roc(scores, np.array([False, False, True, True]), resamples)
    assert (np.isnan(by_creator) == (resamples.weights.min(axis=1) == 0)).all()
    assert np.nanmin(by_creator) == np.nanmax(by_creator) == 1
