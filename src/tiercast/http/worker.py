"""One process of the service, as the server starts it: the home named by the environment."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from tiercast.http.app import create_app
from tiercast.render.logs import library_logs_to_stderr, log_to_stderr
from tiercast.settings import HOME_VARIABLE, read_settings
from tiercast.wiring import Wiring

if sys.platform != "win32":
    import resource

SWITCH_SECONDS: Final = 0.0005
"""How long one thread may keep the others waiting: Python's 5 ms would be most of an answer's time."""
FILES: Final = 4_096
"""Open at once: twice the connections that ``serve`` takes; many systems begin with half of them."""
YOUNG_OBJECTS: Final = 20_000
"""After so many more the collector looks for cycles; an answer of a thousand videos makes as many, without any."""


def create() -> FastAPI:
    """The application of the home in TIERCAST_HOME."""
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]  # XGBoost takes it where it can: 60 MB unused
    debug = "--debug" in sys.argv
    log_to_stderr(debug=debug)
    library_logs_to_stderr()
    sys.setswitchinterval(SWITCH_SECONDS)
    _allow_files(FILES)
    _end_with_parent()
    app = create_app(Wiring(read_settings(Path(os.environ[HOME_VARIABLE]))))
    _spare_collector()
    return app


def _spare_collector() -> None:
    """What was imported stays for ever; to walk through all of it again and again finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files as far as this process may."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def _end_with_parent() -> None:
    """Stop where the process that started this worker was killed: it would serve on, and keep the port, unseen."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="parent").start()
