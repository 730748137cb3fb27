"""One contract for every object store, and one sentence for every way it can fail."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tiercast.adapters.objects import open_objects
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.ports.models import ObjectStore


def test_an_object_reads_back_as_it_was_put(objects: ObjectStore) -> None:
    content = bytes(range(256)) * 40
    assert objects.put_if_absent("observed/a/model.json", content)
    assert objects.get("observed/a/model.json") == content


def test_a_second_put_changes_nothing_and_says_so(objects: ObjectStore) -> None:
    assert objects.put_if_absent("a/b.json", b"first") is True
    assert objects.put_if_absent("a/b.json", b"second") is False
    assert objects.get("a/b.json") == b"first"


def test_an_object_that_is_not_there_is_missing(objects: ObjectStore) -> None:
    with pytest.raises(Missing, match=r"no object a/b\.json"):
        objects.get("a/b.json")
    objects.put_if_absent("a/b.json", b"")
    with pytest.raises(Missing, match=r"no object a/c\.json"):
        objects.get("a/c.json")
    with pytest.raises(Missing):
        objects.get("a")


def test_a_list_holds_every_key_below_a_folder_sorted_and_no_other(objects: ObjectStore) -> None:
    assert objects.list("a") == []
    for key in ("a/z.json", "a/b/c.json", "ab/x.json", "a/b/a.json", "other.json"):
        objects.put_if_absent(key, b"x")
    assert objects.list("a") == ["a/b/a.json", "a/b/c.json", "a/z.json"]


def test_a_list_is_longer_than_one_page_of_the_store(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    keys = [f"a/{number:05d}" for number in range(25)]
    for key in keys:
        objects.put_if_absent(key, b"")
    assert objects.list("a") == keys


def test_a_deleted_object_is_gone_and_deleting_it_again_changes_nothing(objects: ObjectStore) -> None:
    for key in ("a/b/c.json", "a/b/d.json", "a/e.json"):
        objects.put_if_absent(key, b"x")
    for _ in range(2):
        objects.delete("a/b/c.json")
        assert objects.list("a") == ["a/b/d.json", "a/e.json"]
    objects.delete("a/b/d.json")
    objects.delete("nothing/was/here.json")
    assert objects.list("a") == ["a/e.json"]
    assert objects.put_if_absent("a/b/c.json", b"again")


def test_deleting_leaves_no_empty_folder_and_is_on_the_disk_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects((tmp_path / "m").as_uri())
    objects.put_if_absent("a/b.json", b"x")
    objects.put_if_absent("a/c/d.json", b"x")
    synced: list[int] = []
    really = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), really(fd)))
    objects.delete("a/c/d.json")
    assert [path.name for path in (tmp_path / "m/a").iterdir()] == ["b.json"]
    assert synced == [(tmp_path / "m/a").stat().st_ino]


@pytest.mark.parametrize("key", ["../up", "a/../../up", "/etc/passwd", "a//b", "", ".hidden", "a/./b", "a\\b", "a b#1"])
def test_a_key_that_could_leave_the_store_is_refused(objects: ObjectStore, key: str) -> None:
    for call in (
        lambda: objects.put_if_absent(key, b""),
        lambda: objects.get(key),
        lambda: objects.list(key),
        lambda: objects.delete(key),
    ):
        with pytest.raises(InvalidInput, match="cannot be the key"):
            call()


def test_reading_does_not_create_the_folder(tmp_path: Path) -> None:
    objects = open_objects((tmp_path / "models").as_uri())
    assert objects.list("observed") == []
    with pytest.raises(Missing):
        objects.get("observed/x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spelled", ["file://{}", "file://localhost{}"])
def test_a_folder_address_may_be_written_plainly(tmp_path: Path, spelled: str) -> None:
    folder = tmp_path / "my home"
    open_objects(spelled.format(folder)).put_if_absent("a", b"x")
    assert (folder / "a").read_bytes() == b"x"


def test_a_put_is_on_the_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    really = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), really(fd)))
    open_objects((tmp_path / "m").as_uri()).put_if_absent("a/b.json", b"x")
    assert synced == [
        place.stat().st_ino for place in (tmp_path / "m/a/b.json", tmp_path / "m/a", tmp_path / "m", tmp_path)
    ]


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "models", "/data/models", "s3://", "s3:///x", "gs://", "", "file://models"]
)
def test_an_address_of_no_store_names_those_that_are(url: str) -> None:
    with pytest.raises(InvalidInput, match="file:///folder"):
        open_objects(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ana:s3cret@host/bucket",
        "s3://ana:s3cret@bucket/models",
        "s3://ana:s3/cr?et@bucket/models",
        "s3://bucket/models?secret_access_key=s3cret",
        "ana:s3cret@bucket",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not the address of a model store") as caught:
        open_objects(url)
    assert "cr" not in str(caught.value).replace("address of a model store. Use file:///folder, s3://bucket", "")


def test_an_azure_address_without_account_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(InvalidInput, match="AZURE_STORAGE_ACCOUNT_NAME"):
        open_objects("az://container/models")


def test_an_endpoint_that_is_no_web_address_is_refused(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "storage.example.com")
    with pytest.raises(InvalidInput, match=r"AWS_ENDPOINT_URL is 'storage.example.com'"):
        open_objects(f"s3://{s3_bucket}")


def _says(objects: ObjectStore, sentence: str) -> None:
    """Every verb fails with one short line that holds the sentence."""
    for call in (lambda: objects.put_if_absent("a", b""), lambda: objects.get("a"), lambda: objects.list("a")):
        with pytest.raises(Unavailable, match=sentence) as caught:
            call()
        said = str(caught.value)
        assert len(said) < 260
        assert "\n" not in said
        assert "Error {" not in said


def test_a_bucket_that_does_not_exist_is_said_to_be_missing(s3_bucket: str) -> None:
    _says(open_objects("s3://nobody-made-this/models"), r"s3://nobody-made-this/models.*bucket does not exist")


def test_wrong_keys_are_said_to_be_refused(s3_bucket: str, s3_endpoint: str) -> None:
    def look_at_keys_after(requests: bytes) -> None:
        address, plain = f"{s3_endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        urlopen(Request(address, requests, plain, method="POST")).close()

    look_at_keys_after(b"0")
    try:
        _says(open_objects(f"s3://{s3_bucket}"), "refused the credentials")
    finally:
        look_at_keys_after(b"inf")


@pytest.mark.parametrize("lacking", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_key_that_is_not_set_is_said_to_be_missing(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    monkeypatch.delenv(lacking)
    with pytest.raises(InvalidInput, match=r"credentials were not found.*AWS_ACCESS_KEY_ID"):
        open_objects(f"s3://{s3_bucket}")


def test_an_endpoint_where_nothing_listens_is_said_to_refuse(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        _says(open_objects(f"s3://{s3_bucket}"), "connection refused")


def test_an_endpoint_whose_name_is_unknown_is_said_to_be_unknown(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://nowhere.invalid")
    _says(open_objects(f"s3://{s3_bucket}"), "cannot be found")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"")
    _says(open_objects((tmp_path / "models").as_uri()), f"in {tmp_path}/models cannot be used: a file stands")


def test_a_full_disk_is_said_to_be_full_and_leaves_no_half_object(small_disk: Path) -> None:
    objects = open_objects(small_disk.as_uri())
    assert objects.put_if_absent("a/small", b"x")
    with pytest.raises(Unavailable, match="the disk is full"):
        objects.put_if_absent("a/large", b"x" * 500_000)
    assert objects.list("a") == ["a/small"]
    assert [path.name for path in (small_disk / "a").iterdir()] == ["small"]


def test_a_read_only_folder_is_said_to_be_read_only_and_still_reads(
    small_disk: Path, make_read_only: Callable[[Path], None]
) -> None:
    objects = open_objects(small_disk.as_uri())
    objects.put_if_absent("a/b", b"x")
    make_read_only(small_disk)
    with pytest.raises(Unavailable, match="the folder is read-only"):
        objects.put_if_absent("a/c", b"y")
    assert objects.get("a/b") == b"x"


def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the read-only disk covers it")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(Unavailable, match="no right"):
        open_objects(tmp_path.as_uri()).put_if_absent("a", b"x")


def test_a_limit_on_file_sizes_is_said_to_be_one(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from tiercast.adapters.objects import open_objects\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: open_objects(sys.argv[1]).put_if_absent('a/b', b'x' * 5000)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path.as_uri()], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Unavailable")
    assert "larger than this process may write" in done.stdout
    assert open_objects(tmp_path.as_uri()).list("a") == []
