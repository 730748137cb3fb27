"""Object stores: a folder, S3 and its kin, Google Cloud and Azure, behind put-if-absent, get, list and delete."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, from_url

from tiercast.adapters.store_faults import bucket_is_missing, unavailable
from tiercast.core.errors import InvalidInput, Missing
from tiercast.ports.models import ObjectStore

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig
    from obstore.store import ObjectStore as Driver

SCHEMES: Final = "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"

_ENDPOINT_VARIABLES: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")

# A bucket and perhaps a prefix. No user or password: credentials belong in the environment, and none is ever shown.
_BUCKET: Final = re.compile(r"(s3|gs|az)://[^/@?#\s]+(/[^@?#]*)?$")

# Key segments: no empty one, none that starts with a dot, so that no key leaves the store's root.
_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

# A dead endpoint has to answer within about 15 s: an address nobody answers costs up to three attempts of 4 s (a new
# attempt starts only within 8 s), a server that accepts and then hangs costs one read timeout. The read timeout
# also bounds one upload: 14 s carry a model of 10 MB over 6 Mbit/s.
_CLIENT: Final["ClientConfig"] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=4),
    "read_timeout": timedelta(seconds=14),
    "timeout": timedelta(seconds=60),
}
_RETRY: Final["RetryConfig"] = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=8),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2},
}

_LIST_TRIES: Final = 5
"""A prune deletes some hundreds of objects; a list takes a millisecond."""


def open_objects(url: str) -> ObjectStore:
    """The store at an address; nothing is read or written yet. Raises InvalidInput where it is no store's address.

    Endpoint, region and keys of S3 come from the usual AWS_ variables, those of Google Cloud and Azure from theirs.
    """
    scheme = url.partition(":")[0]
    if scheme == "file":
        return FolderObjects(_folder_of(url))
    if not _BUCKET.match(url):
        raise InvalidInput(f"{shown_address(url)!r} is not the address of a model store. Use {SCHEMES}.")
    if scheme == "s3":
        _check_endpoint()
    try:
        driver = from_url(url, client_options=_CLIENT, retry_config=_RETRY)
    except (BaseError, ValueError) as error:
        raise InvalidInput(str(unavailable(url, error))) from error
    return BucketObjects(url, driver)


def shown_address(url: str) -> str:
    """A store's address without user, password and options, which may hold credentials.

    >>> shown_address("s3://AKIA:s3cret@bucket/models?token=x")
    's3://***@bucket/models?...'
    """
    if url.startswith("file:"):
        return url
    without_user = re.sub(r"^([^/]*//)?.*@", r"\1***@", url, flags=re.DOTALL)  # a password may hold "/" and "?"
    return re.sub(r"[?#].*", "?...", without_user, flags=re.DOTALL)


def _folder_of(url: str) -> Path:
    folder = Path(unquote(url.removeprefix("file://").removeprefix("localhost")))
    if not folder.is_absolute():
        raise InvalidInput(f"{url!r} does not name an absolute folder. Write file:///folder, with three slashes.")
    return folder


def _check_endpoint() -> None:
    """Refuse an endpoint that is no web address here: the driver would crash over it later."""
    for variable in _ENDPOINT_VARIABLES:
        endpoint = os.environ.get(variable)
        if endpoint and not re.match(r"https?://[^/\s]+", endpoint):
            raise InvalidInput(f"{variable} is {endpoint!r}; it has to start with https:// or http:// and a host.")


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise InvalidInput(f"{key!r} cannot be the key of an object: letters, digits, '.', '_', '-' between slashes.")


def _create(driver: "Driver", key: str, content: bytes) -> bool:
    try:
        obstore.put(driver, key, content, mode="create")
    except (AlreadyExistsError, PreconditionError):
        return False
    return True


def _read(driver: "Driver", key: str) -> bytes:
    return obstore.get(driver, key).bytes().to_bytes()


def _remove(driver: "Driver", key: str) -> None:
    with suppress(FileNotFoundError):  # S3 does not tell whether there was anything
        obstore.delete(driver, key)


def _keys(driver: "Driver", prefix: str) -> list[str]:
    return sorted(found["path"] for page in obstore.list(driver, prefix) for found in page)


@contextmanager
def _faults(address: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise unavailable(address, error) from error


class BucketObjects:
    """A bucket, or a part of one. Every fault is Unavailable with a sentence that names the bucket."""

    def __init__(self, address: str, driver: "Driver") -> None:
        self.address = address
        self._driver = driver

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write unless the key exists; True when this call wrote. Raises Unavailable on an unknown outcome."""
        _check(key)
        with _faults(self.address):
            return _create(self._driver, key, content)

    def get(self, key: str) -> bytes:
        """The object's bytes; raises Missing where there is none."""
        _check(key)
        with _faults(self.address):
            try:
                return _read(self._driver, key)
            except FileNotFoundError as error:
                if bucket_is_missing(error):
                    raise
                raise Missing(f"The model store {self.address} has no object {key}.") from error

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, sorted."""
        _check(prefix)
        with _faults(self.address):
            return _keys(self._driver, prefix)

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        _check(key)
        with _faults(self.address):
            _remove(self._driver, key)


class FolderObjects:
    """A folder of this machine, made when the first object is put; a put is on the disk when it returns."""

    def __init__(self, root: Path) -> None:
        self.address = f"in {root}"
        self._root = root

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write unless the key exists; True when this call wrote. Raises Unavailable on an unknown outcome."""
        _check(key)
        path = self._root / key
        with _faults(self.address):
            known = next(folder for folder in path.parents if folder.is_dir())
            written = _create(LocalStore(self._root, mkdir=True), key, content)
            # Also where the key existed: its writer may have died before its own fsync.
            _sync(path, upto=known)
        return written

    def get(self, key: str) -> bytes:
        """The object's bytes; raises Missing where there is none."""
        _check(key)
        with _faults(self.address):
            try:
                return _read(LocalStore(self._existing()), key)
            except FileNotFoundError as error:
                raise Missing(f"The model store {self.address} has no object {key}.") from error

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, sorted; a folder that does not exist yet holds none."""
        _check(prefix)
        with _faults(self.address):
            for _ in range(_LIST_TRIES):
                try:
                    root = self._existing()
                except FileNotFoundError:
                    return []
                with suppress(FileNotFoundError):  # something was deleted while it was listed
                    return _keys(LocalStore(root), prefix)
            return _keys(LocalStore(root), prefix)

    def delete(self, key: str) -> None:
        """Remove an object and the folders that it leaves empty; nothing happens where there is none."""
        _check(key)
        path = self._root / key
        with _faults(self.address):
            if not path.is_file():
                return
            _remove(LocalStore(self._existing(), automatic_cleanup=True), key)
            _sync_nearest(path.parent)

    def _existing(self) -> Path:
        os.stat(f"{self._root}/.")  # noqa: PTH116  # pathlib would drop the dot that tells a folder from a file
        return self._root


def _sync(path: Path, *, upto: Path) -> None:
    """Bring a new file to the disk, and every folder between it and ``upto`` that may have a new entry."""
    folders = [folder for folder in path.parents if folder == upto or upto in folder.parents]
    for place in (path, *folders):
        _sync_place(place)


def _sync_nearest(folder: Path) -> None:
    """Bring to the disk that a folder lost an entry, or that the one above lost the folder."""
    while True:
        try:
            _sync_place(folder)
        except FileNotFoundError:  # it was left empty, perhaps by somebody else just now
            folder = folder.parent
        else:
            return


def _sync_place(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
