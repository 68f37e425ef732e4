"""Jobs that have not ended, of a shop that sessions are not opened for: suspended, or on the move.

The session works inside the shop already (`TenantRows.entered`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import select

from models.accounts.tenants import Lane
from models.selling.publishing import LIVE_STATUSES, MarketplaceJob
from repositories.selling.publishing import JobRepository
from shared.database import PlatformSession, TenantSession


class LiveJobRepository:
    """Rows of `marketplace_jobs`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def next_due(self) -> list[tuple[Lane, datetime]]:
        """When a worker must look, by lane; lanes in which nothing may start are left out."""
        # It asks nothing of a session but that the shop's tables resolve.
        jobs = JobRepository(cast(TenantSession, self._session))
        moments = [(lane, jobs.next_due_at(lane)) for lane in Lane]
        return [(lane, due_at) for lane, due_at in moments if due_at is not None]

    def oldest(self, limit: int | None = None) -> Sequence[MarketplaceJob]:
        """The first jobs that have not ended, or all of them."""
        return self._session.scalars(
            select(MarketplaceJob)
            .where(MarketplaceJob.status.in_(LIVE_STATUSES))
            .order_by(MarketplaceJob.id)
            .limit(limit)
        ).all()

    def flush(self) -> None:
        """Write what was changed while the session is inside the shop."""
        self._session.flush()
