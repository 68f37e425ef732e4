"""Bringing a shop out of an archive into this installation.

check    (no session)    every byte of the archive
ask      (transaction)   whose shop it becomes, and under which number
photos   (no session)    into the object store, under that number
build    (transaction)   account, shop, rows: all or nothing
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from models.accounts.tenants import Tenant, TenantStatus
from repositories.accounts.identity import UserRepository
from repositories.accounts.tenant_life import SchemaRemoval, TenantLifeRepository
from repositories.accounts.tenant_rows import TenantRows
from repositories.accounts.tenants import TenantRepository
from services.accounts.identity.registration import NewAccount, Registration
from services.accounts.tenants.archives.building import ShopBuilding
from services.accounts.tenants.archives.manifest import (
    ArchiveRefused,
    Manifest,
    Progress,
    Purpose,
    silent,
)
from services.accounts.tenants.archives.reading import ShopArchive, opened_archive
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.standing import ShopWork, locked
from services.gateways.object_store import ObjectStore
from shared.clock import Clock
from shared.database import Database, PlatformSession, TenantSchema
from shared.errors import Conflict
from shared.text import one_line

_log = structlog.get_logger("stoflow.tenants")

CALLED_OFF_BECAUSE = "The shop was moved to another installation; ask again when it is connected."


class ShopHasRows(Conflict):
    """There is something in the shop, which an import would mix with what it brings."""

    code, title = "shop-has-rows", "This shop is not empty"


@dataclass(frozen=True, slots=True)
class Imported:
    """A shop that was brought in."""

    tenant: TenantSchema
    new_account: bool
    manifest: Manifest
    jobs_called_off: int


class Importing:
    """Takes archives in."""

    def __init__(
        self,
        database: Database,
        building: ShopBuilding,
        registration: Registration,
        store: ObjectStore,
        shelf: ArchiveShelf,
        work: ShopWork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._building = building
        self._registration = registration
        self._store = store
        self._shelf = shelf
        self._work = work
        self._clock = clock

    def bring_in(
        self,
        file: Path,
        email: str,
        new_account: Callable[[], NewAccount],
        progress: Progress = silent,
    ) -> Imported:
        """Make the archive the shop of this address's account; `new_account` is asked for one.

        Raises `ArchiveRefused`, `ShopHasRows`, `WrongStatus`, and what registering raises; after
        any of them nothing has changed.
        """
        with opened_archive(file, progress) as archive:
            self._refuse_what_is_not_for_all(archive.manifest)
            known, tenant = self._home(one_line(email).lower())
            account = None if known else new_account()
            try:
                self._store_photos(tenant, archive, progress)
                called_off = self._build(tenant, archive, account, progress)
            except (Exception, KeyboardInterrupt):
                self._take_photos_away(tenant)
                raise
        _log.info("shop imported", tenant=tenant.name, rows=archive.manifest.rows)
        return Imported(tenant, not known, archive.manifest, called_off)

    def _refuse_what_is_not_for_all(self, manifest: Manifest) -> None:
        if manifest.purpose is Purpose.HIBERNATION:
            raise ArchiveRefused(
                "This is the archive of a sleeping shop; it comes back with "
                "'stoflow tenants restore'. To move a shop, make an export."
            )
        self._building.refuse_newer(manifest)

    def _home(self, email: str) -> tuple[bool, TenantSchema]:
        """Whether there is an account, and the number of the shop."""
        with self._database.platform() as session:
            user = UserRepository(session).by_email(email)
            if user is None:
                return False, TenantSchema(TenantLifeRepository(session).reserve_account())
            tenant = TenantSchema(user.id)
            if TenantRepository(session).get(user.id) is not None:
                self._refuse_rows(session, tenant)
            return True, tenant

    def _store_photos(self, tenant: TenantSchema, archive: ShopArchive, progress: Progress) -> None:
        for number, (key, content_type, data) in enumerate(archive.photos(), start=1):
            if not self._store.exists(tenant.folder + key):
                self._store.put(tenant.folder + key, data, content_type)
            progress("photos", number, archive.manifest.photos)

    def _build(
        self,
        tenant: TenantSchema,
        archive: ShopArchive,
        account: NewAccount | None,
        progress: Progress,
    ) -> int:
        now = self._clock.now()
        revision = archive.manifest.revision
        with self._database.platform() as session:
            if account is not None:
                self._registration.open_account(session, account, tenant.tenant_id)
            tenants = TenantRepository(session)
            row = tenants.get(tenant.tenant_id)
            if row is None:
                row = Tenant(id=tenant.tenant_id, status=TenantStatus.ACTIVE, created_at=now)
                row.schema_version = revision
                tenants.add(row)
            else:
                self._clear(session, tenant, revision)
            self._building.build(
                session, tenant, archive, account_id=tenant.tenant_id, progress=progress
            )
            return self._work.call_off(session, tenant, CALLED_OFF_BECAUSE, now)

    def _clear(self, session: PlatformSession, tenant: TenantSchema, revision: str) -> None:
        """Take the empty schema away, to make it anew at the archive's revision."""
        self._refuse_rows(session, tenant)
        SchemaRemoval(session, self._database).drop(tenant)
        locked(session, tenant, TenantStatus.ACTIVE).schema_version = revision
        TenantLifeRepository(session).take_down_bells(tenant)

    def _refuse_rows(self, session: PlatformSession, tenant: TenantSchema) -> None:
        locked(session, tenant, TenantStatus.ACTIVE)
        rows = TenantRows(session, self._database, tenant)
        with rows.entered():
            tables = rows.tables()
            rows.lock(tables)
            filled = [table.name for table in tables if rows.count(table)]
        if filled:
            raise ShopHasRows(
                f"{tenant} has rows in {', '.join(filled[:5])}. Import into another account."
            )

    def _take_photos_away(self, tenant: TenantSchema) -> None:
        """Of a shop that never came to be; one that exists keeps them, the next try needs them."""
        with self._database.platform() as session:
            if TenantRepository(session).get(tenant.tenant_id) is not None:
                return
        self._shelf.remove_photos(tenant)
