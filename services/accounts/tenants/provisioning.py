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

        It is made at the revision that is current when this transaction commits, also where this
        process belongs to an older or a newer version.

        Raises `SchemaCreationError`; then the whole transaction has to be rolled back.
        """
        schemas = TenantSchemaRepository(session, self._database)
        site = schemas.survey(TenantSchema(user_id))
        if site.is_known:
            return site.tenant
        revision = site.blueprint or self._script.revision
        TenantRepository(session).add(
            Tenant(
                id=user_id,
                status=TenantStatus.ACTIVE,
                schema_version=revision,
                created_at=self._clock.now(),
            )
        )
        ours = revision == self._script.revision
        schemas.create(site, self._script.statements if ours else schemas.statements_of(revision))
        return site.tenant
