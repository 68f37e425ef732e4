"""Every object store keeps the same promises; S3 is a real server on a real port."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from services.gateways.object_store import (
    LocalFolderStore,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreError,
    S3Store,
)
from shared.errors import APIConnectionError

KEY = "tenants/7/photos/5f0c"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """An S3 server that holds one bucket, `photos`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    connect(url).make_bucket()
    yield url
    server.stop()


class BucketStore(S3Store):
    """An S3 store that can do what only tests need."""

    def make_bucket(self) -> None:
        self._client.create_bucket(Bucket=self._bucket)

    def content_type_of(self, key: str) -> str:
        return self._client.head_object(Bucket=self._bucket, Key=key)["ContentType"]


def connect(url: str, bucket: str = "photos") -> BucketStore:
    return BucketStore.connect(
        bucket,
        endpoint_url=url,
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
    )


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return LocalFolderStore(tmp_path / "objects")
    store = connect(request.getfixturevalue("s3_url"))
    store.delete(KEY)
    return store


def test_bytes_come_back_unchanged(store: ObjectStore) -> None:
    """ST57, C2."""
    data = bytes(range(256)) * 300
    store.put(KEY, data, "image/jpeg")
    assert store.exists(KEY)
    assert store.get(KEY) == data


def test_putting_again_replaces(store: ObjectStore) -> None:
    """ST57."""
    store.put(KEY, b"one", "image/jpeg")
    store.put(KEY, b"two", "image/png")
    assert store.get(KEY) == b"two"


def test_what_is_not_there_is_said_to_be_absent(store: ObjectStore) -> None:
    """ST57."""
    assert not store.exists(KEY)
    with pytest.raises(ObjectNotFound):
        store.get(KEY)


def test_deleting_is_safe_to_repeat(store: ObjectStore) -> None:
    """ST57."""
    store.put(KEY, b"one", "image/jpeg")
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)


def test_a_file_goes_in_and_comes_out_unchanged(store: ObjectStore, tmp_path: Path) -> None:
    """F13: larger than what one part of an upload takes."""
    given, taken = tmp_path / "given", tmp_path / "taken"
    given.write_bytes(bytes(range(256)) * 40_000)
    store.put_file(KEY, given, "application/zip")
    store.get_file(KEY, taken)
    assert taken.read_bytes() == given.read_bytes() == store.get(KEY)


def test_a_file_that_is_not_there_is_said_to_be_absent(store: ObjectStore, tmp_path: Path) -> None:
    """F13."""
    with pytest.raises(ObjectNotFound):
        store.get_file(KEY, tmp_path / "taken")


def test_the_keys_of_a_folder_are_found_and_no_others(store: ObjectStore) -> None:
    """F13: the photos of shop 7 are not those of shop 70."""
    within = ["shops/7/photos/a", "shops/7/photos/b.jpg", "shops/7/c"]
    for key in [*within, "shops/70/photos/a", "shops/8"]:
        store.put(key, b"x", "image/jpeg")
    assert sorted(store.keys("shops/7")) == sorted(within)
    assert list(store.keys("shops/9")) == []
    with pytest.raises(ValueError, match="not a key"):
        list(store.keys("../shops"))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../other",
        "tenants/../../other",
        "tenants/7/./x",
        "tenants//x",
        "tenants/7/",
        "C:\\x",
        "a\x00b",
        "a b",
        ".hidden",
        "x/.new-1",
        "é",
        "k" * 513,
    ],
)
def test_a_key_cannot_lead_out_of_the_store(store: ObjectStore, key: str, tmp_path: Path) -> None:
    """ST48, ST57."""
    before = sorted(tmp_path.rglob("*"))
    for use in (store.get, store.delete, store.exists):
        with pytest.raises(ValueError, match="not a key"):
            use(key)
    with pytest.raises(ValueError, match="not a key"):
        store.put(key, b"x", "image/jpeg")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST57: half a photo is never seen."""
    store = LocalFolderStore(tmp_path)
    store.put(KEY, b"old", "image/jpeg")

    def broken(_file: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("services.gateways.object_store.os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        store.put(KEY, b"new", "image/jpeg")
    assert store.get(KEY) == b"old"
    assert [path.name for path in (tmp_path / "tenants/7/photos").iterdir()] == ["5f0c"]


def test_a_bucket_keeps_the_content_type(s3_url: str) -> None:
    """ST57: the CDN in front of a bucket serves photos as what they are."""
    store = connect(s3_url)
    store.put(KEY, b"one", "image/webp")
    assert store.content_type_of(KEY) == "image/webp"


def test_a_missing_bucket_is_a_refusal_and_not_an_absent_file(s3_url: str) -> None:
    """ST59."""
    with pytest.raises(ObjectStoreError, match="NoSuchBucket"):
        connect(s3_url, "elsewhere").get(KEY)


def test_an_unreachable_store_says_so() -> None:
    """ST59."""
    with pytest.raises(APIConnectionError):
        connect("http://127.0.0.1:9").get(KEY)
