"""Tells whoever watches a shop of its orders, in the transaction that changed them."""

from collections.abc import Sequence
from datetime import datetime

from models.selling.orders import ChannelOrder, ChannelOrderLine
from repositories.accounts.news import append_event
from shared.database import TenantSession

ORDER_UPDATE = "order_update"


def tell_of_order(
    session: TenantSession,
    order: ChannelOrder,
    lines: Sequence[ChannelOrderLine],
    now: datetime,
) -> None:
    """Say how an order stands now. Call it last in the transaction: it locks the shop's counter."""
    append_event(
        session,
        ORDER_UPDATE,
        {
            "order_id": order.id,
            "channel": order.channel,
            "remote_order_id": order.remote_order_id,
            "status": order.status,
            "oversold": any(line.units_missing for line in lines),
        },
        now,
    )
