"""Ingest: scraper files, or an existing table, become videos, observations and counted rejects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath

import polars as pl

from tiercast.intake.clean import Cleaned, Context, clean
from tiercast.ports import Added, Progress, RawBatch, RejectFile, ScrapedTable, SourceFile, VideoStore

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
    read_before: bool = False

    @property
    def rejected(self) -> int:
        """Rows refused, whatever the reason."""
        return sum(self.rejects.values())


def ingest_file(
    source: SourceFile, store: VideoStore, rejects: RejectFile, *, options: IngestOptions, progress: Progress
) -> FileReport:
    """Store one file's rows; a file whose content was read before, the same way, adds nothing."""
    report = FileReport(source.path, source.format)
    content = f"{source.content}:{source.format}:{options.platform or ''}"
    if store.was_read(content):
        return replace(report, read_before=True)
    batches = source.batches()
    report = _ingest(_Batches(report, batches, source.modified_at), store, rejects, options=options, progress=progress)
    if DEPENDS_ON_THE_STORE not in report.rejects:
        store.mark_read(content, options.now)
    return report


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


def _ingest(
    work: _Batches, store: VideoStore, rejects: RejectFile, *, options: IngestOptions, progress: Progress
) -> FileReport:
    report = work.report
    refused: list[dict[str, object]] = []
    progress.stage(f"reading {PurePath(report.path).name}")
    for batch in work.batches:
        cleaned = clean(batch.rows, _context(batch.rows, work, store, options))
        added = store.add(cleaned.rows, changes_only=work.changes_only) if cleaned.rows.height else Added(0, 0, 0, ())
        refused.extend(_reject_lines(batch, cleaned, added))
        progress.advance(batch.rows.height)
        report = replace(
            report,
            read=report.read + batch.rows.height + len(batch.unreadable),
            stored=report.stored + added.stored,
            updated=report.updated + added.updated,
            observations=report.observations + added.observations,
            scrape_time_guessed=report.scrape_time_guessed + int(cleaned.rows["scrape_time_guessed"].sum()),
        )
    return replace(
        report,
        rejects=dict(sorted(Counter(str(line["reason"]) for line in refused).items())),
        examples={str(line["reason"]): str(line["detail"]) for line in reversed(refused)},
        rejects_file=rejects.write(report.path, refused) if refused else None,
    )


def _context(rows: pl.DataFrame, work: _Batches, store: VideoStore, options: IngestOptions) -> Context:
    return Context(
        now=options.now,
        scraped_at=options.scraped_at,
        file_modified_at=work.guessed_at,
        platform=options.platform,
        known_platforms=_known_platforms(rows, store),
    )


def _known_platforms(rows: pl.DataFrame, store: VideoStore) -> dict[str, str]:
    """Platforms of stored videos, asked for only where rows do not all state theirs."""
    if "video_id" not in rows.columns or ("platform" in rows.columns and rows["platform"].null_count() == 0):
        return {}
    ids = rows["video_id"].drop_nulls().unique().to_list()
    return store.platforms_of([str(video_id).strip() for video_id in ids])


def _reject_lines(batch: RawBatch, cleaned: Cleaned, added: Added) -> Iterator[dict[str, object]]:
    for piece in batch.unreadable:
        yield {"reason": piece.reason, "detail": piece.detail, "row": piece.raw}
    for reject in cleaned.rejects:
        yield {"reason": reject.reason, "detail": reject.detail, "row": batch.raw[reject.row]}
    for row in added.conflicts:
        detail = "The store holds an observation of this video at this very time with other counts; that one stays."
        yield {"reason": CONFLICT, "detail": detail, "row": batch.raw[row]}


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Every file's report, and the files that could not be read at all."""

    files: Sequence[FileReport]
    failed: Sequence[tuple[str, str]] = ()
    """Path and the sentence that says why."""

    def to_document(self) -> dict[str, object]:
        """The answer of ``ingest --json``."""
        totals = {
            name: sum(getattr(file, name) for file in self.files)
            for name in ("read", "stored", "updated", "observations", "rejected", "scrape_time_guessed")
        }
        failed = [{"path": path, "error": error} for path, error in self.failed]
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
        "read_before": file.read_before,
    }
