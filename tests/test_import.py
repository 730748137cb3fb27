"""Importing the package costs nothing."""

import subprocess
import sys


def test_importing_tiercast_imports_no_library() -> None:
    code = "import sys, tiercast; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    imported = {*done.stdout.split()}
    assert "tiercast" in imported
    assert not imported & {"numpy", "polars", "sklearn", "xgboost", "sqlalchemy", "pydantic", "typer", "rich"}
