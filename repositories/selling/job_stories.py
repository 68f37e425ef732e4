"""Jobs of one shop as whoever runs the installation follows them."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from models.selling.publishing import JobOutcome, JobStatus, JobStep, MarketplaceJob
from shared.database import TenantSession


class JobStoryRepository:
    """Questions about `marketplace_jobs` and `job_steps`; changes nothing."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def still_dead(self, job_ids: Collection[int], dead: Collection[JobOutcome]) -> set[int]:
        """Which of these ended so, and no later job of their kind has made up for it."""
        later = aliased(MarketplaceJob)
        made_up_for = (
            select(later.id)
            .where(
                later.id > MarketplaceJob.id,
                later.channel == MarketplaceJob.channel,
                later.action == MarketplaceJob.action,
                func.coalesce(later.product_id, 0) == func.coalesce(MarketplaceJob.product_id, 0),
                later.outcome == JobOutcome.OK,
            )
            .exists()
        )
        return set(
            self._session.scalars(
                select(MarketplaceJob.id).where(
                    MarketplaceJob.id.in_(job_ids),
                    MarketplaceJob.status == JobStatus.DONE,
                    MarketplaceJob.outcome.in_(dead),
                    ~made_up_for,
                )
            )
        )

    def newest_steps(self, above: int, limit: int) -> Sequence[tuple[JobStep, MarketplaceJob]]:
        """The last lines of all stories whose number is above `above`, oldest first."""
        rows = self._session.execute(
            select(JobStep, MarketplaceJob)
            .join(MarketplaceJob, MarketplaceJob.id == JobStep.job_id)
            .where(JobStep.id > above)
            .order_by(JobStep.id.desc())
            .limit(limit)
        )
        return [(step, job) for step, job in rows][::-1]
