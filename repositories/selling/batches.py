"""Batches of jobs of one shop."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from models.selling.publishing import (
    LIVE_STATUSES,
    JobBatch,
    JobOutcome,
    JobStatus,
    MarketplaceJob,
)
from shared.database import TenantSession


@dataclass(slots=True)
class BatchCounts:
    """How far a batch is."""

    by_state: dict[tuple[JobStatus, JobOutcome | None], int] = field(default_factory=dict)
    lately_ended: int = 0
    """Jobs that ended within the time asked about, and since the batch was last resumed."""

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.by_state.values())

    @property
    def waiting(self) -> int:
        """Those that wait to be picked up."""
        return sum(n for (status, _), n in self.by_state.items() if status is JobStatus.PENDING)

    @property
    def live(self) -> int:
        """Those that have not ended."""
        return sum(n for (status, _), n in self.by_state.items() if status in LIVE_STATUSES)


class BatchRepository:
    """Rows of `job_batches`, and a batch's jobs as a whole."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def add(self, batch: JobBatch) -> None:
        """Store a batch and give it its id."""
        self._session.add(batch)
        self._session.flush()

    def get(self, batch_id: int) -> JobBatch | None:
        """One batch."""
        return self._session.get(JobBatch, batch_id)

    def locked(self, batch_id: int) -> JobBatch | None:
        """One batch, locked and read anew. Ring its bell first: bell, then batch, then jobs."""
        return self._session.scalar(
            select(JobBatch)
            .where(JobBatch.id == batch_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def page(self, before: int | None, limit: int) -> Sequence[JobBatch]:
        """Newest first; `before` is the last id of the page before."""
        query = select(JobBatch)
        if before is not None:
            query = query.where(JobBatch.id < before)
        return self._session.scalars(query.order_by(JobBatch.id.desc()).limit(limit)).all()

    def counts(self, batch_ids: Collection[int], since: datetime) -> Mapping[int, BatchCounts]:
        """How far these batches are, and how many of their jobs have ended since `since`."""
        lately = (MarketplaceJob.finished_at > since) & or_(
            JobBatch.resumed_at.is_(None), MarketplaceJob.finished_at > JobBatch.resumed_at
        )
        rows = self._session.execute(
            select(
                MarketplaceJob.batch_id,
                MarketplaceJob.status,
                MarketplaceJob.outcome,
                func.count(),
                func.count().filter(lately),
            )
            .join(JobBatch, JobBatch.id == MarketplaceJob.batch_id)
            .where(MarketplaceJob.batch_id.in_(batch_ids))
            .group_by(MarketplaceJob.batch_id, MarketplaceJob.status, MarketplaceJob.outcome)
        )
        found = {batch_id: BatchCounts() for batch_id in batch_ids}
        for batch_id, status, outcome, number, lately_ended in rows:
            found[batch_id].by_state[status, outcome] = number
            found[batch_id].lately_ended += lately_ended
        return found

    def locked_live(self, batch_id: int) -> Sequence[MarketplaceJob]:
        """Its jobs that have not ended, locked and read anew."""
        return self._locked_jobs(batch_id, MarketplaceJob.status.in_(LIVE_STATUSES))

    def locked_failed(self, batch_id: int) -> Sequence[MarketplaceJob]:
        """Its jobs that ended without success, locked and read anew; not those cancelled."""
        return self._locked_jobs(
            batch_id,
            (MarketplaceJob.status == JobStatus.DONE) & (MarketplaceJob.outcome != JobOutcome.OK),
        )

    def _locked_jobs(self, batch_id: int, which: ColumnElement[bool]) -> Sequence[MarketplaceJob]:
        return self._session.scalars(
            select(MarketplaceJob)
            .where(MarketplaceJob.batch_id == batch_id, which)
            .order_by(MarketplaceJob.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
