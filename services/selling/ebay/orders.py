"""Orders of an eBay account, in the words of all channels."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobOutcome
from repositories.selling.ebay import EbayConnectionRepository
from services.gateways.ebay.fulfillment import (
    MAX_IDS,
    MAX_PAGE,
    EbayOrder,
    EbayOrderLine,
    OrderPage,
)
from services.gateways.ebay.oauth import FULFILLMENT_SCOPE
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.preparing import shut_out
from services.selling.orders.following import OrderFollowing, ToldPage
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.handlers import Cancel, Journal, Problem
from shared.database import TenantSchema, TenantSession
from shared.errors import EbayError

LONGEST_SPAN = timedelta(days=729)
"""eBay refuses to look back two years."""

_NOT_AGREED = Problem(
    "orders-not-agreed",
    "The eBay connection is older than the following of orders. Connect the eBay account again and "
    "agree to all of it.",
)
_SHIPPED = {
    "FULFILLED": OrderStatus.SHIPPED,
    "IN_PROGRESS": OrderStatus.PARTLY_SHIPPED,
}
_UNPAID = {"PENDING": OrderStatus.AWAITING_PAYMENT, "FAILED": OrderStatus.AWAITING_PAYMENT}


class EbayOrders(OrderFollowing[EbayWorkshop, None, EbayDesk]):
    """Handler of `orders` jobs on eBay."""

    channel, error = Channel.EBAY, EbayError
    most_unread = MAX_IDS

    def __init__(self, shop: EbayWorkshop, taking: OrderTaking, page_size: int = MAX_PAGE) -> None:
        super().__init__(shop, taking, page_size)

    def _account(self, session: TenantSession) -> Cancel | None:
        connection = EbayConnectionRepository(session).get()
        if connection is None or not connection.connected:
            return shut_out(session)
        agreed = FULFILLMENT_SCOPE in connection.scopes
        return None if agreed else Cancel(_NOT_AGREED, JobOutcome.BLOCKED)

    def _desk(self, tenant: TenantSchema, account: None, journal: Journal) -> EbayDesk:
        return self._shop.desk(tenant, journal)

    def _since(self, read_until: datetime | None, now: datetime) -> datetime:
        return max(super()._since(read_until, now), now - LONGEST_SPAN)

    def _again(self, desk: EbayDesk, order_ids: Sequence[str]) -> Iterator[ToldPage]:
        yield _told(desk.apis.fulfillment.by_ids(order_ids))
        desk.note("read orders again that could not be read", orders=len(order_ids))

    def _page(self, desk: EbayDesk, begin: datetime, end: datetime | None, offset: int) -> ToldPage:
        fulfillment = desk.apis.fulfillment
        return _told(fulfillment.changed(begin, end, offset=offset, limit=self._page_size))


def _told(page: OrderPage) -> ToldPage:
    unreadable = [UnreadableOrder(row.order_id, row.problem) for row in page.unreadable]
    orders = [told(each) for each in page.orders]
    return ToldPage(orders, unreadable, page.ids, page.size, page.total)


def told(order: EbayOrder) -> ToldOrder:
    """An order of eBay's in the words of all channels."""
    return ToldOrder(
        remote_order_id=order.order_id,
        status=_status_of(order),
        placed_at=order.created_at,
        modified_at=order.modified_at,
        total=order.total,
        goods=order.goods,
        shipping=order.shipping,
        refunded=order.refunded,
        fee=order.fee,
        buyer=order.buyer,
        ship_to=order.ship_to,
        remote={"payment": order.payment, "fulfillment": order.fulfillment},
        lines=[_line(line) for line in order.lines],
    )


def _line(line: EbayOrderLine) -> ToldLine:
    return ToldLine(
        remote_line_id=line.line_id,
        title=line.title,
        quantity=line.quantity,
        sku=line.sku,
        listing_id=line.listing_id,
        variation_id=line.variation_id,
        total=line.total,
        shipped=line.fulfilled,
    )


def _status_of(order: EbayOrder) -> OrderStatus:
    if order.cancelled:
        return OrderStatus.CANCELLED
    if order.payment == "FULLY_REFUNDED":
        return OrderStatus.REFUNDED
    paid = _UNPAID.get(order.payment, OrderStatus.PAID)
    return _SHIPPED.get(order.fulfillment, paid)
