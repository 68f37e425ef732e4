"""Makes a shop's schema out of an archive, inside the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from repositories.accounts.table_shapes import TableShape
from repositories.accounts.tenant_migrations import SchemaStep, TenantMigrationRepository
from repositories.accounts.tenant_rows import TenantRows
from repositories.accounts.tenants import TenantSchemaRepository
from services.accounts.tenants.archives.manifest import ArchiveRefused, Manifest, Progress, silent
from services.accounts.tenants.archives.reading import ShopArchive
from shared.database import Database, PlatformSession, TenantSchema
from shared.errors import DatabaseError

_ROWS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 4_000_000


class TenantLine(Protocol):
    """The tenant migration line, as this version knows it."""

    @property
    def revisions(self) -> Sequence[str]:
        """Oldest first."""
        ...

    def statements(self, revision: str) -> Sequence[str]:
        """What makes an empty schema at this revision."""
        ...

    def steps(self, since: str, until: str) -> Sequence[SchemaStep]:
        """The revisions between two points."""
        ...


class ShopBuilding:
    """Fills new schemas with what is in archives."""

    def __init__(self, database: Database, line: TenantLine) -> None:
        self._database = database
        self._line = line

    def refuse_newer(self, manifest: Manifest) -> None:
        """Raise `ArchiveRefused` when this version does not know the archive's revision."""
        known = self._line.revisions
        if manifest.revision not in known:
            raise ArchiveRefused(
                f"The archive is at revision {manifest.revision}, and this version of StoFlow "
                f"knows up to {known[-1]}. Upgrade this installation first."
            )

    def build(
        self,
        session: PlatformSession,
        tenant: TenantSchema,
        archive: ShopArchive,
        *,
        account_id: int | None = None,
        progress: Progress = silent,
    ) -> None:
        """Make role and schema, store the rows, and come to the revision of today.

        The shop's row must be there, active, at the archive's revision, and its schema must not.
        `account_id` takes the place of every account that rows name. Raises `ArchiveRefused`,
        `SchemaCreationError` and what a migration raises; then the transaction is to be rolled
        back, and nothing was done.
        """
        revision = archive.manifest.revision
        schemas = TenantSchemaRepository(session, self._database)
        site = schemas.survey(tenant)
        schemas.create(site, self._line.statements(revision))
        rows = TenantRows(session, self._database, tenant)
        with rows.entered():
            try:
                _fill(rows, archive, account_id, progress)
            except DatabaseError as error:
                raise ArchiveRefused(f"The rows do not fit: {error.detail}") from error
        steps = self._line.steps(revision, self._newest(revision, site.blueprint))
        if steps:
            TenantMigrationRepository(session, self._database).move(tenant, steps)

    def _newest(self, revision: str, of_new_shops: str | None) -> str:
        """Where new shops are made, unless the archive, or all that we know, is elsewhere."""
        known = list(self._line.revisions)
        if of_new_shops not in known:
            return known[-1]
        return max(revision, of_new_shops, key=known.index)


def _fill(
    rows: TenantRows, archive: ShopArchive, account_id: int | None, progress: Progress
) -> None:
    shapes = {table.name: table for table in rows.tables()}
    references = rows.references()
    # Rows may point at each other in a circle; so all are checked at the end, at once.
    rows.take_off(references)
    for name, facts in archive.manifest.tables.items():
        table = _fitting(shapes.get(name), name, facts.columns)
        done = 0
        for lines in _in_batches(archive.lines(name)):
            rows.add(table, lines, account_id)
            done += len(lines)
            progress(name, done, facts.rows)
        if rows.count(table) != facts.rows:
            raise ArchiveRefused(f"{name} did not take all rows.")
    rows.put_back(references)
    known = rows.sequences()
    for name, state in archive.sequences().items():
        if name not in known:
            raise ArchiveRefused(f"The archive has a sequence {name!r}, which its revision lacks.")
        rows.set_sequence(name, state)


def _fitting(table: TableShape | None, name: str, columns: Sequence[str]) -> TableShape:
    if table is None:
        raise ArchiveRefused(f"The archive has a table {name!r}, which its revision lacks.")
    if strange := sorted(set(columns) - set(table.columns)):
        raise ArchiveRefused(f"{name} has a column {strange[0]!r}, which its revision lacks.")
    return table.with_columns(columns)


def _in_batches(lines: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if len(batch) == _ROWS_AT_ONCE or size > _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
