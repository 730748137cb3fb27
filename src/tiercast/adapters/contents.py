"""The uncompressed content of a file or of bytes in memory, and the plain words for what can be wrong with it."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from tiercast.core.errors import InvalidInput
from tiercast.ports.videos import RawBatch

BATCH_ROWS: Final = 20_000
"""Rows handed out at once: some 50 MB of parsed scraper items."""

_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(slots=True)
class OpenedFile:
    """A SourceFile: what it is, and how its rows are read."""

    path: str
    format: str
    content: str
    modified_at: datetime
    read: Callable[[], Iterator[RawBatch]]

    def batches(self) -> Iterator[RawBatch]:
        """The file's rows, in batches small enough for memory."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Content:
    """Where bytes come from: a path, or memory."""

    label: str
    """How messages name it."""
    origin: Path | bytes
    modified_at: datetime

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """The content from its start, uncompressed; raises InvalidInput where it cannot be read."""
        with plain_faults(self.label):
            if isinstance(self.origin, bytes):
                plain: BinaryIO = io.BytesIO(self.origin)
            else:
                plain = self.origin.open("rb")
            with plain:
                zipped = plain.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
                plain.seek(0)
                yield cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if zipped else plain


@contextmanager
def plain_faults(label: str) -> Iterator[None]:
    """Turns what reading may raise into InvalidInput that says what to do."""
    try:
        yield
    except EOFError as error:
        raise InvalidInput(f"{label} is a gzip file that was cut short; copy or download it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(f"{label} is a damaged gzip file ({error}); copy or download it again.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(f"{label} cannot be read: {reason}. Check the path and its permissions.") from error


def text_lines(content: Content, digest: "hashlib._Hash | None" = None) -> Iterator[str]:
    """The content line by line as text (a leading byte order mark removed), hashed on the way.

    Raises InvalidInput at the first byte that is not UTF-8.
    """
    with content.stream() as stream:
        for number, line in enumerate(stream, start=1):
            if digest is not None:
                digest.update(line)
            text = decoded(line, content.label, line=number)
            yield text.removeprefix("\ufeff") if number == 1 else text


def decoded(raw: bytes, label: str, *, line: int = 1) -> str:
    """UTF-8 as text; raises InvalidInput naming the byte that is none and its line (``raw`` begins at ``line``)."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        number = line + raw.count(b"\n", 0, error.start)
        raise InvalidInput(
            f"{label} is not text in UTF-8: byte 0x{raw[error.start]:02x} on line {number}. It may be a binary file "
            "(readable: CSV, JSON, JSON Lines, gzip around them, Parquet); text has to be saved as UTF-8."
        ) from error
