"""What operators do about events that could not be delivered."""

from collections.abc import Sequence

from models.accounts.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from repositories.accounts.outbox import OutboxRelayRepository
from repositories.accounts.outbox_review import (
    DeliveryFilter,
    OutboxReviewRepository,
    stream_of,
)
from shared.clock import Clock
from shared.database import PlatformSession
from shared.errors import Conflict, NotFound

__all__ = ["DeliveryFilter", "OutboxReview"]

Delivery = tuple[OutboxDelivery, OutboxEvent]

_ALL_OF_AN_EVENT = 1000
"""More subscribers than there will ever be."""


class OutboxEventNotFound(NotFound):
    """It never was, or everybody was told of it long ago."""

    code, title = "outbox-event-not-found", "There is no such event"


class DeliveryNotOpen(Conflict):
    """It was delivered, or let go of."""

    code, title = "delivery-not-open", "That event is not on its way to that subscriber"


class OutboxReview:
    """Works in the caller's transaction, on the shared schemas."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def story(
        self, session: PlatformSession, event_id: int
    ) -> tuple[OutboxEvent, Sequence[OutboxDelivery]]:
        """An event and where it is on its way to everybody. Raises `OutboxEventNotFound`."""
        outbox = OutboxReviewRepository(session)
        event = outbox.event(event_id)
        if event is None:
            raise OutboxEventNotFound(f"There is no event {event_id}.")
        wanted = DeliveryFilter(state=None, event_id=event_id)
        return event, [each for each, _ in outbox.deliveries(wanted, _ALL_OF_AN_EVENT)]

    def retry(
        self, session: PlatformSession, wanted: DeliveryFilter, limit: int
    ) -> Sequence[Delivery]:
        """Let relays try these again at once, with all their attempts; returns which.

        Of parked ones those that came later may have been delivered already.
        """
        outbox, now = OutboxReviewRepository(session), self._clock.now()
        found = outbox.deliveries(wanted, limit)
        if found:
            streams = {stream_of(delivery) for delivery, _ in found}
            OutboxRelayRepository(session).make_due(streams, now)
        return [
            (delivery, event)
            for delivery, event in found
            if outbox.change(delivery.event_id, delivery.subscriber, DeliveryState.PENDING, None)
        ]

    def dismiss(self, session: PlatformSession, event_id: int, subscriber: str) -> None:
        """Let go of an event: this subscriber will not be told.

        Raises `OutboxEventNotFound`, `DeliveryNotOpen`.
        """
        self.story(session, event_id)
        outbox, now = OutboxReviewRepository(session), self._clock.now()
        if not outbox.change(event_id, subscriber, DeliveryState.DISMISSED, now):
            raise DeliveryNotOpen(f"Event {event_id} is not on its way to {subscriber}.")
