"""Jobs of one shop as whoever runs the installation follows them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from models.accounts.tenants import Lane
from models.selling.publishing import (
    LIVE_STATUSES,
    JobOutcome,
    JobStatus,
    JobStep,
    MarketplaceJob,
)
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

    def earliest_due(self) -> Mapping[Lane, datetime]:
        """By lane, when the first live job is due or its lease ends; one look at live jobs only.

        Jobs of paused batches count too: whoever hears the bell leaves them alone.
        """
        waiting = MarketplaceJob.status == JobStatus.PENDING
        moment = case((waiting, MarketplaceJob.due_at), else_=MarketplaceJob.leased_until)
        rows = self._session.execute(
            select(MarketplaceJob.lane, func.min(moment))
            .where(MarketplaceJob.status.in_(LIVE_STATUSES))
            .group_by(MarketplaceJob.lane)
        )
        return {lane: due_at for lane, due_at in rows if due_at is not None}

    def any_running(self) -> bool:
        """Whether a job runs at this moment."""
        running = select(MarketplaceJob.id).where(MarketplaceJob.status == JobStatus.RUNNING)
        return bool(self._session.scalar(select(running.exists())))

    def newest_steps(
        self, above: int, limit: int | None
    ) -> Sequence[tuple[JobStep, MarketplaceJob]]:
        """The last lines of all stories whose number is above `above`, oldest first.

        `limit` None means all of them.
        """
        rows = self._session.execute(
            select(JobStep, MarketplaceJob)
            .join(MarketplaceJob, MarketplaceJob.id == JobStep.job_id)
            .where(JobStep.id > above)
            .order_by(JobStep.id.desc())
            .limit(limit)
        )
        return [(step, job) for step, job in rows][::-1]
