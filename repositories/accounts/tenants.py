"""Tenants, their schemas and roles, and the bells that tell workers where work is due."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from models.accounts.tenants import BLUEPRINT_LOCK, Tenant, TenantBlueprint, TenantStatus
from shared.database import Database, PlatformSession, TenantSchema
from shared.database.retirement import note_tenant
from shared.database.tenant_schema import quote_identifier
from shared.errors import SchemaCreationError

_SURVEY = text(
    "SELECT pg_advisory_xact_lock_shared(:lock);"
    " SELECT EXISTS (SELECT FROM public.tenants WHERE id = :tenant),"
    " (SELECT revision FROM public.tenant_blueprints WHERE is_current),"
    " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
    " EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"
)
"""Two statements, so that the second sees what was committed while the first waited."""

_NOT_ACTIVE = text(
    "SELECT asked.id FROM unnest(CAST(:ids AS bigint[])) AS asked (id)"
    " WHERE NOT EXISTS (SELECT FROM public.tenants AS open"
    " WHERE open.id = asked.id AND open.status = :active)"
).columns(id=BigInteger)


@dataclass(frozen=True, slots=True)
class BuildingSite:
    """What there is before a schema is made."""

    tenant: TenantSchema
    is_known: bool
    """There is a row of this tenant."""
    blueprint: str | None
    """The revision at which shops are made now; None where none was ever recorded."""
    login_is_superuser: bool
    role_exists: bool


class TenantRepository:
    """Rows of `public.tenants` and the schemas behind them."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add(self, tenant: Tenant) -> None:
        """Store a new tenant."""
        self._session.add(tenant)
        self._session.flush()

    def not_active(self, tenants: Collection[TenantSchema]) -> frozenset[TenantSchema]:
        """Those of these shops that may not be used at the moment."""
        asked = {
            "ids": [each.tenant_id for each in tenants],
            "active": TenantStatus.ACTIVE.value,
        }
        ids = self._session.scalars(_NOT_ACTIVE, asked)
        return frozenset(map(TenantSchema, ids))

    def get(self, tenant_id: int) -> Tenant | None:
        """One tenant, whatever its status."""
        return self._session.get(Tenant, tenant_id)

    def all_schemas(self) -> Sequence[TenantSchema]:
        """Every tenant, whatever its status, oldest first."""
        ids = self._session.scalars(select(Tenant.id).order_by(Tenant.id))
        return [TenantSchema(tenant_id) for tenant_id in ids]

    def set_status(self, tenant: TenantSchema, status: TenantStatus, at: datetime) -> bool:
        """Change the status; False when there is no such tenant."""
        changed = self._session.scalar(
            update(Tenant)
            .where(Tenant.id == tenant.tenant_id)
            .values(status=status, retired_at=at if status is TenantStatus.RETIRED else None)
            .returning(Tenant.id)
        )
        return changed is not None

    def set_schema_version(self, tenant: TenantSchema, revision: str) -> None:
        """Record where the schema is now."""
        self._session.execute(
            update(Tenant).where(Tenant.id == tenant.tenant_id).values(schema_version=revision)
        )


class TenantSchemaRepository:
    """Makes schemas and roles and runs scripts in a schema, in the transaction of the caller."""

    def __init__(self, session: PlatformSession, database: Database) -> None:
        self._session = session
        self._database = database

    def survey(self, tenant: TenantSchema) -> BuildingSite:
        """Look at what is there: one round trip.

        Until the transaction ends, shops are made at the revision found here.
        """
        names = {
            "lock": BLUEPRINT_LOCK,
            "tenant": tenant.tenant_id,
            "role": self._database.role_of(tenant),
        }
        return BuildingSite(tenant, *self._session.execute(_SURVEY, names).one())

    def statements_of(self, revision: str) -> Sequence[str]:
        """The recorded statements that make an empty schema at `revision`."""
        return self._session.scalars(
            select(TenantBlueprint.statements).where(TenantBlueprint.revision == revision)
        ).one()

    def create(self, site: BuildingSite, statements: Sequence[str]) -> None:
        """Make role and schema and replay `statements` in it, owned by the role: one round trip.

        Raises `SchemaCreationError`; then the transaction can only be rolled back.
        """
        note_tenant(self._session.connection(), site.tenant)
        script = [
            *self._ownership(site),
            *self._inside(site.tenant, statements),
            *self._membership(site.tenant),
        ]
        try:
            self._replay(script)
        except DBAPIError as error:
            raise SchemaCreationError from error

    def run_inside(self, tenant: TenantSchema, statements: Sequence[str]) -> None:
        """Replay `statements` in an existing schema as its owner: one round trip.

        Raises what the database says; then roll back.
        """
        note_tenant(self._session.connection(), tenant)
        self._replay(self._inside(tenant, statements))

    def act_inside(self, tenant: TenantSchema, act: Callable[[Connection], None]) -> None:
        """Have `act` work in an existing schema as its owner. Raises what it raises."""
        note_tenant(self._session.connection(), tenant)
        bound, unbound = self._binding(tenant)
        self._replay(bound)
        act(self._session.connection())
        self._replay(unbound)

    def _replay(self, script: Sequence[str]) -> None:
        """One round trip; on Citus, which distributes statement by statement, one each."""
        connection = self._session.connection()
        for batch in ["; ".join(script)] if self._database.tenant_roles else script:
            # Without parameters a percent sign in DDL is a percent sign.
            connection.exec_driver_sql(batch, execution_options={"no_parameters": True})

    def _ownership(self, site: BuildingSite) -> list[str]:
        tenant = site.tenant
        if not self._database.tenant_roles:
            return [
                "SET LOCAL citus.enable_schema_based_sharding = on",
                f"CREATE SCHEMA {tenant.quoted}",
                "SET LOCAL citus.enable_schema_based_sharding = off",
            ]
        role = quote_identifier(self._database.role_of(tenant))
        script = [] if site.role_exists else [f"CREATE ROLE {role} NOLOGIN"]
        if not site.login_is_superuser:
            script.append(f"GRANT {role} TO CURRENT_USER")
        return [
            *script,
            f"CREATE SCHEMA {tenant.quoted} AUTHORIZATION {role}",
        ]

    def _membership(self, tenant: TenantSchema) -> list[str]:
        """Comes last: until its commit, nobody else can join the group."""
        if not self._database.tenant_roles:
            return []
        group = quote_identifier(f"{self._database.name}_tenants")
        return [f"GRANT {group} TO {quote_identifier(self._database.role_of(tenant))}"]

    def _inside(self, tenant: TenantSchema, statements: Sequence[str]) -> list[str]:
        bound, unbound = self._binding(tenant)
        return [*bound, *statements, *unbound]

    def _binding(self, tenant: TenantSchema) -> tuple[list[str], list[str]]:
        """What binds the transaction to the schema and its owner, and what undoes it."""
        bound = [f"SET LOCAL search_path TO {tenant.quoted}, public, pg_temp"]
        unbound = ["SET LOCAL search_path TO DEFAULT"]
        if self._database.tenant_roles:
            bound.append(f"SET LOCAL ROLE {quote_identifier(self._database.role_of(tenant))}")
            unbound.insert(0, "RESET ROLE")
        return bound, unbound
