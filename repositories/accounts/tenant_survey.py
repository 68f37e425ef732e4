"""How all shops and the roles behind them stand, in a query each: for whoever looks after them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from models.accounts.tenants import TenantStatus
from models.base import VERSION_TABLE
from models.selling.sentinel import TenantSentinel
from shared.database import TEMPLATE_SCHEMA, Database, PlatformSession, TenantSchema

SENTINEL_TABLE = TenantSentinel.__tablename__
_SCHEMAS_A_QUERY = 500

_SHOPS = text(
    r"""
    WITH named AS (
        SELECT substring(nspname FROM 6)::bigint AS id, oid FROM pg_namespace
        WHERE nspname ~ '^user_[1-9][0-9]{0,17}$'
    ), roles AS (
        SELECT substring(rolname FROM length(:prefix) + 1)::bigint AS id, oid,
               rolcanlogin OR rolsuper OR rolbypassrls AS mighty
        FROM pg_roles
        WHERE starts_with(rolname, :prefix)
          AND substring(rolname FROM length(:prefix) + 1) ~ '^[1-9][0-9]{0,17}$'
    ), members AS (
        SELECT DISTINCT m.member FROM pg_auth_members m
        JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = :group
    )
    SELECT coalesce(t.id, n.id, r.id), t.status, t.schema_version, t.migration_error,
           t.status_changed_at, t.drop_after, n.oid IS NOT NULL, r.oid IS NOT NULL,
           coalesce(r.mighty, false), m.member IS NOT NULL,
           r.oid IS NOT NULL AND pg_has_role(r.oid, 'USAGE')
    FROM public.tenants t
    FULL JOIN named n ON n.id = t.id
    FULL JOIN roles r ON r.id = coalesce(t.id, n.id)
    LEFT JOIN members m ON m.member = r.oid
    ORDER BY 1"""
)

_WITH_TABLES = text(
    r"""
    SELECT n.nspname, bool_or(c.relname = :sentinel), bool_or(c.relname = :version),
           bool_or(EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid AND l.granted
                           AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()))
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
    WHERE n.nspname = ANY (:names) AND c.relname IN (:sentinel, :version) AND c.relkind = 'r'
    GROUP BY n.nspname"""
)

_LONELY_BELLS = text(
    "SELECT DISTINCT tenant_id FROM public.tenant_bells b"
    " WHERE NOT EXISTS (SELECT FROM public.tenants t WHERE t.id = b.tenant_id) ORDER BY 1"
)

_NO_ROW_SECURITY = text(
    """
    SELECT c.relname FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    WHERE c.relkind IN ('r', 'p')
      AND (NOT c.relrowsecurity OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
      AND (EXISTS (SELECT FROM aclexplode(c.relacl) g JOIN pg_roles r ON r.oid = g.grantee
                   WHERE r.rolname = :group)
           OR EXISTS (SELECT FROM pg_attribute a, aclexplode(a.attacl) g
                      JOIN pg_roles r ON r.oid = g.grantee
                      WHERE a.attrelid = c.oid AND r.rolname = :group))
    ORDER BY 1"""
)

_FORMER_GROUPS = text(
    r"""
    SELECT DISTINCT r.rolname FROM pg_namespace n, aclexplode(n.nspacl) g
    JOIN pg_roles r ON r.oid = g.grantee
    WHERE n.nspname = 'product_attributes' AND r.rolname LIKE '%\_tenants' AND r.rolname <> :group
      AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datname || '_tenants' = r.rolname)
    ORDER BY 1"""
)

_BLOATED = text(
    """
    SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_sys_tables
    WHERE schemaname = 'pg_catalog' AND n_dead_tup > :least AND n_dead_tup > n_live_tup
    ORDER BY n_dead_tup DESC"""
)

_LOGIN = text("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")

_TEMPLATE_AT = text(f"SELECT version_num FROM {TEMPLATE_SCHEMA}.{VERSION_TABLE}")  # noqa: S608 - names of ours, quoted


@dataclass(frozen=True, slots=True)
class ShopCondition:
    """What is there of a shop: row, schema, role. `status` is None where there is no row."""

    tenant: TenantSchema
    status: TenantStatus | None
    version: str | None
    migration_error: str | None
    status_changed_at: datetime | None
    drop_after: datetime | None
    has_schema: bool
    has_role: bool
    role_is_mighty: bool
    """It may log in, or passes row-level security."""
    in_group: bool
    ours: bool
    """The platform's login is a member of the role."""

    @property
    def is_known(self) -> bool:
        """Whether `public.tenants` says that this shop has a schema."""
        return self.status not in (None, TenantStatus.HIBERNATED)


@dataclass(frozen=True, slots=True)
class SchemaSays:
    """What a schema says of itself; None where the table or its row is missing."""

    sentinels: tuple[int, ...] | None
    version: str | None


class TenantSurvey:
    """Reads only; a few queries, however many shops there are."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database
        self._group = {"group": f"{database.name}_tenants"}

    def shops(self) -> Sequence[ShopCondition]:
        """Everything that is, or looks like, a shop of this database."""
        names = {"prefix": f"{self._database.name}_user_", **self._group}
        return [
            ShopCondition(TenantSchema(number), status and TenantStatus(status), *rest)
            for number, status, *rest in self._session.execute(_SHOPS, names)
        ]

    def template_version(self) -> str | None:
        """The revision of the blueprint schema."""
        version: str | None = self._session.scalar(_TEMPLATE_AT)
        return version

    def say_themselves(
        self, tenants: Sequence[TenantSchema]
    ) -> Mapping[TenantSchema, SchemaSays | None]:
        """Sentinel and revision that the schemas hold; None for one that is being altered."""
        found: dict[TenantSchema, SchemaSays | None] = {}
        for start in range(0, len(tenants), _SCHEMAS_A_QUERY):
            found |= self._asked(tenants[start : start + _SCHEMAS_A_QUERY])
        return found

    def lonely_bells(self) -> Sequence[int]:
        """Numbers of tenants that have bells and no row."""
        return self._session.scalars(_LONELY_BELLS).all()

    def without_row_security(self) -> Sequence[str]:
        """Tables of `public` that shops may touch without being held to their own rows."""
        return self._session.scalars(_NO_ROW_SECURITY, self._group).all()

    def former_groups(self) -> Sequence[str]:
        """Groups with rights here that carry the name of a database that is no more."""
        return self._session.scalars(_FORMER_GROUPS, self._group).all()

    def bloated_catalogs(self, least: int) -> Sequence[tuple[str, int, int]]:
        """Catalogs with more dead than live rows, and more than `least`: name, live, dead."""
        rows = self._session.execute(_BLOATED, {"least": least})
        return [(name, live, dead) for name, live, dead in rows]

    def login(self) -> tuple[str, bool]:
        """The platform's own login, and whether it is a superuser."""
        name, superuser = self._session.execute(_LOGIN).one()
        return str(name), bool(superuser)

    def _asked(self, tenants: Sequence[TenantSchema]) -> dict[TenantSchema, SchemaSays | None]:
        names = {
            "names": [tenant.name for tenant in tenants],
            "sentinel": SENTINEL_TABLE,
            "version": VERSION_TABLE,
        }
        there = {name: rest for name, *rest in self._session.execute(_WITH_TABLES, names)}
        found: dict[TenantSchema, SchemaSays | None] = {}
        questions = []
        for tenant in tenants:
            sentinel, version, altered = there.get(tenant.name, (False, False, False))
            if altered:
                found[tenant] = None
            else:
                questions.append(_question(tenant, sentinel, version))
        if questions:
            found |= self._answers(questions)
        return found

    def _answers(self, questions: Iterable[str]) -> dict[TenantSchema, SchemaSays]:
        connection = self._session.connection()
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'")
        rows = connection.exec_driver_sql(" UNION ALL ".join(questions))
        return {
            TenantSchema(number): SchemaSays(None if ids is None else tuple(ids), version)
            for number, ids, version in rows
        }


def _question(tenant: TenantSchema, sentinel: bool, version: bool) -> str:
    """A row that says what the schema holds; made of a number and our own names."""
    ids = version_num = "NULL"
    if sentinel:
        ids = f"ARRAY(SELECT tenant_id FROM {tenant.quoted}.{SENTINEL_TABLE})"  # noqa: S608 - names of ours, quoted
    if version:
        version_num = f"(SELECT version_num FROM {tenant.quoted}.{VERSION_TABLE})"  # noqa: S608 - names of ours, quoted
    return f"SELECT {tenant.tenant_id}::bigint, {ids}::bigint[], {version_num}::text"
