"""Roles of shops, what they own, who else may touch it: found for all, made right one by one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text, update

from models.accounts.tenants import Tenant
from repositories.accounts.tenant_survey import SENTINEL_TABLE, ShopCondition
from shared.database import Database, PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier

_MISOWNED = text(
    r"""
    WITH shops AS (
        SELECT n.oid, n.nspname, n.nspowner,
               (SELECT oid FROM pg_roles
                WHERE rolname = CAST(:prefix || substring(n.nspname FROM 6) AS name)) AS role
        FROM pg_namespace n WHERE n.nspname = ANY (:names)
    )
    SELECT nspname, 'SCHEMA', '', pg_get_userbyid(nspowner)
    FROM shops WHERE nspowner IS DISTINCT FROM role
    UNION ALL
    SELECT s.nspname,
           CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
           c.relname, pg_get_userbyid(c.relowner)
    FROM shops s JOIN pg_class c ON c.relnamespace = s.oid
    WHERE c.relkind IN ('r', 'p', 'S', 'v', 'm') AND c.relowner IS DISTINCT FROM s.role
      -- A sequence goes with the table whose column owns it.
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
    ORDER BY 1"""
)

_FOREIGN_RIGHTS = text(
    r"""
    SELECT n.nspname, 'SCHEMA', '', coalesce(r.rolname, '')
    FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) g
    LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE n.nspname = ANY (:names) AND g.grantee <> n.nspowner
      AND r.rolname IS DISTINCT FROM CAST(:prefix || substring(n.nspname FROM 6) AS name)
    UNION
    SELECT n.nspname, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname,
           coalesce(r.rolname, '')
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
    CROSS JOIN LATERAL (
        SELECT grantee FROM aclexplode(c.relacl)
        UNION
        SELECT x.grantee FROM pg_attribute a CROSS JOIN aclexplode(a.attacl) x
        WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
    ) g
    LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE n.nspname = ANY (:names) AND g.grantee <> c.relowner
      AND r.rolname IS DISTINCT FROM CAST(:prefix || substring(n.nspname FROM 6) AS name)
    ORDER BY 1"""
)

_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that is wrong with a shop's role or with what it owns, and the SQL against it."""

    says: str
    sql: str
    about_role: bool = False


class OwnershipRepository:
    """Finds what a shop's role lacks and makes it right in the caller's transaction."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database

    def repairs(self, shops: Sequence[ShopCondition]) -> Mapping[TenantSchema, Sequence[Repair]]:
        """For each shop that needs any, in order: role, memberships, owners, rights of others.

        They take rights from others, never a table or a row from anybody.
        """
        superuser = bool(self._session.scalar(_IS_SUPERUSER))
        found: dict[TenantSchema, list[Repair]] = defaultdict(list)
        for shop in shops:
            found[shop.tenant] += self._role(shop, superuser)
        asked = {
            "prefix": f"{self._database.name}_user_",
            "names": [shop.tenant.name for shop in shops],
        }
        misowned = self._session.execute(_MISOWNED, asked)
        # Whoever is to own a table must be allowed to create in its schema: the schema goes first.
        for schema, kind, name, owner in sorted(
            misowned, key=lambda row: (row[1] != "SCHEMA", *row)
        ):
            tenant = TenantSchema.parse(schema)
            role = quote_identifier(self._database.role_of(tenant))
            sql = f"ALTER {kind} {_place(tenant, name)} OWNER TO {role}"
            found[tenant].append(Repair(f"{_thing(kind, name)} belongs to {owner}", sql))
        for schema, kind, name, grantee in self._session.execute(_FOREIGN_RIGHTS, asked):
            tenant = TenantSchema.parse(schema)
            whose = quote_identifier(grantee) if grantee else "PUBLIC"
            sql = f"REVOKE ALL ON {kind} {_place(tenant, name)} FROM {whose}"
            says = f"{grantee or 'everybody'} has rights on {_thing(kind, name)}"
            found[tenant].append(Repair(says, sql))
        return {tenant: repairs for tenant, repairs in found.items() if repairs}

    def carry_out(self, statements: Sequence[str]) -> None:
        """Run repairs of one shop. Raises what the database says; then roll back."""
        self._session.connection().exec_driver_sql(
            "; ".join(["SET LOCAL lock_timeout = '5s'", *statements]),
            execution_options={"no_parameters": True},
        )

    def set_version(self, tenant: TenantSchema, seen: str, actual: str) -> None:
        """Let the shop's row say at which revision its schema is, unless it changed meanwhile."""
        self._session.execute(
            update(Tenant)
            .where(Tenant.id == tenant.tenant_id, Tenant.schema_version == seen)
            .values(schema_version=actual)
        )

    def _role(self, shop: ShopCondition, superuser: bool) -> list[Repair]:
        name = self._database.role_of(shop.tenant)
        role, group = quote_identifier(name), quote_identifier(f"{self._database.name}_tenants")
        joining, entering = f"GRANT {group} TO {role}", f"GRANT {role} TO CURRENT_USER"
        if not shop.has_role:
            made = [f"CREATE ROLE {role} NOLOGIN", joining, *([] if superuser else [entering])]
            return [Repair(f"role {name} is missing", "; ".join(made), about_role=True)]
        found = []
        if shop.role_is_mighty:
            less = f"ALTER ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS"
            found.append((f"role {name} may log in or pass row-level security", less))
        if not shop.ours and not superuser:
            found.append((f"the platform's login is not a member of role {name}", entering))
        if not shop.in_group:
            found.append((f"role {name} is not in the group of all shops' roles", joining))
        return [Repair(says, sql, about_role=True) for says, sql in found]


def sentinel_again(tenant: TenantSchema) -> str:
    """SQL that gives an empty sentinel table its row."""
    return (
        f"INSERT INTO {tenant.quoted}.{SENTINEL_TABLE} (tenant_id)"  # noqa: S608 - a number
        f" VALUES ({tenant.tenant_id})"
    )


def _thing(kind: str, name: str) -> str:
    return f"{kind.lower()} {name}".strip()


def _place(tenant: TenantSchema, name: str) -> str:
    return f"{tenant.quoted}.{quote_identifier(name)}" if name else tenant.quoted
