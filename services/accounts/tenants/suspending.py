"""Closing a shop for a while, where it stands."""

import structlog

from models.accounts.tenants import TenantStatus
from repositories.accounts.tenant_life import TenantLifeRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.tenants.events import ShopResumed, ShopSuspended
from services.accounts.tenants.standing import ShopWork, locked
from shared.clock import Clock
from shared.database import PlatformSession, TenantSchema

_log = structlog.get_logger("stoflow.tenants")


class Suspension:
    """From the commit on every transaction of the shop is refused; nothing else is touched.

    Its owner can sign in and see that the shop is suspended. A job that was running is refused its
    next transaction; after `resume` it is picked up when its lease has run out.
    """

    def __init__(self, work: ShopWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._outbox = OutboxRecorder(clock)

    def suspend(self, session: PlatformSession, tenant: TenantSchema, because: str) -> bool:
        """Close the shop; False when it is closed. Raises `WrongStatus`."""
        row = locked(session, tenant, TenantStatus.ACTIVE, TenantStatus.SUSPENDED)
        if row.status is TenantStatus.SUSPENDED:
            return False
        now = self._clock.now()
        TenantLifeRepository(session).set_status(row, TenantStatus.SUSPENDED, now, because)
        self._outbox.record_about(session, tenant, ShopSuspended())
        _log.warning("shop suspended", tenant=tenant.name, because=because)
        return True

    def resume(self, session: PlatformSession, tenant: TenantSchema) -> bool:
        """Open it again; False when it is open. Raises `WrongStatus`."""
        row = locked(session, tenant, TenantStatus.ACTIVE, TenantStatus.SUSPENDED)
        if row.status is TenantStatus.ACTIVE:
            return False
        TenantLifeRepository(session).set_status(row, TenantStatus.ACTIVE, self._clock.now())
        self._work.ring(session, tenant)
        self._outbox.record_about(session, tenant, ShopResumed())
        _log.info("shop resumed", tenant=tenant.name)
        return True
