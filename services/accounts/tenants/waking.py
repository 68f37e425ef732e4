"""Bringing a sleeping shop back: on command, and by itself when its owner signs in."""

import structlog

from models.accounts.tenants import ASLEEP, TenantStatus
from repositories.accounts.tenant_life import TenantLifeRepository
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.archives.building import ShopBuilding
from services.accounts.tenants.archives.manifest import Progress, silent
from services.accounts.tenants.archives.reading import ShopArchive, opened_archive
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.hibernating import reopen
from services.accounts.tenants.standing import ShopWork, WrongStatus
from services.gateways.object_store import ObjectNotFound
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import NotFound, StoflowError

_log = structlog.get_logger("stoflow.tenants")


RETRY_AFTER_S = 60


class ShopNotWoken(StoflowError):
    """The shop sleeps and its archive could not be had, or not be used; the log says why."""

    status, code = 503, "shop-not-woken"
    title = "Your shop was asleep and could not be woken; please try again in a minute"


class Waking:
    """Wakes shops. Whoever comes while somebody else does so waits for it."""

    def __init__(
        self,
        database: Database,
        building: ShopBuilding,
        shelf: ArchiveShelf,
        work: ShopWork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._building = building
        self._shelf = shelf
        self._work = work
        self._clock = clock

    def wake_for_its_owner(self, tenant: TenantSchema) -> None:
        """As part of a sign-in. Raises `ShopNotWoken`; the shop then sleeps as before."""
        try:
            self.wake(tenant)
        except WrongStatus:
            # Suspended or retired this moment: the owner may come in and see that.
            return
        except StoflowError as error:
            raise ShopNotWoken(retry_after=RETRY_AFTER_S) from error

    def wake(self, tenant: TenantSchema, progress: Progress = silent) -> bool:
        """Let the shop be active again; False when it was.

        Raises `NotFound`, `WrongStatus` for a suspended or retired shop, `ArchiveRefused`, and
        what the object store raises; after any of them the shop sleeps as before.
        """
        status, key = self._standing(tenant)
        if status is TenantStatus.ACTIVE:
            return False
        if status not in ASLEEP:
            raise WrongStatus(f"{tenant} is {status} and does not sleep.")
        if status is TenantStatus.HIBERNATING:
            return self._take_back(tenant, key) or self.wake(tenant, progress)
        assert key is not None, "a hibernated shop has an archive"
        try:
            woken = self._restore(tenant, key, progress)
        except ObjectNotFound:
            if self._standing(tenant) == (status, key):
                raise ObjectNotFound(f"The archive of {tenant}, {key}, is not stored.") from None
            return self.wake(tenant, progress)
        return woken or self.wake(tenant, progress)

    def _standing(self, tenant: TenantSchema) -> tuple[TenantStatus, str | None]:
        with self._database.platform() as session:
            row = TenantRepository(session).get(tenant.tenant_id)
            if row is None:
                raise NotFound(f"There is no shop {tenant}.")
            return row.status, row.archive_key

    def _take_back(self, tenant: TenantSchema, key: str | None) -> bool:
        """Its schema is still there; whoever puts it to sleep will find out."""
        with self._database.platform() as session:
            row = TenantLifeRepository(session).lock(tenant)
            if row is None or row.status is not TenantStatus.HIBERNATING or row.archive_key != key:
                return False
            reopen(session, row, tenant, self._work, self._clock)
        self._shelf.remove(key)
        return True

    def _restore(self, tenant: TenantSchema, key: str, progress: Progress) -> bool:
        progress("fetching the archive", 0, None)
        with self._shelf.fetched(key) as file, opened_archive(file, progress) as archive:
            self._building.refuse_newer(archive.manifest)
            if not self._build(tenant, key, archive, progress):
                return False
        self._shelf.remove(key)
        _log.info("shop woken", tenant=tenant.name, rows=archive.manifest.rows)
        return True

    def _build(
        self, tenant: TenantSchema, key: str, archive: ShopArchive, progress: Progress
    ) -> bool:
        with self._database.platform() as session:
            row = TenantLifeRepository(session).lock(tenant)
            if row is None or row.status is not TenantStatus.HIBERNATED or row.archive_key != key:
                return False
            row.schema_version = archive.manifest.revision
            row.status = TenantStatus.ACTIVE
            session.flush()
            self._building.build(session, tenant, archive, progress=progress)
            reopen(session, row, tenant, self._work, self._clock)
        return True
