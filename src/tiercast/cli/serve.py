"""``tiercast serve``."""

import os
import signal
import socket
import sys
import tempfile
from typing import Annotated, Final

import structlog
import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from tiercast.adapters.port import listen_at
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, open_home
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.render.logs import log_to_stderr
from tiercast.render.output import warn
from tiercast.settings import HOME_VARIABLE
from tiercast.wiring import Wiring

APPLICATION: Final = "tiercast.http.worker:create"
PROTOCOL: Final = "tiercast.http.protocol:BoundedHeads"
MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one service add up their counts; the library reads it when it is imported."""
POLARS_THREADS: Final = "POLARS_MAX_THREADS"
"""Each worker is one core's: to hand a video's few numbers to more threads and back costs more than it gains."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
GRACE_SECONDS: Final = 20
"""How long requests that are under way may take once the service is asked to stop."""
MAX_CONNECTIONS: Final = 2_000
"""Beyond, new ones are turned away: each holds memory, and slow ones hold it for long."""
BACKLOG: Final = 2_048
WORKER_SILENT_SECONDS: Final = 10
"""A worker that says nothing for so long hangs, and is replaced; so is one that was killed while it was asked."""

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where to listen; other than loopback needs an API key.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes, at most one for each core.")] = 1,
    home: Home = DEFAULT_HOME,
    debug: Debug = False,
) -> None:
    """Serve predictions, scores and the cron route over HTTP, and retrain on schedule."""
    log_to_stderr(debug=debug)
    wiring = open_home(home)
    _refuse_open_door(wiring, host)
    listening = _listen(host, port, workers)
    os.environ[HOME_VARIABLE] = str(home.absolute())  # for the workers, which open the home themselves
    address = f"[{host}]" if ":" in host else host
    url = f"http://{address}:{listening.getsockname()[1]}"
    _tell("serving", f"Serving {home} at {url} (API: /openapi.json). Ctrl-C stops it.", url=url)
    if workers == 1:
        _run(listening)
    else:
        with tempfile.TemporaryDirectory(prefix="tiercast-metrics-") as counts:
            os.environ[MULTIPROCESS] = counts
            os.environ.setdefault(POLARS_THREADS, "1")
            Multiprocess(_config(workers), [listening]).run()
    _tell("stopped", "Stopped.")


def _tell(event: str, sentence: str, **fields: str) -> None:
    """A sentence to whoever watches; where the log is collected, a line of it as all others are."""
    if sys.stderr.isatty():
        warn(sentence)
    else:
        structlog.get_logger().info(event, **fields)


def _run(listening: socket.socket) -> None:
    """One process; it stops by itself at Ctrl-C and SIGTERM, which then mean no failure."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    uvicorn.Server(_config(1)).run([listening])


def _config(workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        APPLICATION,
        factory=True,
        http=PROTOCOL,
        ws="none",
        lifespan="on",
        workers=workers,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=WORKER_SILENT_SECONDS,
    )


def _refuse_open_door(wiring: Wiring, host: str) -> None:
    if host in LOOPBACK or wiring.settings.api_key is not None:
        return
    if not any(key.revoked_at is None for key in wiring.keys.names()):
        raise InvalidInput(
            f"--host {host} can be reached from other machines, and there is no API key, so anybody could ask and roll "
            "back. Make a key with `tiercast keys add NAME`, or leave --host out to serve this machine only."
        )


def _listen(host: str, port: int, workers: int) -> socket.socket:
    try:
        return listen_at(host, port, workers=workers)
    except OSError as error:
        raise Unavailable(
            f"Cannot listen at {host}:{port}: {error.strerror or error}. Stop what listens there, or give another "
            "--port (0: any that is free)."
        ) from error
