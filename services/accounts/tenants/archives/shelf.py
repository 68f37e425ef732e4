"""Where archives are kept: in the object store, beside the photos. Never inside a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from services.accounts.tenants.archives.manifest import Purpose, facts_of
from services.gateways.object_store import ObjectStore, ObjectStoreError
from shared.clock import Clock
from shared.database import TenantSchema
from shared.errors import APIError
from shared.ids import new_uuid

_log = structlog.get_logger("stoflow.tenants")

_PIECE = 1 << 20


class ArchiveShelf:
    """Archives by shop. Whoever may read the bucket may read them: keep it private."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def new_key(self, tenant: TenantSchema, purpose: Purpose) -> str:
        """Where an archive that is made now will lie; no other ever lay or will lie there."""
        day = f"{self._clock.now():%Y-%m-%d}"
        return f"{_folder(tenant)}/{purpose}-{day}-{new_uuid().hex[:12]}.zip"

    def put(self, key: str, file: Path) -> None:
        """Store, and read back what was stored. Raises `ObjectStoreError` when that differs."""
        self._store.put_file(key, file, "application/zip")
        with self.fetched(key) as stored:
            if facts_of(_pieces(stored)) != facts_of(_pieces(file)):
                raise ObjectStoreError("The file store gave back something else than it was given.")

    @contextmanager
    def fetched(self, key: str) -> Iterator[Path]:
        """The archive as a file, for as long as the block runs. Raises `ObjectNotFound`."""
        with TemporaryDirectory(prefix="stoflow-archive-") as folder:
            file = Path(folder) / "shop.zip"
            self._store.get_file(key, file)
            yield file

    def remove(self, key: str | None) -> None:
        """Remove an archive that nobody needs any more; what cannot be removed is logged."""
        if key is None:
            return
        try:
            self._store.delete(key)
        except APIError as error:
            _log.warning("archive left behind", key=key, because=error.detail)

    def remove_all(self, tenant: TenantSchema, *, but: str | None = None) -> None:
        """Remove the shop's archives, apart from one."""
        for key in list(self._store.keys(_folder(tenant))):
            if key != but:
                self._store.delete(key)

    def remove_photos(self, tenant: TenantSchema) -> int:
        """Remove every file of the shop itself; returns how many there were."""
        keys = list(self._store.keys(tenant.folder.removesuffix("/")))
        for key in keys:
            self._store.delete(key)
        return len(keys)


def _folder(tenant: TenantSchema) -> str:
    return f"archives/{tenant.tenant_id}"


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
