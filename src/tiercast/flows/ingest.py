"""Ingest: scraper files, or an existing table, become videos, observations and counted rejects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import PurePath

import polars as pl

from tiercast.intake.clean import Cleaned, Context, clean
from tiercast.intake.schema import slips
from tiercast.ports.runs import Progress
from tiercast.ports.videos import Added, RawBatch, RejectFile, ScrapedTable, SourceFile, VideoStore

TABLE_NAME = "scraped_videos"
CONFLICT = "same_time_other_counts"
DEPENDS_ON_THE_STORE = "platform_unknown"
"""Such a row may be readable once another file has brought its video, so its file may be read again."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What the caller says about the files, and the present time."""

    now: datetime
    platform: str | None = None
    scraped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file brought."""

    path: str
    format: str
    read: int = 0
    stored: int = 0
    updated: int = 0
    observations: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    """For each reason the sentence of the first row it refused."""
    rejects_file: str | None = None
    scrape_time_guessed: int = 0
    views_fell: int = 0
    """Stored observations with fewer views than the one before them; views never fall."""
    ignored_columns: dict[str, str | None] = field(default_factory=dict)
    """Columns that nothing read, each with the canonical one it was probably meant to be."""
    read_before: bool = False

    @property
    def rejected(self) -> int:
        """Rows refused, whatever the reason."""
        return sum(self.rejects.values())

    @property
    def all_rejected(self) -> bool:
        """Whether it had rows and not one of them was accepted."""
        return self.read > 0 and self.rejected == self.read

    @property
    def why_all_rejected(self) -> str:
        """The sentence for a file of which nothing was accepted."""
        reasons = ", ".join(f"{count:,} as {reason}" for reason, count in self.rejects.items())
        kept = f" They are kept with their reasons in {self.rejects_file}." if self.rejects_file else ""
        return f"{self.path}: every row was rejected: {reasons}.{kept}"


def ingest_file(
    source: SourceFile, store: VideoStore, rejects: RejectFile, *, options: IngestOptions, progress: Progress
) -> FileReport:
    """Store one file's rows; a file whose content was read before, the same way, adds nothing."""
    report = FileReport(source.path, source.format)
    content = _content_key(source, options)
    if store.was_read(content):
        return replace(report, read_before=True)
    batches = source.batches()
    report = _ingest(_Batches(report, batches, source.modified_at), store, rejects, options=options, progress=progress)
    if DEPENDS_ON_THE_STORE not in report.rejects and not report.all_rejected:
        store.mark_read(content, options.now)
    return report


def _content_key(source: SourceFile, options: IngestOptions) -> str:
    """What was read and how: another platform or scrape time makes other observations of the same content."""
    stated = "" if options.scraped_at is None else f":{options.scraped_at.astimezone(UTC).isoformat()}"
    return f"{source.content}:{source.format}:{options.platform or ''}{stated}"


def ingest_table(
    table: ScrapedTable, store: VideoStore, rejects: RejectFile, *, options: IngestOptions, progress: Progress
) -> FileReport:
    """Note what changed in an existing table: one observation for each row whose counts are not the latest."""
    work = _Batches(FileReport(TABLE_NAME, TABLE_NAME), table.batches(), options.now, changes_only=True)
    return _ingest(work, store, rejects, options=options, progress=progress)


@dataclass(frozen=True, slots=True)
class _Batches:
    """Where rows come from: an empty report to fill, the batches, and the time to guess a scrape by."""

    report: FileReport
    batches: Iterator[RawBatch]
    guessed_at: datetime
    changes_only: bool = False


@dataclass(slots=True)
class _Tally:
    """What has come of the rows so far."""

    report: FileReport
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def _ingest(
    work: _Batches, store: VideoStore, rejects: RejectFile, *, options: IngestOptions, progress: Progress
) -> FileReport:
    tally = _Tally(work.report)
    progress.stage(f"reading {PurePath(work.report.path).name}")
    refused = _refused(work, store, tally, options=options, progress=progress)
    first = next(refused, None)  # without any there is no file of them
    kept = None if first is None else rejects.write(work.report.path, chain([first], refused))
    reasons = dict(sorted(tally.reasons.items()))
    return replace(tally.report, rejects=reasons, examples=tally.examples, rejects_file=kept)


def _refused(
    work: _Batches, store: VideoStore, tally: _Tally, *, options: IngestOptions, progress: Progress
) -> Iterator[dict[str, object]]:
    """Stores batch after batch; out come the refused rows of each, so that memory never holds those of all."""
    for batch in work.batches:
        cleaned = clean(batch.rows, _context(batch.rows, work, store, options))
        added = _added(cleaned, work, store)
        tally.report = _with_batch(tally.report, batch, cleaned, added)
        progress.advance(batch.rows.height)
        for line in _reject_lines(batch, cleaned, added):
            reason, detail = str(line["reason"]), str(line["detail"])
            tally.reasons[reason] += 1
            tally.examples.setdefault(reason, detail)
            yield line


def _added(cleaned: Cleaned, work: _Batches, store: VideoStore) -> Added:
    if cleaned.rows.is_empty():
        return Added(0, 0, 0, ())
    read_at = work.guessed_at if work.changes_only else None  # a table's counts may move while its times stand still
    return store.add(cleaned.rows, changes_only=work.changes_only, read_at=read_at)


def _with_batch(report: FileReport, batch: RawBatch, cleaned: Cleaned, added: Added) -> FileReport:
    unknown = [name for name in batch.ignored if name not in report.ignored_columns]
    meant = slips(unknown)
    ignored = {name: meant.get(name) for name in unknown}
    return replace(
        report,
        read=report.read + batch.rows.height + len(batch.unreadable),
        stored=report.stored + added.stored,
        updated=report.updated + added.updated,
        observations=report.observations + added.observations,
        scrape_time_guessed=report.scrape_time_guessed + int(cleaned.rows["scrape_time_guessed"].sum()),
        views_fell=report.views_fell + added.views_fell,
        ignored_columns={**report.ignored_columns, **ignored},
    )


def _context(rows: pl.DataFrame, work: _Batches, store: VideoStore, options: IngestOptions) -> Context:
    return Context(
        now=options.now,
        scraped_at=options.scraped_at,
        file_modified_at=work.guessed_at,
        platform=options.platform,
        platform_of_id=_known_platforms(rows, store).get,
    )


def _known_platforms(rows: pl.DataFrame, store: VideoStore) -> dict[str, str]:
    """Platforms of stored videos, asked for only where rows do not all state theirs."""
    if "video_id" not in rows.columns or ("platform" in rows.columns and rows["platform"].null_count() == 0):
        return {}
    ids = {str(video_id).strip() for video_id in rows["video_id"].to_list() if video_id is not None}
    return store.platforms_of(sorted(ids))


def _reject_lines(batch: RawBatch, cleaned: Cleaned, added: Added) -> Iterator[dict[str, object]]:
    for piece in batch.unreadable:
        yield {"reason": piece.reason, "detail": piece.detail, "row": piece.raw}
    for reject in cleaned.rejects:
        yield {"reason": reject.reason, "detail": reject.detail, "row": batch.raw[reject.row]}
    for row in added.conflicts:
        detail = (
            "The stored observation of this video at this very time lacks or contradicts what this row says; "
            "the stored one stays."
        )
        yield {"reason": CONFLICT, "detail": detail, "row": batch.raw[row]}


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Every file's report, and the files that could not be read at all."""

    files: Sequence[FileReport]
    failed: Sequence[tuple[str, str]] = ()
    """Path and the sentence that says why."""

    @property
    def failures(self) -> list[tuple[str, str]]:
        """What makes the command fail: files that could not be read, and those of which no row was accepted."""
        refused = [(file.path, file.why_all_rejected) for file in self.files if file.all_rejected]
        return [*self.failed, *refused]

    def to_document(self) -> dict[str, object]:
        """The answer of ``ingest --json``."""
        totals = {
            name: sum(getattr(file, name) for file in self.files)
            for name in ("read", "stored", "updated", "observations", "rejected", "scrape_time_guessed", "views_fell")
        }
        failed = [{"path": path, "error": error} for path, error in self.failures]
        return {"files": [_file_document(file) for file in self.files], "failed": failed, **totals}


def _file_document(file: FileReport) -> dict[str, object]:
    return {
        "path": file.path,
        "format": file.format,
        "read": file.read,
        "stored": file.stored,
        "updated": file.updated,
        "observations": file.observations,
        "rejected": file.rejected,
        "rejects": file.rejects,
        "reject_examples": file.examples,
        "rejects_file": file.rejects_file,
        "scrape_time_guessed": file.scrape_time_guessed,
        "views_fell": file.views_fell,
        "ignored_columns": file.ignored_columns,
        "read_before": file.read_before,
    }
