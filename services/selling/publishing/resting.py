"""Jobs of a shop that stops working for a while: what keeps it from that, and how it goes on."""

from collections.abc import Sequence
from datetime import datetime

from models.selling.publishing import MarketplaceJob
from repositories.accounts.bells import BellRepository
from repositories.accounts.tenant_rows import TenantRows
from repositories.selling.live_jobs import LiveJobRepository
from services.selling.publishing import transitions
from shared.database import Database, PlatformSession, TenantSchema

CALLED_OFF = "called-off"
"""Problem code of a job that was ended because its shop moved."""

_NAMED = 3


class RestingJobs:
    """What the accounts wing asks about a shop's work; see `standing.ShopWork` there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unfinished(self, session: PlatformSession, tenant: TenantSchema) -> Sequence[str]:
        """The first jobs that have not ended, in words; none when all belong to paused batches."""
        with self._inside(session, tenant).entered():
            jobs = LiveJobRepository(session)
            return [_said(job) for job in jobs.oldest(_NAMED)] if jobs.next_due() else []

    def ring(self, session: PlatformSession, tenant: TenantSchema) -> None:
        """Ring the bell of each lane in which a job may start."""
        with self._inside(session, tenant).entered():
            lanes = LiveJobRepository(session).next_due()
        for lane, due_at in lanes:
            BellRepository(session).ring(tenant, lane, due_at)

    def call_off(
        self, session: PlatformSession, tenant: TenantSchema, because: str, at: datetime
    ) -> int:
        """Cancel every job that has not ended; returns how many."""
        with self._inside(session, tenant).entered():
            jobs = LiveJobRepository(session)
            live = jobs.oldest()
            for job in live:
                transitions.cancel(job, now=at)
                job.problem_code, job.problem_detail = CALLED_OFF, because
            jobs.flush()
        return len(live)

    def _inside(self, session: PlatformSession, tenant: TenantSchema) -> TenantRows:
        return TenantRows(session, self._database, tenant)


def _said(job: MarketplaceJob) -> str:
    return f"job {job.id} ({job.action} on {job.channel}) is {job.status}"
