"""What a release serves: the mean of its members, tempered, and a range of views."""

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tiercast.core.canonical import canonical_json
from tiercast.core.errors import InvalidInput
from tiercast.learn.blend import FILE, Blend, load_blend, mean_of, tempered
from tiercast.learn.fit_boosted import BoostedRecipe, CumulativeRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.fit_ordinal import OrdinalRecipe
from tiercast.learn.logistic import LogisticModel
from tiercast.learn.models import Inputs
from tiercast.learn.ordinal import OrdinalModel
from tiercast.learn.predictor import checked
from tiercast.learn.recipes import Rows

ASKED = Inputs(np.zeros((3, 1)))
UNEVEN = (0.5, 0.2, 0.1, 0.1, 0.1)
OTHER = (0.1, 0.1, 0.1, 0.1, 0.6)
rows_of_shares = arrays(np.float64, (4, 5), elements=st.floats(0.001, 1)).map(
    lambda x: x / x.sum(axis=1, keepdims=True)
)


def always(shares: tuple[float, ...]) -> LogisticModel:
    """A model that says the same of every video."""
    none = ((0.0,),) * 5
    return LogisticModel("linear", (), (0.0,), (0.0,), (1.0,), none, tuple(np.log(shares).tolist()))


def rows() -> Rows:
    rng = np.random.default_rng(3)
    X, edges = rng.random((300, 4)), np.array([4.0, 5.0, 6.0, 7.0])
    log_views = 3 + 5 * X[:, 0] + 0.5 * rng.standard_normal(300)
    tiers = 1 + (log_views[:, None] > edges).sum(axis=1)
    return Rows(Inputs(X, np.tile(edges, (300, 1)), np.zeros(300)), tiers, np.ones(300), log_views)


@cache
def ordinal() -> OrdinalModel:
    return OrdinalRecipe().fit(rows(), {})


@cache
def whole() -> Blend:
    """A blend of every kind, with a range."""
    settings = {"scale": "linear", "inverse_penalty": 0.1, "rounds": 20}
    recipes = (LogisticRecipe(), BoostedRecipe(), CumulativeRecipe())
    members = (*(recipe.fit(rows(), settings) for recipe in recipes), ordinal())
    return Blend(members, 1.234, ordinal(), (0.07, 0.92))


@given(rows_of_shares, st.floats(0.5, 3))
@settings(deadline=None)
def test_temperature_keeps_sums_and_order(shares: np.ndarray, temperature: float) -> None:
    found = tempered(shares, temperature)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    for before, after in zip(shares, found, strict=True):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= 0).all()


def test_temperature_sharpens_below_one_flattens_above_and_leaves_at_one() -> None:
    shares = np.array([UNEVEN])
    assert tempered(shares, 1.0).tobytes() == shares.tobytes()
    assert tempered(shares, 0.5)[0] == pytest.approx(np.square(UNEVEN) / np.square(UNEVEN).sum())
    assert tempered(shares, 2.0)[0] == pytest.approx(np.sqrt(UNEVEN) / np.sqrt(UNEVEN).sum())
    assert tempered(shares, 0.85).max() > 0.5 > tempered(shares, 1.2).max()


def test_an_impossible_tier_is_no_fault_of_the_temperature() -> None:
    found = tempered(np.array([[1.0, 0, 0, 0, 0]]), 2.5)
    assert np.isfinite(found).all()
    assert found[0, 0] == pytest.approx(1)


def test_a_blend_is_the_mean_of_its_members() -> None:
    found = Blend((always(UNEVEN), always(OTHER))).probabilities(ASKED)
    np.testing.assert_allclose(found, np.tile([0.3, 0.15, 0.1, 0.1, 0.35], (3, 1)), atol=1e-12)
    assert checked(found) is found


def test_one_member_alone_is_not_touched() -> None:
    alone = always(UNEVEN)
    assert Blend((alone,)).probabilities(ASKED).tobytes() == alone.probabilities(ASKED).tobytes()
    assert mean_of([np.array([UNEVEN])]).tolist() == [[*UNEVEN]]


def test_the_mean_is_tempered_and_not_each_member() -> None:
    found = Blend((always(UNEVEN), always(OTHER)), 0.5).probabilities(ASKED)[0]
    mean = np.array([0.3, 0.15, 0.1, 0.1, 0.35])
    assert found == pytest.approx(mean**2 / (mean**2).sum())


def test_the_range_ends_at_its_levels_with_the_middle_between() -> None:
    inputs = rows().inputs
    found = Blend((always(UNEVEN),), 2.0, ordinal(), (0.2, 0.7)).views_range(inputs)
    assert found is not None
    expected = np.expm1(ordinal().quantiles(inputs, (0.2, 0.5, 0.7)))
    assert found.shape == (300, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (np.diff(found, axis=1) > 0).all()


def test_a_range_never_begins_below_no_views() -> None:
    low = Blend((always(UNEVEN),), 1.0, ordinal(), (0.005, 0.995))
    inputs = Inputs(rows().inputs.X, None, np.full(300, -20.0))
    found = low.views_range(inputs)
    assert found is not None
    assert found.tolist() == [[0.0, 0.0, 0.0]] * 300


def test_without_a_regression_on_views_there_is_no_range() -> None:
    assert Blend((always(UNEVEN),)).views_range(ASKED) is None


def test_files_give_the_same_bits_back() -> None:
    inputs, files = rows().inputs, whole().to_files()
    again = load_blend(files)
    assert [member.kind for member in again.members] == ["logistic", "xgboost", "cumulative", "ordinal"]
    assert (again.temperature, again.range_levels) == (1.234, (0.07, 0.92))
    assert again.to_files() == files
    assert again.probabilities(inputs).tobytes() == whole().probabilities(inputs).tobytes()
    ranges, expected = again.views_range(inputs), whole().views_range(inputs)
    assert ranges is not None
    assert expected is not None
    assert ranges.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("blend", "files", "has_range"),
    [
        (Blend((always(UNEVEN),)), {FILE, "logistic.json"}, False),
        (
            Blend((always(UNEVEN),), 1.0, ordinal()),
            {FILE, "logistic.json", "ordinal.json", "ordinal-mean.json", "ordinal-scale.json"},
            True,
        ),
        (Blend((ordinal(),)), {FILE, "ordinal.json", "ordinal-mean.json", "ordinal-scale.json"}, False),
    ],
    ids=["without", "beside", "member"],
)
def test_a_range_comes_back_only_where_there_was_one(blend: Blend, files: set[str], has_range: bool) -> None:
    assert {*blend.to_files()} == files
    again = load_blend(blend.to_files())
    assert (again.ranges is not None) == has_range
    assert len(again.members) == 1


def changed(**parts: object) -> bytes:
    document = json.loads(whole().to_files()[FILE])
    return canonical_json({name: part for name, part in {**document, **parts}.items() if part is not None})


DAMAGED = {
    "nothing": b"",
    "half": b'{"members":',
    "no object": b"[]",
    "a number": b"7",
    "null": b"null",
    "no text": b"\xff\xfe",
    "no members": changed(members=[]),
    "members missing": changed(members=None),
    "a member that is none": changed(members=[["logistic"]]),
    "members that are a number": changed(members=3),
    "temperature missing": changed(temperature=None),
    "no temperature": changed(temperature="warm"),
    "temperature zero": changed(temperature=0),
    "temperature below zero": changed(temperature=-1.0),
    "temperature NaN": changed(temperature=1.5).replace(b"1.5", b"NaN"),
    "temperature without end": changed(temperature=1.5).replace(b"1.5", b"Infinity"),
    "temperature beyond floats": changed(temperature=10**400),
    "levels missing": changed(range_levels=None),
    "one level": changed(range_levels=[0.1]),
    "levels that are no numbers": changed(range_levels=["low", "high"]),
    "levels that are lists": changed(range_levels=[[0.1], [0.9]]),
    "levels in falling order": changed(range_levels=[0.9, 0.1]),
    "levels that are no shares": changed(range_levels=[10, 90]),
    "a level NaN": changed(range_levels=[0.1, 1.5]).replace(b"1.5", b"NaN"),
    "ranges missing": changed(ranges=None),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_blend_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"blend\.json|The release holds a model of kind") as caught:
        load_blend({**whole().to_files(), FILE: content})
    assert "\n" not in str(caught.value)


def test_a_blend_of_a_later_version_says_to_upgrade() -> None:
    with pytest.raises(InvalidInput, match=r"kind 'oracle'; this version knows .* Upgrade"):
        load_blend({**whole().to_files(), FILE: changed(members=["oracle"])})


@pytest.mark.parametrize("missing", [FILE, "logistic.json", "booster.json", "cumulative.json", "ordinal-mean.json"])
def test_a_blend_without_one_of_its_files_is_refused(missing: str) -> None:
    files = {name: content for name, content in whole().to_files().items() if name != missing}
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_blend(files)


def test_a_range_whose_regression_is_missing_is_refused_and_not_left_out() -> None:
    files = {FILE: changed(members=["logistic"]), "logistic.json": whole().to_files()["logistic.json"]}
    with pytest.raises(InvalidInput, match="ordinal model's files cannot be read"):
        load_blend(files)
    alone = load_blend({**files, FILE: changed(members=["logistic"], ranges=False)})
    assert alone.ranges is None
    assert math.isclose(alone.temperature, 1.234)
