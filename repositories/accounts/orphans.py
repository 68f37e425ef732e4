"""Schemas, roles and bells without a shop."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, text

from models.accounts.tenants import Tenant, TenantBell, TenantStatus
from models.base import VERSION_TABLE
from repositories.accounts.tenant_life import SchemaRemoval, TenantLifeRepository
from repositories.accounts.tenant_survey import SENTINEL_TABLE
from shared.database import Database, PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier
from shared.errors import Conflict

_TABLES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'm')"
    " AND c.relname NOT IN (:sentinel, :version) ORDER BY 1"
)

_STRANGERS = text(
    "SELECT DISTINCT o.rolname FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid"
    " JOIN pg_roles o ON o.oid IN (n.nspowner, c.relowner)"
    " WHERE n.nspname = :schema AND NOT pg_has_role(o.oid, 'USAGE') ORDER BY 1"
)

_MEMBERS = text(
    "SELECT DISTINCT u.rolname FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member"
    " JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = :group"
    " AND starts_with(u.rolname, replace(g.rolname, '_tenants', '_user_')) ORDER BY 1"
)
_OWNING = text(
    "SELECT DISTINCT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
    " WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'"
    " AND r.rolname = ANY (:names) ORDER BY 1"
)


class OrphanRepository:
    """Looks into schemas without a shop and drops them, in the transaction of the caller."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database

    def tables_with_rows(self, tenant: TenantSchema) -> Sequence[str]:
        """Names of its tables that are not empty, apart from what each schema is made with."""
        names = {"schema": tenant.name, "sentinel": SENTINEL_TABLE, "version": VERSION_TABLE}
        return [
            table
            for table in self._session.scalars(_TABLES, names).all()
            if self._has_rows(tenant, table)
        ]

    def require_access(self, tenant: TenantSchema) -> None:
        """Raises `Conflict` when the login may not act for somebody who owns a part of it."""
        strangers = self._session.scalars(_STRANGERS, {"schema": tenant.name}).all()
        if strangers:
            raise Conflict(
                f"Schema {tenant} or a table in it belongs to {', '.join(strangers)}, and this"
                " login may not act for it: have it dropped by a login that may."
            )

    def drop(self, tenant: TenantSchema, *, with_rows: bool) -> bool:
        """Drop schema and role; False, and nothing is done, when it is no orphan any more.

        Unless `with_rows`, a schema that holds rows by now is no orphan either.
        """
        shop = TenantLifeRepository(self._session).lock(tenant)
        if shop is not None and shop.status is not TenantStatus.HIBERNATED:
            return False
        if not with_rows and self.tables_with_rows(tenant):
            return False
        SchemaRemoval(self._session, self._database).drop(tenant)
        return True

    def take_down_lonely_bells(self) -> None:
        """Delete bells of tenants that have no row."""
        self._session.execute(
            delete(TenantBell).where(~exists().where(Tenant.id == TenantBell.tenant_id))
        )

    def roles_of(self, group: str) -> Sequence[str]:
        """A group's members, then the group."""
        return [*self._session.scalars(_MEMBERS, {"group": group}), group]

    def drop_former(self, roles: Sequence[str]) -> None:
        """Drop roles that own nothing any more, with what they may do here.

        Raises `Conflict` when one of them owns something.
        """
        owning = self._session.scalars(_OWNING, {"names": list(roles)}).all()
        if owning:
            raise Conflict(
                f"{', '.join(owning[:3])} still own something in this database or another:"
                " 'stoflow tenants mend' first."
            )
        removal = SchemaRemoval(self._session, self._database)
        for role in roles:
            removal.drop_role(role)

    def _has_rows(self, tenant: TenantSchema, table: str) -> bool:
        place = f"{tenant.quoted}.{quote_identifier(table)}"
        found = self._session.connection().exec_driver_sql(
            f"SELECT EXISTS (SELECT FROM {place})",  # noqa: S608 - quoted identifiers
            execution_options={"no_parameters": True},
        )
        return bool(found.scalar())
