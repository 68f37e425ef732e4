"""A shop's row as it goes through its life, and what goes with a shop that is taken away."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, or_, select, text, update

from models.accounts.call_budgets import CallBudget
from models.accounts.identity import AuthSession, User
from models.accounts.tenants import Tenant, TenantBell, TenantStatus
from models.registry import PLATFORM_METADATA
from shared.database import Database, PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier

_OLDER_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity AS a"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < :moment"
    " AND EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid"
    " AND l.locktype = 'relation' AND l.relation = 'public.tenants'::regclass)"
)
"""Every transaction of a shop has looked at `public.tenants` first, and holds that until its end; a
worker that leads keeps a transaction open for hours which never did."""
_RESERVED_ACCOUNT = text("SELECT nextval(pg_get_serial_sequence('public.users', 'id'))")


class TenantLifeRepository:
    """Rows of `public.tenants`, for whoever changes what a shop is.

    Lock order: the shop's row, its tables, its bells.
    """

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def lock(self, tenant: TenantSchema) -> Tenant | None:
        """The shop as it is now, its row locked until the commit."""
        return self._session.scalar(
            select(Tenant)
            .where(Tenant.id == tenant.tenant_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def set_status(
        self, tenant: Tenant, status: TenantStatus, at: datetime, because: str | None = None
    ) -> None:
        """Change what a shop is, and say why; the row must be locked."""
        tenant.status = status
        tenant.status_because = because
        tenant.status_changed_at = at
        self._session.flush()

    def idle_since(self, moment: datetime) -> Sequence[TenantSchema]:
        """Shops, oldest first, without work, whose owners did not sign in after `moment`.

        A sign-in counts until its last refresh token has expired. Shops whose hibernation was
        broken off belong to it.
        """
        came = exists().where(AuthSession.user_id == Tenant.id, AuthSession.expires_at > moment)
        works = exists().where(TenantBell.tenant_id == Tenant.id)
        unchanged_since = func.coalesce(Tenant.status_changed_at, Tenant.created_at)
        ids = self._session.scalars(
            select(Tenant.id)
            .where(
                or_(
                    Tenant.status == TenantStatus.HIBERNATING,
                    and_(Tenant.status == TenantStatus.ACTIVE, unchanged_since < moment),
                ),
                ~came,
                ~works,
            )
            .order_by(Tenant.id)
        )
        return [TenantSchema(tenant_id) for tenant_id in ids]

    def to_be_dropped(self, now: datetime) -> Sequence[tuple[Tenant, str]]:
        """Retired shops whose grace period is over, with the owners' addresses."""
        rows = self._session.execute(
            select(Tenant, User.email)
            .join(User, User.id == Tenant.id)
            .where(Tenant.status == TenantStatus.RETIRED, Tenant.drop_after <= now)
            .order_by(Tenant.id)
        )
        return [(tenant, email) for tenant, email in rows]

    def end_sign_ins(self, tenant: TenantSchema, because: str, at: datetime) -> None:
        """Revoke every sign-in of the owner."""
        self._session.execute(
            update(AuthSession)
            .where(AuthSession.user_id == tenant.tenant_id, AuthSession.revoked_at.is_(None))
            .values(revoked_at=at, revoked_because=because)
        )

    def take_down_bells(self, tenant: TenantSchema) -> None:
        """No worker looks there any more."""
        self._session.execute(delete(TenantBell).where(TenantBell.tenant_id == tenant.tenant_id))

    def now(self) -> datetime:
        """The database's own time, which its transactions are stamped with."""
        found: datetime = self._session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found

    def transactions_older_than(self, moment: datetime) -> int:
        """How many transactions began before, may be in a shop, and are not over."""
        return int(self._session.scalar(_OLDER_TRANSACTIONS, {"moment": moment}) or 0)

    def reserve_account(self) -> int:
        """A number that no account has or will be given."""
        return int(self._session.execute(_RESERVED_ACCOUNT).scalar_one())

    def forget(self, tenant: TenantSchema) -> None:
        """Delete the shop's and its owner's rows in every shared table."""
        for table in PLATFORM_METADATA.tables.values():
            if table.schema == "public" and "tenant_id" in table.columns:
                self._session.execute(delete(table).where(table.c.tenant_id == tenant.tenant_id))
        own = or_(
            CallBudget.account == tenant.name,
            CallBudget.account.startswith(f"{tenant.name}/", autoescape=True),
        )
        self._session.execute(delete(CallBudget).where(own))
        self._session.execute(delete(Tenant).where(Tenant.id == tenant.tenant_id))
        self._session.execute(delete(User).where(User.id == tenant.tenant_id))


class SchemaRemoval:
    """Takes schemas and roles away, in the transaction of the caller."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database

    def drop(self, tenant: TenantSchema) -> None:
        """Drop schema and role with all that they own; no error when they are gone."""
        statements = [
            "SET LOCAL statement_timeout = '15min'",
            f"DROP SCHEMA IF EXISTS {tenant.quoted} CASCADE",
        ]
        for statement in statements:
            self._session.connection().exec_driver_sql(
                statement, execution_options={"no_parameters": True}
            )
        role = self._database.role_of(tenant)
        known = self._session.scalar(
            text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
        )
        if known:
            self.drop_role(role)

    def drop_role(self, role: str) -> None:
        """Drop a role with what it may do here; a login that is no superuser joins it first."""
        quoted = quote_identifier(role)
        statements = [f"DROP OWNED BY {quoted}", f"DROP ROLE {quoted}"]
        if not self._session.scalar(text("SELECT pg_has_role(:role, 'USAGE')"), {"role": role}):
            statements.insert(0, f"GRANT {quoted} TO CURRENT_USER")
        for statement in statements:
            self._session.connection().exec_driver_sql(
                statement, execution_options={"no_parameters": True}
            )
