"""What is known of orders on Vinted, in Vinted's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from models.selling.orders import ChannelOrder
from models.selling.publishing import Channel
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as it was last told."""

    transaction_id: int
    conversation_id: int | None
    title: str
    status: str
    user_status: str
    price_minor: int
    currency: str
    placed_at: datetime


class VintedOrderRepository:
    """Rows of `channel_orders` of Vinted."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def known(self, since: datetime) -> Mapping[int, KnownOrder]:
        """Those placed since, by transaction."""
        orders = self._session.scalars(
            select(ChannelOrder).where(
                ChannelOrder.channel == Channel.VINTED, ChannelOrder.placed_at >= since
            )
        )
        return {int(each.remote_order_id): _known(each) for each in orders}


def _known(order: ChannelOrder) -> KnownOrder:
    remote = order.remote
    return KnownOrder(
        transaction_id=int(order.remote_order_id),
        conversation_id=remote.get("conversation_id"),
        title=remote.get("title", ""),
        status=remote.get("status", ""),
        user_status=remote.get("user_status", ""),
        price_minor=order.total_minor,
        currency=order.currency,
        placed_at=order.placed_at,
    )
