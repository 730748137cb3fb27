"""Forgetting an author or a video, wherever Tiercast keeps them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tiercast.core.errors import Missing
from tiercast.ports.serving import ServedPredictions
from tiercast.ports.videos import RejectFile, ScrapedTable, VideoStore


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, and how many rows of an existing table still name it."""

    videos: int
    observations: int
    rejects: int
    predictions: int
    left_in_table: int

    def to_document(self) -> Mapping[str, object]:
        """The answer of ``forget --json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Places:
    """Everywhere that an author or a video may be kept."""

    videos: VideoStore
    served: ServedPredictions
    rejects: RejectFile
    scraped_table: ScrapedTable | None


def forget(places: Places, *, author: str | None, video_id: str | None) -> Forgotten:
    """Erase whatever is kept of an author or of one video; raises Missing if there are none."""
    videos, rejects, table = places.videos, places.rejects, places.scraped_table
    left = _rows_in(table, author=author, video_id=video_id) if table else 0
    asked = places.served.erase(author=author, video_id=video_id)  # before the videos, which say whose they are
    erased = videos.erase(author=author, video_id=video_id)
    gone = rejects.erase(author=author, video_id=video_id)
    if not (erased.videos or gone or asked or left):
        what = f"author {author!r}" if author is not None else f"video {video_id!r}"
        raise Missing(f"Nothing is stored of {what}. Handles and ids are compared letter by letter.")
    return Forgotten(erased.videos, erased.observations, gone, asked, left)


def _rows_in(table: ScrapedTable, *, author: str | None, video_id: str | None) -> int:
    column, wanted = ("author", author) if author is not None else ("video_id", video_id)
    count = 0
    for batch in table.batches():
        if column in batch.rows.columns:
            count += sum(str(value) == wanted for value in batch.rows[column].to_list())
    return count
