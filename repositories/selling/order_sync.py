"""How far the orders of each channel have been read, and the jobs that read them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.accounts.tenants import Lane
from models.selling.orders import OrderCursor, UnreadOrder
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from shared.database import TenantSession


class OrderJobRepository:
    """Rows of `marketplace_jobs` that follow orders or are caused by them."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def hasten(self, job_id: int) -> None:
        """Put a job that waits, of whatever kind, into lane realtime, whose bell the caller rings.

        One that somebody holds is running or about to: it sends what is true then.
        """
        waiting = (
            select(MarketplaceJob.id)
            .where(MarketplaceJob.id == job_id, MarketplaceJob.status == JobStatus.PENDING)
            .with_for_update(skip_locked=True)
        )
        self._session.execute(
            update(MarketplaceJob)
            .where(MarketplaceJob.id.in_(waiting))
            .values(lane=Lane.REALTIME)
            .execution_options(synchronize_session=False)
        )

    def blocked_at(self, channel: Channel) -> datetime | None:
        """When the last one ended, if it ended blocked."""
        last = self._session.execute(
            select(MarketplaceJob.outcome, MarketplaceJob.finished_at)
            .where(
                MarketplaceJob.product_id.is_(None),
                MarketplaceJob.action == JobAction.ORDERS,
                MarketplaceJob.channel == channel,
                MarketplaceJob.status == JobStatus.DONE,
            )
            .order_by(MarketplaceJob.id.desc())
            .limit(1)
        ).one_or_none()
        return last[1] if last is not None and last[0] is JobOutcome.BLOCKED else None

    def forget_quiet(self, channel: Channel, before: datetime) -> None:
        """Delete those that ended well and found nothing new."""
        self._session.execute(
            delete(MarketplaceJob)
            .where(
                MarketplaceJob.product_id.is_(None),
                MarketplaceJob.action == JobAction.ORDERS,
                MarketplaceJob.channel == channel,
                MarketplaceJob.status == JobStatus.DONE,
                MarketplaceJob.outcome == JobOutcome.OK,
                MarketplaceJob.finished_at < before,
                MarketplaceJob.result.contains({"changed": 0, "unread": 0}),
            )
            .execution_options(synchronize_session=False)
        )


class OrderCursorRepository:
    """Rows of `order_cursors` and `unread_orders`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def read_until(self, channel: Channel) -> datetime | None:
        """Up to when the channel has been read; None: never."""
        return self._session.scalar(
            select(OrderCursor.read_until).where(OrderCursor.channel == channel)
        )

    def all(self) -> Sequence[OrderCursor]:
        """Every channel that was ever read."""
        return self._session.scalars(select(OrderCursor).order_by(OrderCursor.channel)).all()

    def move(self, channel: Channel, read_until: datetime, read_at: datetime) -> None:
        """Say how far it has been read; never backwards."""
        statement = insert(OrderCursor).values(
            channel=channel, read_until=read_until, read_at=read_at
        )
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[OrderCursor.channel],
                set_={
                    "read_until": func.greatest(
                        OrderCursor.read_until, statement.excluded.read_until
                    ),
                    "read_at": statement.excluded.read_at,
                },
            )
        )

    def put_unread(
        self, channel: Channel, remote_order_id: str, problem: str, now: datetime
    ) -> None:
        """List an order that could not be taken over."""
        statement = insert(UnreadOrder).values(
            channel=channel,
            remote_order_id=remote_order_id,
            problem=problem,
            first_seen_at=now,
            tried_at=now,
        )
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[UnreadOrder.channel, UnreadOrder.remote_order_id],
                set_={
                    "problem": statement.excluded.problem,
                    "tried_at": statement.excluded.tried_at,
                },
            )
        )

    def forget_unread(self, channel: Channel, remote_order_ids: Collection[str]) -> None:
        """They could be read after all."""
        self._session.execute(
            delete(UnreadOrder).where(
                UnreadOrder.channel == channel, UnreadOrder.remote_order_id.in_(remote_order_ids)
            )
        )

    def unread(self, channel: Channel | None = None, limit: int = 200) -> Sequence[UnreadOrder]:
        """Orders that could not be taken over, longest known first."""
        query = select(UnreadOrder)
        if channel is not None:
            query = query.where(UnreadOrder.channel == channel)
        return self._session.scalars(query.order_by(UnreadOrder.id).limit(limit)).all()
