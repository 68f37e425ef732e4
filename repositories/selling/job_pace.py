"""How fast a shop's jobs go, and what is in front of a new one."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import extract, func, or_, select

from models.accounts.tenants import Lane
from models.selling.publishing import (
    Channel,
    JobAction,
    JobBatch,
    JobOutcome,
    JobStatus,
    MarketplaceJob,
)
from shared.database import TenantSession

Kind = tuple[Channel, JobAction]


class JobPaceRepository:
    """Questions about `marketplace_jobs`; changes nothing."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def in_front(self, lane: Lane, now: datetime) -> Mapping[Kind, int]:
        """Jobs of a lane that run or are due, by kind; those of paused batches wait for nobody."""
        paused = select(JobBatch.id).where(JobBatch.paused_at.is_not(None))
        due = (
            (MarketplaceJob.status == JobStatus.PENDING)
            & (MarketplaceJob.due_at <= now)
            & or_(MarketplaceJob.batch_id.is_(None), MarketplaceJob.batch_id.not_in(paused))
        )
        rows = self._session.execute(
            select(MarketplaceJob.channel, MarketplaceJob.action, func.count())
            .where(
                MarketplaceJob.lane == lane,
                or_(due, MarketplaceJob.status == JobStatus.RUNNING),
            )
            .group_by(MarketplaceJob.channel, MarketplaceJob.action)
        )
        return {(channel, action): number for channel, action, number in rows}

    def seconds_lately(self, among: int) -> Mapping[Kind, list[float]]:
        """How long the jobs took that went through at the first try, of the last `among` jobs."""
        last = select(MarketplaceJob).order_by(MarketplaceJob.id.desc()).limit(among).subquery()
        rows = self._session.execute(
            select(
                last.c.channel,
                last.c.action,
                extract("epoch", last.c.finished_at - last.c.started_at),
            ).where(
                last.c.status == JobStatus.DONE,
                last.c.outcome == JobOutcome.OK,
                last.c.attempts == 1,
            )
        )
        found: dict[Kind, list[float]] = {}
        for channel, action, seconds in rows:
            found.setdefault((channel, action), []).append(float(seconds))
        return found
