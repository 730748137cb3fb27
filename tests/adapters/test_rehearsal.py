"""The fresh process: the same probabilities from staged bytes, or a reason why not."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tiercast.adapters import rehearsal
from tiercast.adapters.rehearsal import FreshProcess
from tiercast.core.canonical import sha256_hex
from tiercast.core.errors import Unavailable
from tiercast.core.moments import Moment
from tiercast.core.release import FeatureUse, Manifest, Release, RowSet
from tiercast.learn.blend import Blend
from tiercast.learn.features import OBSERVED, feature_schema
from tiercast.learn.fit_boosted import BoostedRecipe, CumulativeRecipe
from tiercast.learn.fit_logistic import LogisticRecipe
from tiercast.learn.fit_ordinal import OrdinalRecipe
from tiercast.learn.models import KINDS, Inputs
from tiercast.learn.ordinal import OrdinalModel
from tiercast.learn.recipes import Rows
from tiercast.learn.training_set import tier_weights
from tiercast.ports.models import Question

RNG = np.random.default_rng(4)
X = RNG.beta(1, 6, (200, 15))
EDGES = np.array([0.05, 0.1, 0.15, 0.25])
TIERS = 1 + np.searchsorted(EDGES, X[:, 0])
LOG_VIEWS = 3 + 20 * X[:, 0]
START = np.minimum(LOG_VIEWS, RNG.random(200))
X[RNG.random(X.shape) < 0.1] = np.nan
INPUTS = Inputs(X, 3 + 20 * EDGES + RNG.normal(0, 0.1, (200, 1)), START)
RECIPES = {
    "logistic": LogisticRecipe(),
    "xgboost": BoostedRecipe(),
    "cumulative": CumulativeRecipe(),
    "ordinal": OrdinalRecipe(grows=True),
}


def model_of(*kinds: str) -> Blend:
    rows, settings = Rows(INPUTS, TIERS, tier_weights(TIERS), LOG_VIEWS), {"scale": "log", "inverse_penalty": 10.0}
    members = [RECIPES[kind].fit(rows, {**settings, "rounds": 5}) for kind in kinds]
    ranges = [member for member in members if isinstance(member, OrdinalModel)]
    return Blend(tuple(members), 1.17, *ranges)


def asked(rows: int) -> Question:
    return Question(X[:rows], INPUTS.edges[:rows], START[:rows])  # type: ignore[index]


def staged(model: Blend, **changes: object) -> Release:
    files = model.to_files()
    manifest = Manifest(
        moment=Moment.OBSERVED,
        label="given",
        model=model.members[0].kind,
        features=tuple(FeatureUse(f.name, f.unit, f.low, f.high, f.meaning, None, None, 0.0) for f in OBSERVED),
        feature_schema=feature_schema(OBSERVED),
        tier_edges=None,
        tiers=None,
        marks=(),
        log_views_range=None,
        newest_training_video_at=None,
        calibration=None,
        confidence_threshold=None,
        training=RowSet(200, "a"),
        test=RowSet(0, "b"),
        metrics={},
        settings={"save_per_like": 0.15},
        libraries={},
        files={name: sha256_hex(content) for name, content in files.items()},
    )
    return Release.stage(replace(manifest, **changes), files)  # type: ignore[arg-type]


def refusal(release: Release) -> str:
    with closing(FreshProcess()) as process, pytest.raises(Unavailable) as caught:
        process.predict(release, asked(3))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), tuple(KINDS)], ids="-".join)
def test_a_fresh_process_gives_the_same_probabilities(kinds: tuple[str, ...]) -> None:
    model = model_of(*kinds)
    with closing(FreshProcess()) as process:
        found = process.predict(staged(model), asked(32))
    assert found.shape == (32, 5)
    np.testing.assert_array_equal(found, model.probabilities(INPUTS[:32]))


def test_a_fresh_process_is_asked_without_edges_where_labels_were_given() -> None:
    model = model_of("logistic")
    with closing(FreshProcess()) as process:
        found = process.predict(staged(model), Question(X[:32], None, None))
    np.testing.assert_array_equal(found, model.probabilities(Inputs(X[:32])))


def test_a_damaged_file_is_refused_with_the_reason() -> None:
    whole = staged(model_of("logistic"))
    content = bytearray(whole.files["logistic.json"])
    content[len(content) // 2] ^= 1
    said = refusal(replace(whole, files={**whole.files, "logistic.json": bytes(content)}))
    assert "the fresh process ended with 1" in said
    assert "logistic.json is missing or does not match its hash" in said


def test_a_missing_file_and_another_feature_schema_are_refused_with_the_reason() -> None:
    whole = staged(model_of("logistic"))
    blend = {"blend.json": whole.files["blend.json"]}
    assert "logistic.json is missing" in refusal(replace(whole, files=blend))
    assert "another set of features" in refusal(staged(model_of("logistic"), feature_schema="0" * 64))


def test_closing_ends_the_process_whether_it_was_asked_or_not() -> None:
    unasked, answered = FreshProcess(), FreshProcess()
    answered.predict(staged(model_of("logistic")), asked(1))
    for process in (unasked, answered):
        process.close()
        assert process._process.poll() is not None


def test_a_process_that_was_ended_from_outside_gave_no_answer() -> None:
    with closing(FreshProcess()) as process:
        process._process.kill()
        with pytest.raises(Unavailable, match="the fresh process ended with -9: without a word"):
            process.predict(staged(model_of("logistic")), asked(1))


def test_code_in_the_working_directory_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "numpy", "tiercast", "xgboost"):
        (tmp_path / f"{name}.py").write_text(f"open('{name}-was-run', 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    model = model_of("logistic")
    with closing(FreshProcess()) as process:
        found = process.predict(staged(model), asked(3))
    np.testing.assert_array_equal(found, model.probabilities(INPUTS[:3]))
    assert [*tmp_path.glob("*-was-run")] == []


def test_scikit_learn_cannot_be_imported_in_the_fresh_process() -> None:
    program = rehearsal.PROGRAM.replace("main()", "import sklearn")
    assert program != rehearsal.PROGRAM
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ModuleNotFoundError: import of sklearn halted" in done.stderr
