"""Importing the package costs nothing."""

import subprocess
import sys

import pytest

import tiercast
from tiercast.core.errors import InvalidInput


def imported_by(code: str) -> set[str]:
    """The packages that a fresh process has loaded after this code."""
    program = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return {*done.stdout.split()}


def test_importing_tiercast_imports_no_library() -> None:
    imported = imported_by("import tiercast")
    assert "tiercast" in imported
    assert not imported & {"numpy", "polars", "sklearn", "xgboost", "sqlalchemy", "pydantic", "typer", "rich", "httpx2"}


LOGISTIC = """
import numpy as np
import tiercast.flows.predict
from tiercast.learn.blend import Blend, load_blend
from tiercast.learn.logistic import LogisticModel
from tiercast.learn.models import Inputs
none = ((0.0,),) * 5
files = Blend((LogisticModel("linear", (), (0.0,), (0.0,), (1.0,), none, (0.0,) * 5),)).to_files()
load_blend(files).probabilities(Inputs(np.zeros((1, 1))))
"""


def test_a_logistic_champion_loads_neither_xgboost_nor_what_only_training_needs() -> None:
    imported = imported_by(LOGISTIC)
    assert {"tiercast", "numpy", "polars"} <= imported
    assert not imported & {"xgboost", "sklearn", "scipy", "sqlalchemy"}


def test_reading_settings_loads_no_library_that_only_training_needs() -> None:
    """The settings know the checks of the gate, and every command reads them."""
    assert not imported_by("import tiercast.settings") & {"xgboost", "sklearn", "scipy", "polars", "sqlalchemy"}


def test_the_public_names_are_all_there_and_no_others() -> None:
    assert all(hasattr(tiercast, name) for name in tiercast.__all__)
    assert tiercast.Tiercast.__module__ == "tiercast.client.face"
    assert tiercast.InvalidInput is InvalidInput
    with pytest.raises(AttributeError, match="has no attribute 'Tiercasts'"):
        _ = tiercast.Tiercasts  # type: ignore[attr-defined]
