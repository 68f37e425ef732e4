"""Gets the photos that a file names, several at a time, and keeps their originals.

No database session is in reach here: this is the part of an import that speaks to the outside.
"""

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from repositories.selling.catalog import StoredPhoto
from services.gateways.image_fetch import ImageFetcher, ImageUnavailable
from services.gateways.object_store import ObjectStore
from services.selling.catalog.images import store_photo
from services.selling.catalog.photos import MAX_BYTES, inspect_photo
from shared.database import TenantSchema
from shared.errors import APIError, BadInput

_AT_ONCE = 8
_TIME_IS_UP = "There was no time left for it; import the file again to go on."


@dataclass(frozen=True, slots=True)
class Missing:
    """A photo that could not be had."""

    problem: str


Picture = StoredPhoto | Missing


def is_url(source: str) -> bool:
    """Whether a photo is named by an address rather than by a file name."""
    return "://" in source


class PhotoFolder:
    """Photos by file name, out of one folder and nothing below or above it."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name.casefold(): path for path in folder.iterdir() if path.is_file()}

    def read(self, name: str) -> bytes:
        """The file's bytes. Raises `ImageUnavailable`."""
        path = self._files.get(name.casefold())
        if path is None:
            raise ImageUnavailable("There is no such file among the photos.")
        if path.stat().st_size > MAX_BYTES:
            raise ImageUnavailable(f"It is larger than {MAX_BYTES // 1_000_000} MB.")
        return path.read_bytes()


@dataclass
class PictureSource:
    """Where the photos of one import come from. A host that is down is asked only once."""

    tenant: TenantSchema
    store: ObjectStore
    fetcher: ImageFetcher | None
    """None: photos named by URL are left for later."""
    folder: PhotoFolder | None
    end: float | None = None
    """Moment of the monotonic clock after which nothing more is fetched; None: no such moment."""
    _down: set[str] = field(default_factory=set)
    _known: dict[str, Picture] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wants(self, source: str) -> bool:
        """Whether this source is looked at in this import."""
        return self.fetcher is not None or not is_url(source)

    def get_all(self, sources: Collection[str]) -> Mapping[str, Picture]:
        """Every photo, stored, or why not. Each source is asked once in an import."""
        new = [source for source in dict.fromkeys(sources) if source not in self._known]
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="photos")
        try:
            running: dict[str, Future[Picture]] = {
                source: pool.submit(self._get, source) for source in new
            }
            wait(running.values(), timeout=self._seconds_left())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for source, future in running.items():
            done = future.done() and not future.cancelled()
            self._known[source] = future.result() if done else Missing(_TIME_IS_UP)
        return {source: self._known[source] for source in sources}

    def _seconds_left(self) -> float | None:
        return None if self.end is None else max(0.0, self.end - time.monotonic())

    def _get(self, source: str) -> Picture:
        if self._seconds_left() == 0:
            return Missing(_TIME_IS_UP)
        try:
            data = self._bytes(source)
            photo = inspect_photo(self.tenant, data)
            store_photo(self.store, photo, data)
        except (APIError, BadInput) as error:
            return Missing(error.detail)
        return photo

    def _bytes(self, source: str) -> bytes:
        if not is_url(source):
            if self.folder is None:
                raise ImageUnavailable("It is a file name, and no photos came with the file.")
            return self.folder.read(source)
        assert self.fetcher is not None
        host = _host(source)
        with self._lock:
            if host in self._down:
                raise ImageUnavailable(f"{host} cannot be reached.")
        try:
            return self.fetcher.fetch(source)
        except ImageUnavailable as error:
            if error.host_is_down:
                with self._lock:
                    self._down.add(host)
            raise


def _host(source: str) -> str:
    try:
        return urlsplit(source).netloc
    except ValueError:
        return ""
