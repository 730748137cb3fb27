"""What a home keeps in plain files: refused rows, and runs where no database takes them."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from tiercast.adapters.sql_runs import ids_of
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.ports.runs import RunLog, RunRecord


class RejectFolder:
    """One JSON Lines file of refused rows for each ingested file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, label: str, lines: Iterable[Mapping[str, object]]) -> str:
        """Keep the rows as they come, each with reason, detail and raw content; the same file's are kept once."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(label).name)[:80] or "rows"
        growing, digest = self._folder / f"{name}-{uuid4().hex}.jsonl", hashlib.sha256()
        with _plain_faults(growing):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = growing.open("wb")
        try:
            for line in lines:
                text = json.dumps(line, default=str).encode() + b"\n"  # ASCII: scrapers cut emoji in half
                digest.update(text)
                with _plain_faults(growing):
                    file.write(text)
        finally:  # also what came before a fault or Ctrl-C is kept
            path = self._folder / f"{name}-{digest.hexdigest()[:12]}.jsonl"
            with _plain_faults(growing):
                file.close()
                growing.replace(path)
        return str(path)

    def erase(self, *, author: str | None, video_id: str | None) -> int:
        """Drop every kept row that is of this author or video, or names them outside its caption."""
        wanted, erased = str(author if author is not None else video_id).lstrip("@"), 0
        if not wanted:
            return 0  # nothing would be found everywhere
        for path in sorted(self._folder.glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if not _names(json.loads(line)["row"], wanted)]
            if len(kept) < len(lines):
                erased += len(lines) - len(kept)
                path.write_text("".join(kept), encoding="utf-8")
        return erased


@contextmanager
def _plain_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"Refused rows cannot be kept in {path} ({error.strerror}). Free the disk.") from error


def _names(row: object, wanted: str) -> bool:
    return _mentions(row, wanted) if isinstance(row, str) else _holds(row, wanted)


def _holds(value: object, wanted: str, key: str = "") -> bool:
    """Whether a raw row names the wanted author or video: a whole text, a number that is an id, or in an address.

    Captions that merely mention the word stay; in a line that could not be read, any mention counts.
    """
    if isinstance(value, Mapping):
        return any(_holds(inner, wanted, str(name)) for name, inner in value.items())
    if isinstance(value, list):
        return any(_holds(inner, wanted, key) for inner in value)
    if isinstance(value, str):
        return value.lstrip("@") == wanted or (value.startswith("http") and _mentions(value, wanted))
    return key.lower().endswith("id") and str(value) == wanted


def _mentions(text: str, wanted: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text))


class RunFolder:
    """A RunLog of one JSON file a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, record: RunRecord) -> None:
        """Keep a run."""
        document = {"status": record.status, "started_at": record.started_at.isoformat(), "document": record.document}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            content = json.dumps({"run": record.run, "moment": record.moment, **document}, allow_nan=False)
            (self._folder / f"{record.run}.json").write_text(content, encoding="utf-8")
        except OSError as error:
            raise Unavailable(f"The run cannot be recorded in {self._folder} ({error.strerror}).") from error

    def recent(self, limit: int) -> list[RunRecord]:
        """The newest runs, newest first."""
        paths = sorted(self._folder.glob("*.json"), reverse=True)[:limit]
        return [_record(path) for path in paths]

    def get(self, run: str) -> RunRecord:
        """One run by id or unique prefix."""
        found = [path for path in self._folder.glob("*.json") if path.stem.startswith(run)]
        if len(found) > 1:
            names = sorted(path.stem for path in found)
            raise InvalidInput(f"Run {run!r} is not unique: {', '.join(names[:5])}.")
        if not found:
            raise Missing(f"There is no run {run!r}. 'tiercast runs' lists them.")
        return _record(found[0])

    def of(self, retrain: str) -> list[RunRecord]:
        """The run of this very id, and those of its single moments, oldest first."""
        paths = (self._folder / f"{run}.json" for run in ids_of(retrain))
        return sorted((_record(path) for path in paths if path.is_file()), key=lambda record: record.started_at)


def _record(path: Path) -> RunRecord:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        moment, started_at = Moment(document["moment"]), datetime.fromisoformat(document["started_at"])
        return RunRecord(document["run"], moment, document["status"], started_at, document["document"])
    except (ValueError, KeyError) as error:
        raise InvalidInput(f"The run file {path} cannot be read ({error}). Move it away.") from error


class RunsInEither:
    """Runs in a table, and in a folder of the home where the table could not be written."""

    def __init__(self, table: RunLog, folder: RunLog) -> None:
        self._table = table
        self._folder = folder

    def save(self, record: RunRecord) -> None:
        """Into the table, else into the folder."""
        try:
            self._table.save(record)
        except Unavailable:
            self._folder.save(record)

    def recent(self, limit: int) -> list[RunRecord]:
        """The newest of both, newest first."""
        both = self._table.recent(limit) + self._folder.recent(limit)
        return sorted(both, key=lambda record: record.started_at, reverse=True)[:limit]

    def get(self, run: str) -> RunRecord:
        """From the table, else from the folder."""
        try:
            return self._table.get(run)
        except Missing:
            return self._folder.get(run)

    def of(self, retrain: str) -> list[RunRecord]:
        """Those of both, oldest first."""
        both = self._table.of(retrain) + self._folder.of(retrain)
        return sorted(both, key=lambda record: record.started_at)
