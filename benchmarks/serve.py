"""How fast and how small ``tiercast serve`` is: ``make serving``, or ``python benchmarks/serve.py [PART...]``.

The load comes from a second process on the same two cores, so every number includes what the load itself costs. Parts:
rate (200 single predictions a second), rest (the same beside a retrain), full (as many as are answered), batch
(1,000 videos a body), process (Predictor in this process), kept (writing what was served), idle (memory).
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.request import Request, urlopen

import polars as pl

from tiercast.core.moments import Moment
from tiercast.flows.asked import Request as Asking
from tiercast.flows.champions import Roster, Serving
from tiercast.flows.kept import Kept, served_of
from tiercast.flows.predict import ask, predict
from tiercast.serving.recorder import BATCH
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

NOW = datetime.now(UTC)
CORES = os.cpu_count() or 1
LOAD = Path(__file__).with_name("load.py")
SECONDS = 10
SECRET = "benchmark"


def line(work: str, value: str, reach: str) -> None:
    print(f"{work:<74} {value:>28}   {reach}", flush=True)


@contextmanager
def served(home: Path, workers: int = 1) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The service of a home in a process of its own, and its port."""
    command = [sys.executable, "-m", "tiercast", "serve", "--home", str(home), "--port", "0", "--workers", str(workers)]
    with tempfile.NamedTemporaryFile() as log:
        environment = {**os.environ, "TIERCAST_CRON_SECRET": SECRET}
        process = subprocess.Popen(command, stderr=log, env=environment)
        try:
            yield _port(Path(log.name), process, workers), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _port(log: Path, process: subprocess.Popen[bytes], workers: int) -> int:
    for _ in range(600):
        text = log.read_text()
        if text.count('"champion"') >= 3 * workers:
            sleep(0.5)
            return int(re.findall(r"http://127\.0\.0\.1:(\d+)", text)[0])
        if process.poll() is not None:
            raise SystemExit(text)
        sleep(0.1)
    raise SystemExit(f"the service did not come up: {log.read_text()}")


def load(
    port: int, bodies: Sequence[bytes], *, rate: float, connections: int, seconds: float = SECONDS
) -> dict[str, Any]:
    command = [sys.executable, str(LOAD), str(port), "/v1/predict", str(rate), str(seconds), str(connections)]
    done = subprocess.run(command, input=b"\n".join(bodies), capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise SystemExit(f"not every request was answered: {found['statuses']}")
    return found


def items(home: Path, count: int, moment: str) -> list[dict[str, Any]]:
    """Stored videos as a caller would send them; for drafts without what posting brings."""
    rows = Wiring(read_settings(home)).videos.latest(limit=count, likes_known=True)
    keep = [name for name in rows.columns if moment == "observed" or name not in DRAFT_LACKS]
    texts = [pl.col(name).dt.to_string("iso:strict") for name in keep if rows[name].dtype.is_temporal()]
    return [{k: v for k, v in row.items() if v is not None} for row in rows.select(keep).with_columns(texts).to_dicts()]


DRAFT_LACKS = ("views", "likes", "shares", "comments", "saves", "scraped_at", "scrape_time_guessed", "published_at")


def body(moment: str, videos: list[dict[str, Any]]) -> bytes:
    return json.dumps({"moment": moment, "videos": videos}, default=str).encode()


def rate(home: Path) -> None:
    for moment in ("observed", "draft"):
        singles = [body(moment, [item]) for item in items(home, 2000, moment)]
        with served(home, CORES) as (port, _):
            load(port, singles, rate=200, connections=32, seconds=2)
            found = load(port, singles, rate=200, connections=32)
        reach = "< 4 and < 15" if moment == "observed" else ""
        line(f"one {moment} video at 200 requests/s, {CORES} workers: p50, p99", _ms(found), reach)


def rest(home: Path) -> None:
    singles = [body("observed", [item]) for item in items(home, 2000, "observed")]
    with served(home, CORES) as (port, _):
        load(port, singles, rate=200, connections=32, seconds=2)
        run = json.loads(urlopen(_cron(port)).read())["run"]
        found = load(port, singles, rate=200, connections=32, seconds=4)
        going = json.loads(urlopen(f"http://127.0.0.1:{port}/v1/runs/{run}").read())
    line(f"the same while a retrain runs ({going.get('status', 'several runs')} afterwards)", _ms(found), "p99 < 60")


def _cron(port: int) -> Request:
    address = f"http://127.0.0.1:{port}/v1/cron/retrain"
    return Request(address, method="POST", headers={"Authorization": f"Bearer {SECRET}"})


def full(home: Path) -> None:
    for moment in ("observed", "draft"):
        singles = [body(moment, [item]) for item in items(home, 2000, moment)]
        with served(home, CORES) as (port, _):
            load(port, singles, rate=0, connections=32, seconds=2)
            found = load(port, singles, rate=0, connections=32)
        reach = ">= 1,200" if moment == "observed" else ""
        line(f"one {moment} video, as many as are answered, {CORES} workers", f"{found['per_second']:,.0f}/s", reach)


def batch(home: Path) -> None:
    for moment in ("observed", "draft"):
        thousand = body(moment, items(home, 1000, moment))
        with served(home, CORES) as (port, _):
            load(port, [thousand], rate=0, connections=8, seconds=2)
            found = load(port, [thousand], rate=0, connections=8)
        reach = "target 50,000" if moment == "observed" else ""
        line(f"{moment}, 1,000 videos a body, {CORES} workers", f"{1000 * found['per_second']:,.0f} videos/s", reach)


def process(home: Path) -> None:
    wiring = Wiring(read_settings(home))
    servings = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).servings
    rows = wiring.history.recent(limit=10_000).filter(pl.col("views") > 0)
    rows = rows.unique(["platform", "video_id"], maintain_order=True)
    for count, reach in ((1, "< 1"), (10_000, "< 80")):
        some = pl.concat([rows] * (count // rows.height + 1)).head(count)
        took = _observed(servings[Moment.OBSERVED], some)
        line(f"in process: Predictor, observed, {count:,} rows", f"{took:.2f} ms", reach)
    drafts = Asking(rows.head(1), NOW, 72)
    took = _best(lambda: predict(drafts.rows, servings[Moment.DRAFT], drafts, with_reasons=True))
    line("in process: draft, 1 video, with its history and reasons", f"{took:.2f} ms", "")
    took = _best(lambda: predict(drafts.rows, servings[Moment.DRAFT], drafts))
    line("in process: draft, 1 video, with its history", f"{took:.2f} ms", "")


def kept(home: Path) -> None:
    wiring = Wiring(read_settings(home))
    servings = Roster.load(wiring.objects, wiring.read_log(), lambda: wiring.history).servings
    rows, calls = wiring.history.recent(limit=10_000).filter(pl.col("views") > 0).head(1_000), list[Kept]()
    asking = Asking(rows, NOW, 72)
    predict(rows, servings[Moment.OBSERVED], asking, keep=calls.append)
    line("keeping 1,000 served predictions in SQLite", f"{_best(lambda: _keep(wiring, calls[0])):.1f} ms", "")
    busy = threading.Event()
    spin = threading.Thread(target=lambda: all(not busy.is_set() for _ in repeat(None)))
    spin.start()
    took = _best(lambda: _keep(wiring, calls[0]))
    busy.set()
    spin.join()
    line("the same beside a thread that computes", f"{took:.0f} ms", "")
    wiring.served.drop_before(datetime.now(UTC))  # what other parts of this benchmark were answered
    while wiring.served.count() < 100_000:
        _keep(wiring, calls[0])
    began = perf_counter()
    wiring.served.erase(author="nobody", video_id=None)
    line("looking for an author in 100,000 of them", f"{1000 * (perf_counter() - began):.0f} ms", "")


def _keep(wiring: Wiring, call: Kept) -> None:
    served = served_of(call)
    for start in range(0, len(served), BATCH):
        wiring.served.save(served[start : start + BATCH])


def _observed(serving: Serving, rows: pl.DataFrame) -> float:
    request = Asking(rows, NOW, 72)
    return _best(lambda: serving.predictor.probabilities(ask(rows, serving, request)))


def _best(work: Any) -> float:
    work()
    times = []
    for _ in range(15):
        began = perf_counter()
        work()
        times.append(1000 * (perf_counter() - began))
    return sorted(times)[len(times) // 2]


def idle(home: Path) -> None:
    with served(home) as (port, process):
        urlopen(f"http://127.0.0.1:{port}/readyz").read()
        status = Path(f"/proc/{process.pid}/status").read_text()
    megabytes = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    line("memory of an idle service of one worker, three champions", f"{megabytes:.0f} MB", "< 250 MB")


def _ms(found: dict[str, Any]) -> str:
    return f"{found['p50_ms']:.2f} ms, {found['p99_ms']:.2f} ms"


PARTS = {part.__name__: part for part in (idle, rate, rest, full, batch, process, kept)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        demo = [sys.executable, "-m", "tiercast", "demo", "--home", str(home)]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        for name in sys.argv[1:] or PARTS:
            PARTS[name](home)


if __name__ == "__main__":
    main()
