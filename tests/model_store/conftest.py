"""The same store in every place it may stand."""

import ctypes
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from model_store.survival import INJECTED
from tiercast.adapters.objects import open_objects
from tiercast.adapters.promotion_logs import ObjectLog, SqlLog, promotions
from tiercast.flows.model_store import ModelStore
from tiercast.ports.models import ObjectStore


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many faults were injected, where the tests run in this process."""
    for kind, count in sorted(INJECTED.items()):
        terminalreporter.write_line(f"injected {count:4} x {kind}")


@dataclass(frozen=True)
class Place:
    """A store and the back door through which a test damages it."""

    objects: ObjectStore
    overwrite: Callable[[str, bytes], None]

    def flip(self, key: str) -> None:
        """Change one bit in the middle of an object."""
        content = bytearray(self.objects.get(key))
        content[len(content) // 2] ^= 1
        self.overwrite(key, bytes(content))

    def everything(self) -> dict[str, bytes]:
        """Every object of the moment."""
        return {key: self.objects.get(key) for key in self.objects.list("observed")}


def _folder(request: pytest.FixtureRequest) -> Place:
    root = request.getfixturevalue("tmp_path") / "some home" / "models"
    return Place(open_objects(root.as_uri()), lambda key, content: _overwrite_file(root / key, content))


def _overwrite_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _s3(request: pytest.FixtureRequest) -> Place:
    bucket = request.getfixturevalue("s3_bucket")
    client = boto3.client("s3")
    request.addfinalizer(client.close)
    return Place(
        open_objects(f"s3://{bucket}/team/models"),
        lambda key, content: client.put_object(Bucket=bucket, Key=f"team/models/{key}", Body=content),
    )


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    return {"folder": _folder, "s3": _s3}[request.param](request)


@pytest.fixture
def objects(place: Place) -> ObjectStore:
    return place.objects


@pytest.fixture
def beside(place: Place) -> ModelStore:
    """A store whose log stands beside its objects, so that a test may damage both."""
    return ModelStore(place.objects, ObjectLog(place.objects))


@pytest.fixture(scope="session")
def log_url(postgres_server: str) -> str:
    """The address of a database with the table of the promotion log; one for all tests, to make one costs a second."""
    name = f"logs_{uuid.uuid4().hex}"
    server = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(url)
    promotions.create(engine)
    engine.dispose()
    return url


@pytest.fixture
def log_engine(log_url: str) -> Iterator[Engine]:
    """That database with an empty log."""
    engine = create_engine(log_url)
    with engine.begin() as connection:
        connection.execute(promotions.delete())
    yield engine
    engine.dispose()


@pytest.fixture
def sql_log(log_engine: Engine) -> SqlLog:
    return SqlLog(log_engine)


@pytest.fixture(params=["folder", "s3", "postgres"])
def store(request: pytest.FixtureRequest) -> ModelStore:
    """Objects and log together: both in a folder, both in a bucket, or a bucket with its log in Postgres."""
    if request.param == "postgres":
        return ModelStore(_s3(request).objects, request.getfixturevalue("sql_log"))
    objects = {"folder": _folder, "s3": _s3}[request.param](request).objects
    return ModelStore(objects, ObjectLog(objects))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount(folder)
    yield folder
    _libc().umount2(os.fsencode(folder), 2)  # MNT_DETACH


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount(folder: Path, *, flags: int = 0) -> None:
    mount = getattr(_libc(), "mount", None)
    if mount is None or mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, b"size=128k"):
        pytest.skip("NOT TESTED: a full or read-only disk needs the right to mount one (root).")


@pytest.fixture
def make_read_only() -> Callable[[Path], None]:
    """Turns a mounted disk read-only."""
    return lambda folder: _mount(folder, flags=1 | 32)  # MS_RDONLY | MS_REMOUNT
