"""Follows the orders of an Etsy shop, page after page; a transaction an order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from models.selling.etsy import EtsyAccountStatus
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.etsy import EtsyAccountRepository
from repositories.selling.order_sync import OrderCursorRepository
from services.gateways.etsy.receipts import (
    MAX_PAGE,
    EtsyReceipt,
    EtsyTransaction,
    ReceiptPage,
)
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.preparing import blocked
from services.selling.etsy.readiness import account_gaps
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.handlers import Completed, Journal, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import EtsyError, Remedy

OVERLAP = timedelta(minutes=15)
"""Read again each time: what Etsy's list shows late, or moved while it was paged through."""

FIRST_SPAN = timedelta(days=90)
"""How far the first reading of an account goes back."""

WINDOW = timedelta(days=7)
"""Older orders are read a week at a time: Etsy shows no more than 12,100 rows of a list. The cursor
moves after each."""

READINGS = 3
"""How often a list that changes while it is read is begun anew in one attempt."""

TRY_UNREAD_AFTER = timedelta(hours=1)
MOST_UNREAD = 20
"""Unread orders that are asked for again at once, each in a call of its own."""

_CHANGED = "Etsy's list of orders changed each time while we read it; we try again."


@dataclass(frozen=True, slots=True)
class OrdersCommand:
    """From when on to read, and which orders could not be read before."""

    tenant: TenantSchema
    shop_id: int
    since: datetime
    again: Sequence[str]


@dataclass
class FoundOrders:
    """What a reading brought."""

    changed: int = 0
    unread: int = 0
    newest: datetime | None = None
    """Of Etsy's clock."""
    seen: set[str] = field(default_factory=set)


class EtsyOrders:
    """Handler of `orders` jobs. Nothing is changed on Etsy, and what is known stays as it is."""

    def __init__(self, shop: EtsyWorkshop, taking: OrderTaking, page_size: int = MAX_PAGE) -> None:
        self._shop = shop
        self._taking = taking
        self._page_size = page_size

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> OrdersCommand | Verdict:
        """From a little before the newest change that was read."""
        account = EtsyAccountRepository(session).get()
        if account is None or account.status is not EtsyAccountStatus.CONNECTED:
            return blocked(tuple(account_gaps(account)))
        now, cursors = self._shop.clock.now(), OrderCursorRepository(session)
        read_until = cursors.read_until(Channel.ETSY)
        since = now - FIRST_SPAN if read_until is None else read_until - OVERLAP
        unread = cursors.unread(Channel.ETSY, MOST_UNREAD)
        again = [each for each in unread if now - each.tried_at >= TRY_UNREAD_AFTER]
        return OrdersCommand(
            session.tenant,
            account.remote_shop_id,
            since,
            [each.remote_order_id for each in again],
        )

    def perform(self, command: OrdersCommand, journal: Journal) -> FoundOrders:
        """Read window after window; after each the cursor moves, and a later attempt goes on."""
        desk = self._shop.desk(command.tenant, command.shop_id, journal)
        if journal.must_probe:
            journal.checkpoint("reading changes nothing on Etsy", certain=True)
        found = FoundOrders()
        for receipt_id in command.again:
            self._again(desk, receipt_id, found)
        for begin, end in _windows(command.since, self._shop.clock.now()):
            self._read_window(desk, begin, end, found)
            self._move(command.tenant, end or max(begin, found.newest or begin))
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: FoundOrders) -> Verdict:
        """The orders are stored; say how many there were."""
        read = len(result.seen)
        return Completed({"read": read, "changed": result.changed, "unread": result.unread})

    def _again(self, desk: EtsyDesk, receipt_id: str, found: FoundOrders) -> None:
        receipt = desk.receipts.receipt(int(receipt_id)) if receipt_id.isdigit() else None
        desk.note("read an order again that could not be read", found=receipt is not None)
        if receipt is not None:
            self._take(desk, ReceiptPage([receipt], [], 1), found)

    def _read_window(
        self, desk: EtsyDesk, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> None:
        if not any(self._read_whole(desk, begin, end, found) for _ in range(READINGS)):
            raise EtsyError(_CHANGED, remedy=Remedy.WAIT)

    def _read_whole(
        self, desk: EtsyDesk, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> bool:
        """Whether every order of the window was seen: a list that changes hides some behind a page.

        Absence proves nothing, so the cursor may move only after a complete reading.
        """
        seen: set[str] = set()
        total, offset = None, 0
        while total is None or offset < total:
            page = desk.receipts.changed(begin, end, offset=offset, limit=self._page_size)
            self._take(desk, page, found)
            desk.note("read a page of orders", offset=offset, orders=page.size, total=page.total)
            seen |= page.ids
            if page.total != (page.total if total is None else total):
                return False
            if page.size == 0:
                break
            total, offset = page.total, offset + page.size
        return len(seen) >= (total or 0)

    def _take(self, desk: EtsyDesk, page: ReceiptPage, found: FoundOrders) -> None:
        taken = self._taking.take(
            partial(self._shop.database.tenant, desk.tenant),
            Channel.ETSY,
            [told(receipt) for receipt in page.receipts],
            [UnreadableOrder(row.receipt_id, row.problem) for row in page.unreadable],
        )
        found.seen |= page.ids
        found.changed += taken.changed
        found.unread += taken.unread
        moments = [receipt.modified_at for receipt in page.receipts]
        found.newest = max([*moments, *([found.newest] if found.newest else [])], default=None)

    def _move(self, tenant: TenantSchema, read_until: datetime) -> None:
        with self._shop.database.tenant(tenant) as session:
            OrderCursorRepository(session).move(Channel.ETSY, read_until, self._shop.clock.now())


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


def _windows(since: datetime, now: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    """Closed weeks as long as they lie a day in the past, by whichever clock; then an open end."""
    begin = since
    while begin + WINDOW < now - timedelta(days=1):
        yield begin, begin + WINDOW
        begin += WINDOW
    yield begin, None
