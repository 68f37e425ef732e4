"""Orders of an Etsy shop, in the words of all channels."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from models.selling.orders import OrderStatus
from models.selling.publishing import Channel
from services.gateways.etsy.receipts import (
    MAX_PAGE,
    EtsyReceipt,
    EtsyTransaction,
    ReceiptPage,
)
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.orders.following import OrderFollowing, ToldPage
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSchema, TenantSession
from shared.errors import EtsyError


class EtsyOrders(OrderFollowing[EtsyWorkshop, int, EtsyDesk]):
    """Handler of `orders` jobs on Etsy."""

    channel, error = Channel.ETSY, EtsyError
    most_unread = 20
    """Each is asked for in a call of its own."""

    def __init__(self, shop: EtsyWorkshop, taking: OrderTaking, page_size: int = MAX_PAGE) -> None:
        super().__init__(shop, taking, page_size)

    def _account(self, session: TenantSession) -> int | Cancel:
        return shop_at_etsy(session)

    def _desk(self, tenant: TenantSchema, account: int, journal: Journal) -> EtsyDesk:
        return self._shop.desk(tenant, account, journal)

    def _again(self, desk: EtsyDesk, order_ids: Sequence[str]) -> Iterator[ToldPage]:
        for each in order_ids:
            receipt = desk.receipts.receipt(int(each)) if each.isdigit() else None
            desk.note("read an order again that could not be read", found=receipt is not None)
            if receipt is not None:
                yield _told(ReceiptPage([receipt], [], 1))

    def _page(self, desk: EtsyDesk, begin: datetime, end: datetime | None, offset: int) -> ToldPage:
        return _told(desk.receipts.changed(begin, end, offset=offset, limit=self._page_size))


def _told(page: ReceiptPage) -> ToldPage:
    unreadable = [UnreadableOrder(row.receipt_id, row.problem) for row in page.unreadable]
    orders = [told(each) for each in page.receipts]
    return ToldPage(orders, unreadable, page.ids, page.size, page.total)


def told(receipt: EtsyReceipt) -> ToldOrder:
    """A receipt of Etsy's in the words of all channels. What Etsy keeps is not in it."""
    return ToldOrder(
        remote_order_id=str(receipt.receipt_id),
        status=_status_of(receipt),
        placed_at=receipt.created_at,
        modified_at=receipt.modified_at,
        total=receipt.total,
        goods=receipt.goods,
        shipping=receipt.shipping,
        refunded=receipt.refunded,
        buyer=receipt.buyer,
        ship_to=receipt.ship_to,
        remote={"status": receipt.status, "paid": receipt.paid, "shipped": receipt.shipped},
        lines=[_line(line) for line in receipt.lines],
    )


def _line(line: EtsyTransaction) -> ToldLine:
    return ToldLine(
        remote_line_id=str(line.transaction_id),
        title=line.title,
        quantity=line.quantity,
        sku=line.sku,
        listing_id=None if line.listing_id is None else str(line.listing_id),
        variation_id=None if line.product_id is None else str(line.product_id),
        total=line.total,
        shipped=line.shipped,
    )


def _status_of(receipt: EtsyReceipt) -> OrderStatus:
    if receipt.status in ("canceled", "cancelled"):
        return OrderStatus.CANCELLED
    if receipt.status == "fully refunded":
        return OrderStatus.REFUNDED
    if receipt.shipped:
        return OrderStatus.SHIPPED
    return OrderStatus.PAID if receipt.paid else OrderStatus.AWAITING_PAYMENT
