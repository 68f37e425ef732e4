"""What operators see of the outbox, and what they do about parked events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, and_, delete, func, or_, select, update

from models.accounts.outbox import DeliveryState, OutboxDelivery, OutboxEvent, OutboxStream
from repositories.accounts.outbox import StreamKey
from shared.database import PlatformSession, TenantSchema

OPEN = (DeliveryState.PENDING, DeliveryState.PARKED)

_EVENTS = cast(Table, OutboxEvent.__table__)
_DELIVERIES = cast(Table, OutboxDelivery.__table__)
_STREAMS = cast(Table, OutboxStream.__table__)


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are meant; None means any."""

    state: DeliveryState | None = DeliveryState.PARKED
    event_id: int | None = None
    subscriber: str | None = None
    tenant: TenantSchema | None = None

    @property
    def condition(self) -> Any:
        """As SQL."""
        wanted = {
            OutboxDelivery.state: self.state,
            OutboxDelivery.event_id: self.event_id,
            OutboxDelivery.subscriber: self.subscriber,
            OutboxDelivery.tenant_id: self.tenant and self.tenant.tenant_id,
        }
        given = [column == value for column, value in wanted.items() if value is not None]
        return and_(True, *given)


class OutboxReviewRepository:
    """For operators, figures and pruning; on a `PlatformSession`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def deliveries(
        self, wanted: DeliveryFilter, limit: int
    ) -> Sequence[tuple[OutboxDelivery, OutboxEvent]]:
        """Oldest events first."""
        rows = self._session.execute(
            select(OutboxDelivery, OutboxEvent)
            .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
            .where(wanted.condition)
            .order_by(OutboxDelivery.event_id, OutboxDelivery.subscriber)
            .limit(limit)
        )
        return [(delivery, event) for delivery, event in rows]

    def unrouted(self, limit: int) -> Sequence[OutboxEvent]:
        """Events for which nobody has made deliveries yet, oldest first."""
        return self._session.scalars(
            select(OutboxEvent)
            .where(OutboxEvent.routed_at.is_(None))
            .order_by(OutboxEvent.id)
            .limit(limit)
        ).all()

    def event(self, event_id: int) -> OutboxEvent | None:
        """One event."""
        return self._session.get(OutboxEvent, event_id)

    def change(
        self, event_id: int, subscriber: str, state: DeliveryState, settled_at: datetime | None
    ) -> bool:
        """Give an open delivery another state and new attempts; False when it is not open.

        Make its stream due before, so that locks are taken in their order.
        """
        changed = self._session.scalar(
            update(_DELIVERIES)
            .where(
                _DELIVERIES.c.event_id == event_id,
                _DELIVERIES.c.subscriber == subscriber,
                _DELIVERIES.c.state.in_(OPEN),
            )
            .values(state=state, attempts=0, settled_at=settled_at)
            .returning(_DELIVERIES.c.event_id)
        )
        return changed is not None

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries are open, by subscriber and state."""
        rows = self._session.execute(
            select(_DELIVERIES.c.subscriber, _DELIVERIES.c.state, func.count())
            # Each state by an index of its own.
            .where(
                or_(
                    _DELIVERIES.c.state == DeliveryState.PENDING,
                    _DELIVERIES.c.state == DeliveryState.PARKED,
                )
            )
            .group_by(_DELIVERIES.c.subscriber, _DELIVERIES.c.state)
        )
        return {(subscriber, str(state)): number for subscriber, state, number in rows}

    def due_since(self, now: datetime) -> datetime | None:
        """Since when something has been waiting for a relay; None: nothing does."""
        unrouted = select(func.min(_EVENTS.c.recorded_at)).where(_EVENTS.c.routed_at.is_(None))
        streams = select(func.min(_STREAMS.c.due_at)).where(
            _STREAMS.c.due_at <= now,
            or_(_STREAMS.c.leased_until.is_(None), _STREAMS.c.leased_until <= now),
        )
        return self._session.scalar(
            select(func.least(unrouted.scalar_subquery(), streams.scalar_subquery()))
        )

    def forget_before(self, moment: datetime, limit: int) -> int:
        """Delete at most `limit` events that were recorded before and owe nobody anything."""
        owed = (
            select(_DELIVERIES.c.event_id)
            .where(_DELIVERIES.c.event_id == _EVENTS.c.id, _DELIVERIES.c.state.in_(OPEN))
            .exists()
        )
        old = (
            select(_EVENTS.c.id)
            .where(_EVENTS.c.recorded_at < moment, _EVENTS.c.routed_at.is_not(None), ~owed)
            .order_by(_EVENTS.c.recorded_at)
            .limit(limit)
            .cte("old")
        )
        gone = self._session.scalars(
            delete(_EVENTS).where(_EVENTS.c.id == old.c.id).returning(_EVENTS.c.id)
        )
        return len(gone.all())


def stream_of(delivery: OutboxDelivery) -> StreamKey:
    """On which way it is."""
    return StreamKey(delivery.tenant_id, delivery.subscriber)
