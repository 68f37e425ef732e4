"""Follows what was sold on Vinted; each order is taken over once, bundles as so many lines.

A row of the orders does not name its items: each that is new or has moved costs a request more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.vinted_orders import KnownOrder, VintedOrderRepository
from services.gateways.vinted.orders import Deal, OrderRow
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.handlers import Cancel, Completed, Journal, Parked, Verdict
from services.selling.vinted.desk import JobKey, VintedDesk, VintedWorkshop
from services.selling.vinted.preparing import key_of
from shared.database import TenantSession
from shared.money import Money

FIRST_SPAN = timedelta(days=30)
"""How far the first reading of an account goes back: each order of it costs a request."""

KNOWN_SPAN = timedelta(days=90)
"""Older orders do not move any more."""

MOST_LEFT_OPEN = 20
"""Orders on pages that were not read, asked for one by one in a job."""

MOST_PAGES = 50
DELIVERED = 400
"""Vinted's number for a parcel that has arrived; lower ones are not known well enough."""

_ENDED = frozenset({"completed", "failed"})


@dataclass(frozen=True, slots=True)
class OrdersCommand:
    """From when on to read, and what is known by transaction."""

    key: JobKey
    since: datetime
    known: Mapping[int, KnownOrder]
    now: datetime


@dataclass
class FoundOrders:
    """What a reading brought."""

    read: int = 0
    changed: int = 0
    unread: int = 0
    seen: set[int] = field(default_factory=set)


class VintedOrders:
    """Handler of `orders` jobs. Changes nothing on Vinted."""

    def __init__(self, shop: VintedWorkshop, taking: OrderTaking) -> None:
        self._shop = shop
        self._taking = taking

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> OrdersCommand | Verdict:
        """What is known by now."""
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        began = job.started_at or self._shop.clock.now()
        read_until = OrderCursorRepository(session).read_until(Channel.VINTED)
        since = began - FIRST_SPAN if read_until is None else read_until - FIRST_SPAN
        known = VintedOrderRepository(session).known(began - KNOWN_SPAN)
        return OrdersCommand(key, since, known, began)

    def perform(self, command: OrdersCommand, journal: Journal) -> FoundOrders | Parked:
        """Read page after page until nothing is new, then what was open and did not show."""
        desk = self._shop.desk(command.key, journal)
        found = FoundOrders()
        try:
            for row in _news(desk, command, found):
                self._take(desk, row, found)
            for row in list(_left_open(command, found))[:MOST_LEFT_OPEN]:
                self._take(desk, row, found)
        except AwaitingAnswer:
            return self._shop.parked()
        with self._shop.database.tenant(command.key.tenant) as session:
            OrderCursorRepository(session).move(Channel.VINTED, command.now, self._shop.clock.now())
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: FoundOrders) -> Verdict:
        """The orders are stored; say how many there were."""
        return Completed({"read": result.read, "changed": result.changed, "unread": result.unread})

    def _take(self, desk: VintedDesk, row: OrderRow, found: FoundOrders) -> None:
        deal = _deal(desk, row)
        told: Sequence[ToldOrder] = []
        unreadable: Sequence[UnreadableOrder] = []
        order = None if deal is None else told_of(row, deal)
        if order is None:
            problem = "Vinted does not say which items it was about, or what was paid."
            unreadable = [UnreadableOrder(str(row.transaction_id), problem)]
        else:
            told = [order]
        open_session = partial(self._shop.database.tenant, desk.key.tenant)
        taken = self._taking.take(open_session, Channel.VINTED, told, unreadable)
        found.changed += taken.changed
        found.unread += taken.unread
        desk.tell_once(f"took order {row.transaction_id}")


def _news(desk: VintedDesk, command: OrdersCommand, found: FoundOrders) -> Iterator[OrderRow]:
    """Rows that are new or have moved. A page that brings no news is the last that is read."""
    number, last = 1, 1
    while number <= min(last, MOST_PAGES):
        page = desk.client.orders(f"orders, page {number}", number)
        news = 0
        for row in page.rows:
            found.seen.add(row.transaction_id)
            found.read += 1
            if row.bought_at is not None and row.bought_at < command.since:
                continue
            known = command.known.get(row.transaction_id)
            # What this job took over a moment ago is known by now, and was news all the same.
            is_news = desk.told(f"took order {row.transaction_id}")
            if known is None or (known.status, known.user_status) != (row.status, row.user_status):
                news += 1
                yield row
            elif is_news:
                news += 1
        if not news:
            return
        last, number = page.total_pages or last, number + 1


def _left_open(command: OrdersCommand, found: FoundOrders) -> Iterator[OrderRow]:
    """Orders that were under way and stand on a page that was not read, as they were known."""
    for transaction_id, known in command.known.items():
        if transaction_id not in found.seen and known.user_status not in _ENDED:
            yield OrderRow(
                transaction_id=transaction_id,
                conversation_id=known.conversation_id,
                title=known.title,
                price=Money(known.price_minor, known.currency),
                status=known.status,
                user_status=known.user_status,
                bought_at=known.placed_at,
            )


def _deal(desk: VintedDesk, row: OrderRow) -> Deal | None:
    """The items of an order, by its transaction, else by its conversation."""
    step = f"order {row.transaction_id}"
    deal = desk.client.transaction(step, row.transaction_id)
    if deal is not None and deal.names_all:
        return deal
    if row.conversation_id is None:
        return None
    talk = desk.client.conversation(f"{step}, its conversation", row.conversation_id)
    return talk.deal if talk is not None and talk.deal and talk.deal.names_all else None


def told_of(row: OrderRow, deal: Deal) -> ToldOrder | None:
    """An order of Vinted's in the words of all channels; None without what was paid, or when."""
    if row.price is None or row.bought_at is None:
        return None
    status = _status_of(deal.user_status or row.user_status, deal.shipment_status)
    alone = len(deal.item_ids) == 1
    return ToldOrder(
        remote_order_id=str(row.transaction_id),
        status=status,
        placed_at=row.bought_at,
        # Vinted does not say when an order moved.
        modified_at=row.bought_at,
        total=row.price,
        goods=row.price,
        buyer=deal.buyer,
        remote={
            "conversation_id": row.conversation_id,
            "title": row.title,
            "status": row.status,
            "user_status": row.user_status,
            "transaction_status": deal.status,
            "shipment_status": deal.shipment_status,
        },
        lines=[
            ToldLine(
                remote_line_id=str(item_id),
                title=row.title,
                quantity=1,
                listing_id=str(item_id),
                total=row.price if alone else None,
                shipped=status is OrderStatus.SHIPPED,
            )
            for item_id in deal.item_ids
        ],
    )


def _status_of(user_status: str, shipment_status: int | None) -> OrderStatus:
    if user_status == "failed":
        return OrderStatus.CANCELLED
    arrived = shipment_status is not None and shipment_status >= DELIVERED
    return OrderStatus.SHIPPED if user_status == "completed" or arrived else OrderStatus.PAID
