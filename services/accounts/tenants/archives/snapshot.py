"""A shop as one moment saw it, in a file."""

from pathlib import Path

from models.accounts.tenants import TenantStatus
from repositories.accounts.tenant_rows import TenantRows
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.archives.manifest import (
    ArchiveRefused,
    Manifest,
    Progress,
    Purpose,
    silent,
)
from services.accounts.tenants.archives.writing import ArchiveWriter, facts_of_rows
from services.gateways.object_store import ObjectNotFound, ObjectStore
from shared.clock import Clock
from shared.database import Database, PlatformSession, TenantSchema
from shared.errors import Conflict, NotFound


class ShopDiffers(Conflict):
    """The shop's tables are not those of this version, so an archive would not fit anywhere."""

    code, title = "shop-differs", "The shop's tables are not those of this version"


class ShopSnapshots:
    """Writes archives. `head` is the newest tenant revision that this version knows."""

    def __init__(self, database: Database, store: ObjectStore, head: str, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._head = head
        self._clock = clock

    def write(
        self, tenant: TenantSchema, file: Path, purpose: Purpose, progress: Progress = silent
    ) -> Manifest:
        """Write the archive of a shop that has its schema; others may go on working in it.

        An export has the photos too. Raises `NotFound`, `ArchiveRefused`, `ShopDiffers`.
        """
        with self._database.platform_session() as session:
            # One moment for all tables.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            revision = self._revision_of(session, tenant)
            writer = ArchiveWriter(file, purpose, self._clock.now(), revision, progress)
            rows = TenantRows(session, self._database, tenant)
            with rows.entered():
                self._refuse_what_differs(rows, tenant)
                writer.add_rows(rows)
        if purpose is not Purpose.HIBERNATION:
            self._add_photos(tenant, writer, progress)
        return writer.finish()

    def still_holds(self, rows: TenantRows, manifest: Manifest) -> bool:
        """Whether an archive with everything still has all there is; keeps others out from now."""
        with rows.entered():
            rows.lock(rows.tables())
            return manifest.has_the_rows_of(facts_of_rows(rows))

    def _revision_of(self, session: PlatformSession, tenant: TenantSchema) -> str:
        row = TenantRepository(session).get(tenant.tenant_id)
        if row is None:
            raise NotFound(f"There is no shop {tenant}.")
        if row.status is TenantStatus.HIBERNATED:
            raise ArchiveRefused(
                f"{tenant} sleeps; wake it first: 'stoflow tenants restore {tenant}'."
            )
        if row.schema_version != self._head:
            raise ShopDiffers(
                f"{tenant} is at revision {row.schema_version}, this version at {self._head}. "
                f"Run 'stoflow tenants migrate --only {tenant}' first."
            )
        return row.schema_version

    def _refuse_what_differs(self, rows: TenantRows, tenant: TenantSchema) -> None:
        if differing := rows.differences_from_the_template():
            raise ShopDiffers(
                f"{tenant} differs from the blueprint in {', '.join(differing[:5])}; "
                f"'stoflow tenants doctor {tenant}' says how."
            )

    def _add_photos(self, tenant: TenantSchema, writer: ArchiveWriter, progress: Progress) -> None:
        photos = sorted(writer.photos_named.items())
        for number, (key, content_type) in enumerate(photos, start=1):
            try:
                writer.add_photo(key, content_type, self._store.get(tenant.folder + key))
            except ObjectNotFound:
                writer.miss_photo(key)
            progress("photos", number, len(photos))
