"""Looking at orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.selling.orders import ChannelOrder, OrderCursor, OrderShipment, UnreadOrder
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.order_shipments import ShipmentRepository
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.orders import FollowedUp, OrderFilter, OrderRepository
from shared.database import TenantSession
from shared.errors import NotFound

__all__ = ["FollowedUp", "OrderFilter", "OrderNotFound", "OrderReading", "OrderStory"]


class OrderNotFound(NotFound):
    """No such order."""

    code, title = "order-not-found", "There is no such order"


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order, and what it made us do on other channels."""

    order: ChannelOrder
    follow_ups: Sequence[FollowedUp]
    shipments: Sequence[OrderShipment]


@dataclass(frozen=True, slots=True)
class HowFar:
    """How far channels have been read, and which orders could not be."""

    followed: Sequence[Channel]
    cursors: Sequence[OrderCursor]
    unread: Sequence[UnreadOrder]


class OrderReading:
    """Answers questions about orders; changes nothing."""

    def page(
        self,
        session: TenantSession,
        wanted: OrderFilter,
        after: tuple[datetime, int] | None,
        limit: int,
    ) -> tuple[Sequence[ChannelOrder], bool]:
        """A page, newest first, and whether there are more."""
        found = OrderRepository(session).page(wanted, after, limit + 1)
        return found[:limit], len(found) > limit

    def story(self, session: TenantSession, order_id: int) -> OrderStory:
        """One order. Raises `OrderNotFound`."""
        orders = OrderRepository(session)
        order = orders.get(order_id)
        if order is None:
            raise OrderNotFound
        shipments = ShipmentRepository(session).of_order(order_id)
        return OrderStory(order, orders.follow_ups(order_id), shipments)

    def how_far(self, session: TenantSession) -> HowFar:
        """Up to when each channel's orders are known."""
        cursors = OrderCursorRepository(session)
        followed = OrderPollRepository(session).followed_by(session.tenant)
        return HowFar([Channel(each) for each in followed], cursors.all(), cursors.unread())
