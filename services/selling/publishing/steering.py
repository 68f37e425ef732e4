"""What a seller can do with a job that exists: stop it, or ask for another try."""

from models.selling.publishing import JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository
from repositories.accounts.dead_jobs import DeadJobRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.news import tell_of_jobs
from services.selling.publishing.withdrawing import (
    NOTHING_TO_WITHDRAW,
    Withdrawals,
    cancel_unheard,
)
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict, NotFound


class JobNotFound(NotFound):
    """This shop has no such job."""

    code, title = "job-not-found", "There is no such job"


class JobAlreadyEnded(Conflict):
    """It is too late to cancel."""

    code, title = "job-already-ended", "The job has already ended"


class JobBeingChecked(Conflict):
    """The channel is being asked what happened; only then the job may be stopped."""

    code, title = "job-being-checked", "The job may have succeeded and is being checked"


class JobNotRetryable(Conflict):
    """It succeeded, or it has not ended yet."""

    code, title = "job-not-retryable", "This job cannot be tried again"


class JobSuperseded(Conflict):
    """A newer job does the same."""

    code, title = "job-superseded", "A newer job already does this"


class JobSteering:
    """Cancel and retry."""

    def __init__(self, clock: Clock, withdrawals: Withdrawals = NOTHING_TO_WITHDRAW) -> None:
        self._clock = clock
        self._withdrawals = withdrawals

    def cancel(self, session: TenantSession, job_id: int) -> MarketplaceJob:
        """Stop a job: at once when it waits, before its next outside call when it runs, and when
        somebody outside was asked to do it, as soon as it is known whether they have: at once
        while nobody has heard of it.

        Raises `JobNotFound`, `JobAlreadyEnded`, `JobBeingChecked`.
        """
        job = _found(JobRepository(session).locked(job_id))
        if not job.is_live:
            raise JobAlreadyEnded(f"Job {job_id} is {job.status}; there is nothing to cancel.")
        if cancel_unheard(session, job, self._withdrawals, self._clock):
            tell_of_jobs(session, [job], self._clock.now())
            return job
        if job.outcome is JobOutcome.UNKNOWN:
            raise JobBeingChecked("Wait until the channel has said what happened, then decide.")
        if job.status in (JobStatus.RUNNING, JobStatus.PARKED):
            job.cancel_requested_at = self._clock.now()
        else:
            transitions.cancel(job, now=self._clock.now())
        tell_of_jobs(session, [job], self._clock.now())
        return job

    def retry(self, session: TenantSession, job_id: int) -> MarketplaceJob:
        """Queue an ended job again; it goes on from its last finished sub-step.

        Raises `JobNotFound`, `JobNotRetryable`, `JobSuperseded`.
        """
        jobs, now = JobRepository(session), self._clock.now()
        lane = _found(jobs.get(job_id)).lane
        BellRepository(session).ring(session.tenant, lane, now)
        job = _found(jobs.locked(job_id))
        if job.is_live:
            raise JobNotRetryable(f"Job {job_id} is still {job.status}.")
        if job.outcome is JobOutcome.OK:
            raise JobNotRetryable(f"Job {job_id} succeeded; ask for an update instead.")
        newer = jobs.live_job(job.action, job.channel, job.product_id)
        if newer is not None:
            raise JobSuperseded(f"Job {newer} already does the same; follow that one.")
        transitions.reopen(job, now=now)
        DeadJobRepository(session).forget(session.tenant, [job_id])
        tell_of_jobs(session, [job], now)
        return job


def _found(job: MarketplaceJob | None) -> MarketplaceJob:
    if job is None:
        raise JobNotFound
    return job
