"""Where bytes live that do not belong in a database: photos, by their content; archives of shops.

`LocalFolderStore` is the default of a single machine, `S3Store` speaks to Amazon S3, Cloudflare R2
and others. Both are safe to use from several threads. Never call them inside a transaction.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeVar

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from shared.errors import APIConnectionError, APIError, APITimeoutError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

Answer = TypeVar("Answer")

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:[./][A-Za-z0-9][A-Za-z0-9_-]*)*", re.ASCII)
_LONGEST_KEY = 512
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


class ObjectNotFound(NotFound):
    """Nothing is stored under this key."""

    code, title = "object-not-found", "The file is no longer stored"


class ObjectStoreError(APIError):
    """The object store refused."""

    code, title = "object-store-error", "The file store did not answer properly"


class ObjectStore(Protocol):
    """Keeps bytes by key. A key is words of letters and digits joined by `/`, `.`, `-` and `_`."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store; replaces what was there. Seen whole or not at all."""
        ...

    def get(self, key: str) -> bytes:
        """Read. Raises `ObjectNotFound`."""
        ...

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Like `put`, for what may not fit into memory."""
        ...

    def get_file(self, key: str, file: Path) -> None:
        """Write what is stored into `file`. Raises `ObjectNotFound`."""
        ...

    def keys(self, folder: str) -> Iterator[str]:
        """Every key that begins with this folder, which is a key itself, and a slash."""
        ...

    def delete(self, key: str) -> None:
        """Remove; no error when there is nothing."""
        ...

    def signed_url(self, key: str, good_for: timedelta) -> str | None:
        """An address at which anybody can read it for so long; None where the store has none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""
        ...


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError when it could lead out of the store."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"not a key of the object store: {key[:80]!r}")
    return key


class LocalFolderStore:
    """Files in a folder. Content types are not kept: whoever stores a photo knows its type."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, data: bytes, content_type: str) -> None:
        with self._written_whole(key) as file:
            file.write(data)

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        with self._written_whole(key) as stored, file.open("rb") as given:
            shutil.copyfileobj(given, stored)

    def get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFound from None

    def get_file(self, key: str, file: Path) -> None:
        try:
            shutil.copyfile(self._path(key), file)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFound from None

    def keys(self, folder: str) -> Iterator[str]:
        for path in sorted(self._path(folder).rglob("*")):
            key = path.relative_to(self._folder).as_posix()
            if path.is_file() and _KEY.fullmatch(key):
                yield key

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path(key).unlink()

    def signed_url(self, key: str, good_for: timedelta) -> str | None:
        return None

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    @contextmanager
    def _written_whole(self, key: str) -> Iterator[IO[bytes]]:
        """Write beside the place, then move there, so that no reader sees half a file."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _path(self, key: str) -> Path:
        return self._folder.joinpath(*checked_key(key).split("/"))


class S3Store:
    """A bucket of S3, R2 or any server that speaks the same."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def connect(
        cls,
        bucket: str,
        *,
        endpoint_url: str | None = None,
        region: str = "auto",
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
    ) -> Self:
        """Open a client; nothing is sent yet. Without keys, boto3 looks for them as it does."""
        options: dict[str, Any] = {
            "endpoint_url": endpoint_url,
            "region_name": region,
            "aws_access_key_id": access_key_id,
            "aws_secret_access_key": secret_access_key,
        }
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": 3, "mode": "standard"},
            max_pool_connections=32,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return cls(boto3.client("s3", config=config, **options), bucket)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        key = checked_key(key)
        _translated(
            lambda: self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType=content_type
            )
        )

    def get(self, key: str) -> bytes:
        key = checked_key(key)
        return _translated(
            lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        )

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        key = checked_key(key)
        _translated(
            lambda: self._client.upload_file(
                str(file), self._bucket, key, ExtraArgs={"ContentType": content_type}
            )
        )

    def get_file(self, key: str, file: Path) -> None:
        key = checked_key(key)
        _translated(lambda: self._client.download_file(self._bucket, key, str(file)))

    def keys(self, folder: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{checked_key(folder)}/"
        )
        remaining = iter(pages)
        while (page := _translated(lambda: next(remaining, None))) is not None:
            yield from (found["Key"] for found in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        key = checked_key(key)
        _translated(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def signed_url(self, key: str, good_for: timedelta) -> str | None:
        # Computed here; nothing is sent.
        return self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": checked_key(key)},
            ExpiresIn=max(1, int(good_for.total_seconds())),
        )

    def exists(self, key: str) -> bool:
        key = checked_key(key)
        try:
            _translated(lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        except ObjectNotFound:
            return False
        return True


def _translated(call: "Callable[[], Answer]") -> Answer:
    try:
        return call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _ABSENT:
            raise ObjectNotFound from None
        raise ObjectStoreError(f"The file store refused ({code or 'no reason given'}).") from None
    except S3UploadFailedError as error:
        raise ObjectStoreError("The file store did not take the file.") from error
    except (ConnectTimeoutError, ReadTimeoutError):
        raise APITimeoutError("The file store did not answer in time.") from None
    except BotoCoreError as error:
        raise APIConnectionError(
            f"The file store could not be reached ({type(error).__name__})."
        ) from None
