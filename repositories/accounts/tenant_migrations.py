"""Moves the schemas of existing shops from revision to revision, and keeps the record of it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, func, select, text, update

from models.accounts.tenants import ASLEEP, Tenant
from repositories.accounts.tenants import TenantSchemaRepository
from shared.database import Database, PlatformSession, TenantSchema

LOCK_TIMEOUT = "1s"
"""How long a statement waits for a table that the shop is using: whoever comes later waits too."""

_TAKE = text(
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0;"  # noqa: S608 - a constant of ours
    " UPDATE public.tenants"
    " SET schema_version = :until, migration_error = NULL, migration_failed_at = NULL"
    " WHERE id = :tenant AND schema_version = :since AND NOT status = ANY(:asleep)"
    " RETURNING id"
)


class SchemaStep(Protocol):
    """One revision, up or down; its statements name no schema."""

    @property
    def since(self) -> str: ...
    @property
    def until(self) -> str: ...
    @property
    def statements(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> Callable[[Connection], None] | None: ...
    @property
    def rows_first(self) -> bool: ...


class TenantMigrationRepository:
    """What a run over all shops asks and does, in the transaction of the caller."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database

    def at(
        self, revisions: Collection[str], only: Collection[TenantSchema] = ()
    ) -> Sequence[tuple[TenantSchema, str]]:
        """Shops with a schema at one of `revisions`, oldest first; of all, or of those named."""
        query = select(Tenant.id, Tenant.schema_version).where(
            Tenant.schema_version.in_(revisions), Tenant.status.not_in(ASLEEP)
        )
        if only:
            query = query.where(Tenant.id.in_([tenant.tenant_id for tenant in only]))
        rows = self._session.execute(query.order_by(Tenant.id))
        return [(TenantSchema(tenant_id), version) for tenant_id, version in rows]

    def revisions(self) -> dict[str, int]:
        """How many shops with a schema are at which revision."""
        rows = self._session.execute(
            select(Tenant.schema_version, func.count())
            .where(Tenant.status.not_in(ASLEEP))
            .group_by(Tenant.schema_version)
            .order_by(Tenant.schema_version)
        )
        return dict(rows.tuples().all())

    def unknown(self, tenants: Collection[TenantSchema]) -> list[TenantSchema]:
        """Those of `tenants` that do not exist."""
        wanted = {tenant.tenant_id: tenant for tenant in tenants}
        found = self._session.scalars(select(Tenant.id).where(Tenant.id.in_(wanted)))
        return sorted(wanted[tenant_id] for tenant_id in wanted.keys() - set(found))

    def move(self, tenant: TenantSchema, steps: Sequence[SchemaStep]) -> bool:
        """Take the shop and apply `steps` to it.

        False, and nothing done, when the shop is no longer where the first step begins, or is
        asleep: somebody else was here. Raises what the database or a step on rows raises; then
        roll back.
        """
        if not self._take(tenant, steps[0].since, steps[-1].until):
            return False
        schemas = TenantSchemaRepository(self._session, self._database)
        for statements, rows in _in_batches(steps):
            if statements:
                schemas.run_inside(tenant, statements)
            if rows is not None:
                schemas.act_inside(tenant, rows)
        return True

    def note_failure(self, tenant: TenantSchema, revision: str, reason: str, at: datetime) -> None:
        """Record why the shop was left at `revision`, unless it has moved since."""
        self._session.execute(
            update(Tenant)
            .where(Tenant.id == tenant.tenant_id, Tenant.schema_version == revision)
            .values(migration_error=reason, migration_failed_at=at)
        )

    def _take(self, tenant: TenantSchema, since: str, until: str) -> bool:
        names = {
            "tenant": tenant.tenant_id,
            "since": since,
            "until": until,
            "asleep": [status.value for status in ASLEEP],
        }
        return self._session.execute(_TAKE, names).one_or_none() is not None


Batch = tuple[list[str], Callable[[Connection], None] | None]


def _in_batches(steps: Sequence[SchemaStep]) -> Iterator[Batch]:
    """Statements that can run together, each time with the step on rows that follows them."""
    waiting: list[str] = []
    for step in steps:
        if step.rows is None:
            waiting += step.statements
        elif step.rows_first:
            yield waiting, step.rows
            waiting = [*step.statements]
        else:
            yield [*waiting, *step.statements], step.rows
            waiting = []
    yield waiting, None
