"""Rings the bell of every shop that has live jobs and no bell: after a restore, say."""

from models.accounts.tenants import Lane
from repositories.accounts.bells import BellRepository
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable


class BellSweeper:
    """Makes sure that no job waits unheard. One short transaction a shop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def sweep(self) -> int:
        """Ring what must be rung; returns in how many shops."""
        with self._database.platform() as session:
            tenants = TenantRepository(session).all_schemas()
        return sum(self._ring(tenant) for tenant in tenants)

    def _ring(self, tenant: TenantSchema) -> bool:
        rung = False
        try:
            with self._database.tenant(tenant) as session:
                for lane in Lane:
                    due_at = JobRepository(session).next_due_at(lane)
                    if due_at is not None:
                        BellRepository(session).ring(tenant, lane, due_at)
                        rung = True
        except TenantUnavailable:
            return False
        return rung
