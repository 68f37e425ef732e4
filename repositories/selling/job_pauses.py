"""Jobs of a channel that wait until its account lets us in again."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import aliased

from models.accounts.tenants import Lane
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    JobOutcome,
    JobStatus,
    MarketplaceJob,
)
from shared.database import TenantSession


class JobPauseRepository:
    """Rows of `marketplace_jobs` of one channel."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def put_off(self, channel: Channel, until: datetime, reason: str) -> None:
        """Let those that wait go on waiting; what somebody holds finds out by itself."""
        waiting = (
            select(MarketplaceJob.id)
            .where(MarketplaceJob.channel == channel, MarketplaceJob.status == JobStatus.PENDING)
            .with_for_update(skip_locked=True)
        )
        self._session.execute(
            update(MarketplaceJob)
            .where(MarketplaceJob.id.in_(waiting))
            .values(due_at=until, waiting_for=reason)
            .execution_options(synchronize_session=False)
        )

    def put_off_with(self, channel: Channel, reason: str) -> Sequence[MarketplaceJob]:
        """Those that were put off for this reason, locked."""
        return self._session.scalars(
            select(MarketplaceJob)
            .where(
                MarketplaceJob.channel == channel,
                MarketplaceJob.status == JobStatus.PENDING,
                MarketplaceJob.waiting_for == reason,
            )
            .order_by(MarketplaceJob.id)
            .with_for_update()
        ).all()

    def blocked_with(
        self, channel: Channel, codes: Collection[str], field_code: str, since: datetime
    ) -> Sequence[MarketplaceJob]:
        """The last job of each kind and product, locked, if it ended blocked by one of these
        problems and no other does the same by now.
        """
        newer = aliased(MarketplaceJob)
        superseded = exists().where(
            newer.channel == MarketplaceJob.channel,
            newer.action == MarketplaceJob.action,
            newer.product_id.is_not_distinct_from(MarketplaceJob.product_id),
            newer.id > MarketplaceJob.id,
        )
        live = exists().where(
            newer.channel == MarketplaceJob.channel,
            newer.action == MarketplaceJob.action,
            newer.product_id.is_not_distinct_from(MarketplaceJob.product_id),
            newer.status.in_(LIVE_STATUSES),
        )
        return self._session.scalars(
            select(MarketplaceJob)
            .where(
                MarketplaceJob.channel == channel,
                MarketplaceJob.status == JobStatus.DONE,
                MarketplaceJob.outcome == JobOutcome.BLOCKED,
                MarketplaceJob.finished_at >= since,
                or_(
                    MarketplaceJob.problem_code.in_(codes),
                    MarketplaceJob.problem_fields.contains([{"code": field_code}]),
                ),
                ~superseded,
                ~live,
            )
            .order_by(MarketplaceJob.id)
            .with_for_update()
        ).all()


LANES = tuple(sorted(Lane))
"""In the order in which whoever rings both does."""
