"""Closing a shop for good: an archive, a time of grace in which it can come back, and the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from models.accounts.tenants import Tenant, TenantStatus
from repositories.accounts.tenant_life import SchemaRemoval, TenantLifeRepository
from services.accounts.tenants.archives.manifest import Progress, Purpose, silent
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.archives.snapshot import ShopSnapshots
from services.accounts.tenants.standing import ShopWork, WrongStatus, locked
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import StoflowError

_log = structlog.get_logger("stoflow.tenants")

GRACE = timedelta(days=30)
SIGNED_OUT_BECAUSE = "the shop was retired"

_FROM = (TenantStatus.ACTIVE, TenantStatus.SUSPENDED, TenantStatus.RETIRED)


@dataclass(frozen=True, slots=True)
class Retired:
    """A shop that will go."""

    tenant: TenantSchema
    drop_after: datetime
    archive_key: str


@dataclass(frozen=True, slots=True)
class DueForDropping:
    """A shop whose grace period is over."""

    tenant: TenantSchema
    email: str
    drop_after: datetime
    archive_key: str | None


class Retirement:
    """Retires shops, takes that back, and drops them when their time has come."""

    def __init__(
        self,
        database: Database,
        snapshots: ShopSnapshots,
        shelf: ArchiveShelf,
        work: ShopWork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._snapshots = snapshots
        self._shelf = shelf
        self._work = work
        self._clock = clock

    def retire(
        self, tenant: TenantSchema, grace: timedelta = GRACE, progress: Progress = silent
    ) -> Retired:
        """Close the shop, sign its owner out, and keep an export of it.

        Doing it again finishes what was broken off and changes nothing else. Raises `WrongStatus`
        and what snapshots and the object store raise: then the shop is closed, without an archive.
        """
        drop_after, key = self._close(tenant, grace)
        if key is None:
            key = self._archive(tenant, progress)
        return Retired(tenant, drop_after, key)

    def reinstate(self, tenant: TenantSchema) -> bool:
        """Open a retired shop again within its grace period; False when it is open.

        Raises `WrongStatus`.
        """
        now = self._clock.now()
        with self._database.platform() as session:
            row = locked(session, tenant, TenantStatus.RETIRED, TenantStatus.ACTIVE)
            if row.status is TenantStatus.ACTIVE:
                return False
            if _is_over(row, now):
                raise WrongStatus(f"The grace period of {tenant} is over; it is being dropped.")
            key, row.archive_key = row.archive_key, None
            row.retired_at = row.drop_after = None
            TenantLifeRepository(session).set_status(row, TenantStatus.ACTIVE, now)
            self._work.ring(session, tenant)
        self._shelf.remove(key)
        _log.info("shop reinstated", tenant=tenant.name)
        return True

    def due(self) -> list[DueForDropping]:
        """Shops whose grace period is over, oldest first."""
        with self._database.platform() as session:
            found = TenantLifeRepository(session).to_be_dropped(self._clock.now())
            return [
                DueForDropping(TenantSchema(row.id), email, row.drop_after, row.archive_key)
                for row, email in found
                if row.drop_after is not None
            ]

    def drop(self, tenant: TenantSchema, *, keep_archive: bool = False) -> None:
        """Drop schema, role, photos, account and, unless it is to be kept, the archive.

        The files go first: broken off in between, the shop is still there and due, and doing it
        again finishes. Raises `WrongStatus` when its time has not come, or when its archive is to
        be kept and was never made.
        """
        with self._database.platform() as session:
            row = self._over(locked(session, tenant, TenantStatus.RETIRED))
            kept = row.archive_key if keep_archive else None
        if keep_archive and kept is None:
            raise WrongStatus(
                f"{tenant} has no archive to keep; 'stoflow tenants retire {tenant}' makes it,"
                " or says why it cannot be made."
            )
        photos = self._shelf.remove_photos(tenant)
        self._shelf.remove_all(tenant, but=kept)
        with self._database.platform() as session:
            self._over(locked(session, tenant, TenantStatus.RETIRED))
            SchemaRemoval(session, self._database).drop(tenant)
            TenantLifeRepository(session).forget(tenant)
        _log.info("shop dropped", tenant=tenant.name, photos=photos, archive_kept=kept)

    def _close(self, tenant: TenantSchema, grace: timedelta) -> tuple[datetime, str | None]:
        now = self._clock.now()
        with self._database.platform() as session:
            row = locked(session, tenant, *_FROM)
            if row.status is TenantStatus.RETIRED and row.drop_after is not None:
                return row.drop_after, row.archive_key
            row.retired_at, row.drop_after, row.archive_key = now, now + grace, None
            life = TenantLifeRepository(session)
            life.set_status(row, TenantStatus.RETIRED, now)
            life.end_sign_ins(tenant, SIGNED_OUT_BECAUSE, now)
            _log.info("shop retired", tenant=tenant.name, drop_after=row.drop_after.isoformat())
            return row.drop_after, None

    def _archive(self, tenant: TenantSchema, progress: Progress) -> str:
        key = self._shelf.new_key(tenant, Purpose.RETIREMENT)
        with TemporaryDirectory(prefix="stoflow-archive-") as folder:
            file = Path(folder) / "shop.zip"
            self._snapshots.write(tenant, file, Purpose.RETIREMENT, progress)
            progress("storing the archive", 0, None)
            self._shelf.put(key, file)
        try:
            kept = self._note_archive(tenant, key)
        except StoflowError:
            # Reinstated or dropped meanwhile: for certain nobody needs it.
            self._shelf.remove(key)
            raise
        if kept != key:
            self._shelf.remove(key)
        return kept

    def _note_archive(self, tenant: TenantSchema, key: str) -> str:
        """The shop's archive from now on: this one, unless somebody else was quicker."""
        with self._database.platform() as session:
            row = locked(session, tenant, TenantStatus.RETIRED)
            row.archive_key = row.archive_key or key
            return row.archive_key

    def _over(self, row: Tenant) -> Tenant:
        if not _is_over(row, self._clock.now()):
            raise WrongStatus(f"The grace period of user_{row.id} is not over.")
        return row


def _is_over(row: Tenant, now: datetime) -> bool:
    return row.drop_after is not None and row.drop_after <= now
