"""Follows the orders of an eBay account, page after page; a transaction an order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from models.selling.ebay import ConnectionStatus
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.ebay import EbayConnectionRepository
from repositories.selling.order_sync import OrderCursorRepository
from services.gateways.ebay.fulfillment import (
    MAX_IDS,
    MAX_PAGE,
    EbayOrder,
    EbayOrderLine,
    OrderPage,
)
from services.gateways.ebay.oauth import FULFILLMENT_SCOPE
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import EbayError, Remedy

OVERLAP = timedelta(minutes=15)
"""Read again each time: what eBay's list shows late, or moved while it was paged through."""

FIRST_SPAN = timedelta(days=90)
"""How far the first reading of an account goes back."""

LONGEST_SPAN = timedelta(days=729)
"""eBay refuses to look back two years."""

WINDOW = timedelta(days=7)
"""Older orders are read a week at a time; the cursor moves after each."""

READINGS = 3
"""How often a list that changes while it is read is begun anew in one attempt."""

TRY_UNREAD_AFTER = timedelta(hours=1)

_NOT_CONNECTED = Problem("ebay-not-connected", "Connect the eBay account first.")
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


@dataclass(frozen=True, slots=True)
class OrdersCommand:
    """From when on to read, and which orders could not be read before."""

    tenant: TenantSchema
    since: datetime
    again: Sequence[str]


@dataclass
class FoundOrders:
    """What a reading brought."""

    read: int = 0
    changed: int = 0
    unread: int = 0
    newest: datetime | None = None
    """Of eBay's clock."""
    seen: set[str] = field(default_factory=set)


class EbayOrders:
    """Handler of `orders` jobs. Nothing is changed on eBay, and what is known stays as it is."""

    def __init__(self, shop: EbayWorkshop, taking: OrderTaking, page_size: int = MAX_PAGE) -> None:
        self._shop = shop
        self._taking = taking
        self._page_size = page_size

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> OrdersCommand | Verdict:
        """From a little before the newest change that was read."""
        connection = EbayConnectionRepository(session).get()
        if connection is None or connection.status is not ConnectionStatus.CONNECTED:
            return Cancel(_NOT_CONNECTED, JobOutcome.BLOCKED)
        if FULFILLMENT_SCOPE not in connection.scopes:
            return Cancel(_NOT_AGREED, JobOutcome.BLOCKED)
        now, cursors = self._shop.clock.now(), OrderCursorRepository(session)
        read_until = cursors.read_until(Channel.EBAY)
        since = now - FIRST_SPAN if read_until is None else read_until - OVERLAP
        unread = cursors.unread(Channel.EBAY, MAX_IDS)
        again = [each for each in unread if now - each.tried_at >= TRY_UNREAD_AFTER]
        return OrdersCommand(
            session.tenant,
            max(since, now - LONGEST_SPAN),
            [each.remote_order_id for each in again],
        )

    def perform(self, command: OrdersCommand, journal: Journal) -> FoundOrders:
        """Read window after window; after each the cursor moves, and a later attempt goes on."""
        desk = self._shop.desk(command.tenant, journal)
        if journal.must_probe:
            journal.checkpoint("reading changes nothing on eBay", certain=True)
        found = FoundOrders()
        if command.again:
            self._take(desk, desk.apis.fulfillment.by_ids(command.again), found)
            desk.note("read orders again that could not be read", orders=len(command.again))
        for begin, end in _windows(command.since, self._shop.clock.now()):
            self._read_window(desk, begin, end, found)
            self._move(command.tenant, end or max(begin, found.newest or begin))
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: FoundOrders) -> Verdict:
        """The orders are stored; say how many there were."""
        return Completed({"read": result.read, "changed": result.changed, "unread": result.unread})

    def _read_window(
        self, desk: EbayDesk, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> None:
        for _ in range(READINGS):
            if self._read_whole(desk, begin, end, found):
                return
        raise EbayError(
            "eBay's list of orders changed each time while we read it; we try again.",
            remedy=Remedy.WAIT,
        )

    def _read_whole(
        self, desk: EbayDesk, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> bool:
        """Whether every order of the window was seen: a list that changes hides some behind a page.

        Absence proves nothing, so the cursor may move only after a complete reading.
        """
        seen: set[str] = set()
        total, offset = None, 0
        while total is None or offset < total:
            page = desk.apis.fulfillment.changed(begin, end, offset=offset, limit=self._page_size)
            self._take(desk, page, found)
            desk.note("read a page of orders", offset=offset, orders=page.size, total=page.total)
            seen |= page.ids
            if page.total != (page.total if total is None else total):
                return False
            if page.size == 0:
                break
            total, offset = page.total, offset + page.size
        return len(seen) >= (total or 0)

    def _take(self, desk: EbayDesk, page: OrderPage, found: FoundOrders) -> None:
        taken = self._taking.take(
            partial(self._shop.database.tenant, desk.tenant),
            Channel.EBAY,
            [told(order) for order in page.orders],
            [UnreadableOrder(row.order_id, row.problem) for row in page.unreadable],
        )
        found.read += len(page.ids - found.seen)
        found.seen |= page.ids
        found.changed += taken.changed
        found.unread += taken.unread
        moments = [order.modified_at for order in page.orders]
        found.newest = max([*moments, *([found.newest] if found.newest else [])], default=None)

    def _move(self, tenant: TenantSchema, read_until: datetime) -> None:
        with self._shop.database.tenant(tenant) as session:
            OrderCursorRepository(session).move(Channel.EBAY, read_until, self._shop.clock.now())


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


def _windows(since: datetime, now: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    """Closed weeks as long as they lie a day in the past, by whichever clock; then an open end."""
    begin = since
    while begin + WINDOW < now - timedelta(days=1):
        yield begin, begin + WINDOW
        begin += WINDOW
    yield begin, None
