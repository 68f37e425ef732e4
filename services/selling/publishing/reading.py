"""Looking at jobs and listings."""

from collections.abc import Sequence

from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobStep,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from services.selling.publishing.steering import JobNotFound
from shared.database import TenantSession

__all__ = ["JobFilter", "PublishingReading"]


class PublishingReading:
    """Answers questions about background work; changes nothing."""

    def story(
        self, session: TenantSession, job_id: int
    ) -> tuple[MarketplaceJob, Sequence[JobStep]]:
        """A job and its steps. Raises `JobNotFound`."""
        jobs = JobRepository(session)
        job = jobs.get(job_id)
        if job is None:
            raise JobNotFound
        return job, jobs.steps(job_id)

    def jobs(
        self, session: TenantSession, wanted: JobFilter, before: int | None, limit: int
    ) -> tuple[Sequence[MarketplaceJob], bool]:
        """A page, newest first, and whether there are more."""
        found = JobRepository(session).page(wanted, before, limit + 1)
        return found[:limit], len(found) > limit

    def listings(
        self,
        session: TenantSession,
        channel: Channel | None,
        status: ListingStatus | None,
        before: int | None,
        limit: int,
    ) -> tuple[Sequence[ChannelListing], bool]:
        """A page, newest first, and whether there are more."""
        found = ListingRepository(session).page(channel, status, before, limit + 1)
        return found[:limit], len(found) > limit
