"""One process of the service, as the server starts it: the home named by the environment."""

import os
import sys
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from tiercast.http.app import create_app
from tiercast.render.logs import library_logs_to_stderr, log_to_stderr
from tiercast.settings import HOME_VARIABLE, read_settings
from tiercast.wiring import Wiring

SWITCH_SECONDS: Final = 0.0005
"""How long one thread may keep the others waiting: Python's 5 ms would be most of an answer's time."""


def create() -> FastAPI:
    """The application of the home in TIERCAST_HOME."""
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]  # XGBoost takes it where it can: 60 MB unused
    debug = "--debug" in sys.argv
    log_to_stderr(debug=debug)
    library_logs_to_stderr()
    sys.setswitchinterval(SWITCH_SECONDS)
    return create_app(Wiring(read_settings(Path(os.environ[HOME_VARIABLE]))))
