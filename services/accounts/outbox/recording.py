"""Writes events in the caller's transaction: they are there if it commits, else they never were."""

from models.accounts.outbox import NO_TENANT
from repositories.accounts.outbox import record_event
from services.accounts.outbox.events import Event, written
from shared.clock import Clock
from shared.database import PlatformSession, TenantSchema, TenantSession


class OutboxRecorder:
    """One statement an event; it locks nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def record(self, session: TenantSession, event: Event) -> None:
        """Say what happened in the shop whose transaction this is."""
        self._write(session, session.tenant.tenant_id, event)

    def record_about(
        self, session: PlatformSession, tenant: TenantSchema | None, event: Event
    ) -> None:
        """Say what happened to a shop, or to the installation (None), from outside of shops."""
        self._write(session, NO_TENANT if tenant is None else tenant.tenant_id, event)

    def _write(self, session: PlatformSession, tenant_id: int, event: Event) -> None:
        record_event(
            session, tenant_id, event.kind, event.version, written(event), self._clock.now()
        )
