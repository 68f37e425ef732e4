"""Gives an account its shop: a schema of its own, owned by a role of its own."""

from typing import Protocol

from models.accounts.tenants import Tenant, TenantStatus
from repositories.accounts.tenants import TenantRepository, TenantSchemaRepository
from shared.clock import Clock
from shared.database import Database, PlatformSession, TenantSchema


class SchemaScript(Protocol):
    """SQL, without schema names, that brings an empty schema to `revision`."""

    @property
    def revision(self) -> str: ...
    @property
    def statements(self) -> tuple[str, ...]: ...


class TenantProvisioning:
    """Creates shops inside the caller's transaction: it commits whole or leaves nothing."""

    def __init__(self, database: Database, script: SchemaScript, clock: Clock) -> None:
        self._database = database
        self._script = script
        self._clock = clock

    def provision(self, session: PlatformSession, user_id: int) -> TenantSchema:
        """Create the shop of this account, or return the one it has.

        Raises `SchemaCreationError`; then the whole transaction has to be rolled back.
        """
        tenants = TenantRepository(session)
        schema = TenantSchema(user_id)
        if tenants.get(user_id) is not None:
            return schema
        tenants.add(
            Tenant(
                id=user_id,
                status=TenantStatus.ACTIVE,
                schema_version=self._script.revision,
                created_at=self._clock.now(),
            )
        )
        TenantSchemaRepository(session, self._database).create(schema, self._script.statements)
        return schema
