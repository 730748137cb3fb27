"""Real publishers in processes of their own, each of which may die at a chosen step.

One process imports the program once and forks a publisher for each order; ``python -m model_store.publisher`` reads
orders as JSON Lines and answers with how each publisher ended.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Job:
    """What one publisher is to do, and where it dies."""

    url: str
    seed: int
    database: str | None = None
    die_at: int = 0
    """Step of a write: before the driver writes, after it, before and after each flush; 0 never."""
    die_within: int = 0
    """Write whose first half reaches the disk; 0 never."""
    rivals: int = 1
    """How many publish at the same instant, with seeds from ``seed`` on, once all have judged beside who serves now."""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """How the publishers ended: the signal or exit code of each, and what the surviving ones say."""

    statuses: list[int]
    said: list[dict[str, Any]]

    @property
    def killed(self) -> bool:
        return self.statuses in ([-signal.SIGKILL], [-signal.SIGXFSZ])


class Publishers:
    """The process that forks publishers; ``before_start`` learns the id of each while it waits."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "model_store.publisher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TESTS,
        )

    def run(self, job: Job, before_start: Callable[[int], None] | None = None) -> End:
        """Let the publishers run to their end."""
        names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        self._say({**asdict(job), "environment": environment | job.environment})
        for pid in self._hear()["pids"]:
            if before_start:
                before_start(pid)
        self._say("go")
        return End(**self._hear())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _say(self, message: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        return dict(json.loads(self._process.stdout.readline()))


class Fuse:
    """Counts steps and kills this process at one of them."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _arm(job: Job) -> Fuse:
    """Let every write of the object store pass the fuse, also between the driver's write and its flush to the disk."""
    from tiercast.adapters import objects

    fuse, writes = Fuse(job.die_at), 0
    create, remove, flush = objects._create, objects._remove, os.fsync

    def create_or_die(driver: Any, key: str, content: bytes) -> bool:
        nonlocal writes
        writes += 1
        fuse.step()
        if writes == job.die_within:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # the kernel ends the process in the middle of the write
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) // 2, len(content) // 2))
        written = create(driver, key, content)
        fuse.step()
        return written

    def remove_or_die(driver: Any, key: str) -> None:
        fuse.step()
        remove(driver, key)
        fuse.step()

    def flush_or_die(descriptor: int) -> None:
        flush(descriptor)
        fuse.step()

    objects._create = create_or_die  # type: ignore[assignment]
    objects._remove = remove_or_die
    os.fsync = flush_or_die  # type: ignore[assignment]
    return fuse


@contextmanager
def _sql_log(url: str | None, fuse: Fuse) -> Iterator[Any]:
    """The log in Postgres, each statement and commit of a write passing the fuse."""
    from sqlalchemy import create_engine, event

    from tiercast.adapters.promotion_logs import SqlLog

    if url is None:
        yield None
        return
    engine = create_engine(url)

    def step(*arguments: Any) -> None:
        if arguments[2].startswith("INSERT"):
            fuse.step()

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "after_cursor_execute", step)
    event.listen(engine, "commit", lambda _: fuse.step())
    yield SqlLog(engine)
    engine.dispose()


def _publish(job: Job, seed: int, everybody: Callable[[], object]) -> dict[str, Any]:
    """Publish as a run does: whoever is overtaken judges again beside the new champion; higher seeds are better."""
    from model_store.samples import OBSERVED, release_of, writer
    from tiercast.adapters.log_choice import choose_log
    from tiercast.adapters.objects import open_objects
    from tiercast.flows.model_store import ModelStore, standing
    from tiercast.flows.publish import Passed, publish

    fuse, judged = _arm(job), 0
    objects, release = open_objects(job.url), release_of(seed)
    with _sql_log(job.database, fuse) as sql_log:
        store = ModelStore(objects, choose_log(objects, sql_log, "db-1" if sql_log else None))
        while True:
            beside = standing(store.objects, store.log, OBSERVED)
            judged += 1
            if beside.release and int(beside.release.manifest.settings["seed"]) >= seed:
                return {"seed": seed, "number": None, "judged": judged}
            if judged == 1:
                everybody()
            race = publish(store, Passed(release, (), f"run-{seed}", beside), writer(f"token-{os.getpid()}"))
            if race.won:
                return {"seed": seed, "number": race.entry.number, "judged": judged}


class _Gate:
    """Holds some processes until all that live have arrived and the parent lets them on."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._arrived, self._arrive = os.pipe()
        self._opened, self._open = os.pipe()

    def wait(self) -> None:
        """In a child."""
        os.write(self._arrive, b"!")
        os.close(self._arrive)
        os.read(self._opened, 1)

    def open(self) -> None:
        """In the parent: a child that died has closed its end, so that nobody waits for it."""
        os.close(self._arrive)
        while os.read(self._arrived, self._n):
            pass
        os.write(self._open, b"!" * self._n)

    def close(self) -> None:
        """End of both."""
        for descriptor in (self._arrived, self._opened, self._open):
            os.close(descriptor)


def _fork(job: Job, seed: int, gates: tuple[_Gate, _Gate], answers: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    start, judged = gates
    code = 1
    try:
        start.wait()
        said = _publish(job, seed, judged.wait if job.rivals > 1 else lambda: None)
        os.write(answers, (json.dumps(said) + "\n").encode())
        code = 0
    except BaseException:  # noqa: BLE001  # the process edge: pytest shows what a child says
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve() -> None:
    import psycopg  # noqa: F401

    import tiercast.adapters.log_choice
    import tiercast.flows.publish  # noqa: F401

    for line in sys.stdin:
        job = Job(**json.loads(line))
        os.environ |= job.environment
        gates = (_Gate(job.rivals), _Gate(job.rivals))
        read, write = os.pipe()
        pids = [_fork(job, job.seed + number, gates, write) for number in range(job.rivals)]
        _say({"pids": pids})
        sys.stdin.readline()
        for gate in gates:
            gate.open()
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        os.close(write)
        for gate in gates:
            gate.close()
        with os.fdopen(read) as answers:
            said = [json.loads(answer) for answer in answers]
        _say({"statuses": statuses, "said": said})


def _say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
