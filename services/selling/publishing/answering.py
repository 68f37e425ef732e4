"""Puts parked jobs back to work when whoever they waited for has answered."""

import structlog

from models.selling.publishing import JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.lease import Lease
from services.selling.publishing.telling import ANSWERED, StoryLine, tell
from shared.clock import Clock
from shared.database import TenantSession
from shared.ids import new_uuid

log = structlog.get_logger(__name__)


class JobAnswers:
    """For those that the outside answers to: rooms whose handlers park their jobs."""

    def __init__(self, clock: Clock, teller: str) -> None:
        """`teller` is who wrote it down, as the job's story says."""
        self._clock = clock
        self._teller = teller

    def locked(self, session: TenantSession, job_id: int) -> MarketplaceJob | None:
        """The job, locked behind its bell: to be called before anything of it is written."""
        jobs = JobRepository(session)
        found = jobs.get(job_id)
        if found is None:
            return None
        BellRepository(session).ring(session.tenant, found.lane, self._clock.now())
        return jobs.locked(job_id)

    def answer(self, session: TenantSession, job: MarketplaceJob) -> bool:
        """Let a worker go on with a locked job; False when it is not parked.

        Call it last in the transaction: it locks the shop's counter of news.
        """
        if job.status is not JobStatus.PARKED:
            return False
        now = self._clock.now()
        transitions.answer(job, now=now)
        lease = Lease(session.tenant, job.id, new_uuid(), self._teller)
        tell(session, [StoryLine(lease, job, ANSWERED)], now)
        return True
