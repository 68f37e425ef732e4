"""Two session types. Which tables resolve is decided where a transaction begins, every time.

A `PlatformSession` sees the shared schemas. A `TenantSession` sees them and one tenant's tables:
each transaction it begins starts with one string of literal `SET LOCAL`, so the binding holds
after commit, after rollback and in savepoints, and the pooled connection comes back clean.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from psycopg2.extensions import TRANSACTION_STATUS_INERROR
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from shared.database.outages import behind, lacks_something
from shared.database.retirement import note_tenant
from shared.database.statements import GUARDED
from shared.database.tenant_schema import TenantSchema, quote_identifier
from shared.errors import SignedOut, StoflowError, TenantUnavailable

_UNDEFINED_ROLE = "22023"
"""SQLSTATE of SET ROLE to a role that does not exist."""


class WrongSchema(RuntimeError):
    """A transaction met another tenant's sentinel, or left its tenant: a bug; nothing is kept."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """On whose behalf a session works: each of its transactions asks whether that still holds."""

    user_id: int
    session_id: UUID

    @property
    def holds_sql(self) -> str:
        """A scalar subquery: true unless the sign-in was ended."""
        mine = f"id = '{self.session_id}' AND user_id = {self.user_id:d}"
        # Made of a UUID and a number.
        return f"(SELECT revoked_at IS NULL FROM public.auth_sessions WHERE {mine})"  # noqa: S608 - a number and a UUID


class PlatformSession(Session):
    """A session on the shared schemas; a tenant's tables do not resolve."""

    def __init__(
        self, *, set_local_sql: str = "", sign_in: SignIn | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.set_local_sql = set_local_sql
        self.sign_in = sign_in

    def bind_transaction(self, connection: Connection) -> None:
        """Called once at each begin of a top-level transaction. Raises `SignedOut`."""
        if not self.set_local_sql:
            return
        found = connection.exec_driver_sql(self.set_local_sql)
        if found.returns_rows and not found.scalar():
            raise SignedOut


class TenantSession(PlatformSession):
    """A session on one tenant's schema, under that tenant's role."""

    def __init__(
        self, *, tenant: TenantSchema, at_home: tuple[str | None, str] | None = None, **options: Any
    ) -> None:
        """`at_home`: role and search_path that a commit must still find; None: not looked at."""
        super().__init__(**options)
        self.tenant = tenant
        self._at_home = at_home
        self._bound: Connection | None = None
        self.when_bound: Callable[[Connection], None] | None = None
        """Called at the end of each begin, in the thread and on the connection of that begin."""

    def bind_transaction(self, connection: Connection) -> None:
        """Bind search_path, tenant id and role; check the shop and the sign-in: one round trip.

        Raises `TenantUnavailable` for an unknown, suspended or retired tenant, `SignedOut` when
        the sign-in it works for was ended.
        """
        note_tenant(connection, self.tenant)
        try:
            found = connection.exec_driver_sql(self.set_local_sql).one_or_none()
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) == _UNDEFINED_ROLE:
                raise self._why_there_is_no_role(connection) from None
            if lacks_something(error):
                raise behind() from error
            raise
        status, signed_in, at_home = found or (None, True, True)
        if not at_home:
            raise WrongSchema(f"bound to {self.tenant}, but the schema belongs to another tenant")
        if not signed_in:
            raise SignedOut
        if status != "active":
            raise TenantUnavailable(
                "There is no such shop." if status is None else f"This shop is {status}."
            )
        connection.execution_options(**GUARDED)
        self._bound = connection
        if self.when_bound is not None:
            self.when_bound(connection)

    def _why_there_is_no_role(self, connection: Connection) -> StoflowError:
        """A shop that sleeps has none; then it is its owner, signed out meanwhile, who asks."""
        # The transaction has failed, and the caller ends it.
        connection.connection.rollback()
        signed_in = "true" if self.sign_in is None else self.sign_in.holds_sql
        found = connection.exec_driver_sql(
            f"SELECT status, {signed_in} FROM public.tenants WHERE id = {self.tenant.tenant_id}"  # noqa: S608 - a number and a UUID
        ).one_or_none()
        if found is None:
            return TenantUnavailable("There is no such shop.")
        status, signed_in_still = found
        if not signed_in_still:
            return SignedOut()
        return TenantUnavailable(
            "This shop has lost its role." if status == "active" else f"This shop is {status}."
        )

    def refuse_if_moved(self) -> None:
        """Raises `WrongSchema` when the transaction is no longer the tenant's."""
        bound = self._bound
        if self._at_home is None or bound is None or bound.closed or _has_failed(bound):
            return
        with closing(bound.connection.cursor()) as cursor:
            cursor.execute(
                "SELECT nullif(current_user, session_user), current_setting('search_path')"
            )
            if (found := cursor.fetchone()) != self._at_home:
                raise WrongSchema(f"began as {self._at_home}, would commit as {found}")


@event.listens_for(PlatformSession, "after_begin", propagate=True)
def _bind_each_transaction(
    session: PlatformSession, transaction: SessionTransaction, connection: Connection
) -> None:
    if not transaction.nested:
        session.bind_transaction(connection)


@event.listens_for(TenantSession, "before_commit", propagate=True)
def _refuse_if_moved(session: TenantSession) -> None:
    session.refuse_if_moved()


def _has_failed(connection: Connection) -> bool:
    """Whether PostgreSQL would answer a commit with a rollback."""
    status = connection.connection.dbapi_connection.info.transaction_status  # type: ignore[union-attr]
    return bool(status == TRANSACTION_STATUS_INERROR)


class Database:
    """Opens sessions on one engine.

    `tenant_roles` off means search_path isolation only, as on Citus (see docs/adr). With
    `check_sentinel` each tenant transaction also reads the schema's sentinel, looks at its commit
    whether it is still the tenant's, and raises `WrongSchema` otherwise: test mode.
    """

    statement_timeout: ClassVar[str] = "30s"
    idle_timeout: ClassVar[str] = "60s"

    def __init__(
        self, engine: Engine, *, tenant_roles: bool = True, check_sentinel: bool = False
    ) -> None:
        assert engine.url.database is not None
        self.engine = engine
        self.name = engine.url.database
        self.tenant_roles = tenant_roles
        self.check_sentinel = check_sentinel

    def role_of(self, tenant: TenantSchema) -> str:
        """The role that owns this tenant's schema."""
        return tenant.role_in(self.name)

    def platform_session(
        self, sign_in: SignIn | None = None, *, hurried: bool = True
    ) -> PlatformSession:
        """A session on the shared schemas; the caller begins, commits and closes.

        `hurried` off lifts the limits of time, for what changes or copies whole tables.
        """
        settings = [*self._limits] if hurried else []
        if sign_in is not None:
            settings.append(f"SELECT {sign_in.holds_sql}")
        return PlatformSession(
            set_local_sql="; ".join(settings),
            sign_in=sign_in,
            bind=self.engine,
            expire_on_commit=False,
        )

    def tenant_session(
        self,
        tenant: TenantSchema,
        sign_in: SignIn | None = None,
        *,
        lock_timeout: timedelta | None = None,
    ) -> TenantSession:
        """A session on one tenant; the caller begins, commits and closes.

        `lock_timeout` bounds the wait for each lock; else only the whole statement is bounded.
        """
        binding = self._binding_sql(tenant, sign_in)
        if lock_timeout is not None:
            milliseconds = int(lock_timeout.total_seconds() * 1000)
            binding = f"SET LOCAL lock_timeout = {milliseconds:d}; {binding}"
        return TenantSession(
            tenant=tenant,
            at_home=self._at_home(tenant) if self.check_sentinel else None,
            set_local_sql=binding,
            sign_in=sign_in,
            bind=self.engine,
            expire_on_commit=False,
        )

    @contextmanager
    def platform(
        self, sign_in: SignIn | None = None, *, hurried: bool = True
    ) -> Iterator[PlatformSession]:
        """One transaction on the shared schemas: committed at the end, rolled back on an error."""
        with self.platform_session(sign_in, hurried=hurried) as session, session.begin():
            yield session

    @contextmanager
    def tenant(
        self, tenant: TenantSchema, sign_in: SignIn | None = None
    ) -> Iterator[TenantSession]:
        """One transaction of one tenant: committed at the end, rolled back on an error."""
        with self.tenant_session(tenant, sign_in) as session, session.begin():
            yield session

    @property
    def _limits(self) -> tuple[str, str]:
        return (
            f"SET LOCAL statement_timeout = '{self.statement_timeout}'",
            f"SET LOCAL idle_in_transaction_session_timeout = '{self.idle_timeout}'",
        )

    def _at_home(self, tenant: TenantSchema) -> tuple[str | None, str]:
        role = self.role_of(tenant) if self.tenant_roles else None
        return role, f"{tenant.name}, public, pg_temp"

    def _binding_sql(self, tenant: TenantSchema, sign_in: SignIn | None) -> str:
        settings = [
            *self._limits,
            f"SET LOCAL search_path TO {tenant.quoted}, public, pg_temp",
            f"SET LOCAL stoflow.tenant_id = '{tenant.tenant_id}'",
        ]
        if self.tenant_roles:
            settings.append(f"SET LOCAL ROLE {quote_identifier(self.role_of(tenant))}")
        signed_in = "true" if sign_in is None else sign_in.holds_sql
        at_home = "true"
        if self.check_sentinel:
            at_home = f"(SELECT tenant_id FROM tenant_sentinel) = {tenant.tenant_id}"  # noqa: S608 - a number and a UUID
        settings.append(
            f"SELECT status, {signed_in}, {at_home}"  # noqa: S608 - made of numbers and a UUID
            f" FROM public.tenants WHERE id = {tenant.tenant_id}"
        )
        return "; ".join(settings)
