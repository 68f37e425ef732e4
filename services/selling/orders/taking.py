"""Takes over orders from channels: each once, whoever brings it and however often."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from models.accounts.tenants import Lane
from models.selling.orders import ChannelOrder, ChannelOrderLine, OrderStatus
from models.selling.publishing import Channel
from repositories.accounts.bells import BellRepository
from repositories.selling.order_stock import StockRepository
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.orders import OrderRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.selling.orders.fence import SaleFence
from services.selling.orders.following_up import FollowingUp
from services.selling.orders.news import tell_of_order
from services.selling.orders.returning import came_back
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.requesting import WorkRequests
from shared.clock import Clock
from shared.database import TenantSession
from shared.database.outages import outage_in
from shared.errors import DatabaseError, StoflowError

log = structlog.get_logger(__name__)

Transactions = Callable[[], AbstractContextManager[TenantSession]]
"""Opens a short transaction in the shop."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many orders of a page were new or changed, as before, or not to be taken over."""

    changed: int
    same: int
    unread: int


class OrderTaking:
    """Stores what channels tell. A transaction an order, so that one bad row stops no other."""

    def __init__(self, requests: WorkRequests, clock: Clock) -> None:
        self._following_up = FollowingUp(requests)
        self._outbox = OutboxRecorder(clock)
        self._clock = clock

    def take(
        self,
        transactions: Transactions,
        channel: Channel,
        told: Sequence[ToldOrder],
        unreadable: Sequence[UnreadableOrder] = (),
    ) -> Taken:
        """Take over a page. Raises only when the database is away or the shop is closed."""
        with transactions() as session:
            known = OrderRepository(session).fingerprints(
                channel, [order.remote_order_id for order in told]
            )
        news = [each for each in told if known.get(each.remote_order_id) != each.fingerprint]
        refused = [*unreadable, *self._each(transactions, channel, news)]
        self._list_unread(transactions, channel, news, refused)
        return Taken(
            changed=len(news) + len(unreadable) - len(refused),
            same=len(told) - len(news),
            unread=len(refused),
        )

    def _each(
        self, transactions: Transactions, channel: Channel, news: Sequence[ToldOrder]
    ) -> Iterable[UnreadableOrder]:
        for told in news:
            try:
                with transactions() as session:
                    self.take_one(session, channel, told)
            except Exception as error:
                if isinstance(error, DatabaseError) or outage_in(error) is not None:
                    raise
                yield UnreadableOrder(told.remote_order_id, _said(error))

    def take_one(self, session: TenantSession, channel: Channel, told: ToldOrder) -> None:
        """Store one order and let it have its units, in the session's transaction.

        The bell first: whoever leaves work for a shop passes there before any other lock.
        """
        now, orders = self._clock.now(), OrderRepository(session)
        BellRepository(session).ring(session.tenant, Lane.REALTIME, now)
        columns = _columns(channel, told, now)
        is_new = orders.insert_unless_there({**columns, "known_at": now})
        order = orders.locked(channel, told.remote_order_id)
        if told.modified_at < order.modified_at:
            return
        before = None if is_new else order.status
        if not is_new:
            for name, value in columns.items():
                setattr(order, name, value)
        lines = self._lines(session, order, told)
        fence = SaleFence(session, [each.product_id for each in lines if each.product_id], now)
        for line in lines:
            if order.status is not OrderStatus.CANCELLED:
                fence.claim(line)
            elif not line.shipped:
                fence.release(line)
        orders.save()
        self._following_up.follow_up(session, order, fence, now)
        if before is not order.status and (asked := came_back(order, lines)) is not None:
            self._outbox.record(session, asked)
        tell_of_order(session, order, lines, now)

    def _lines(
        self, session: TenantSession, order: ChannelOrder, told: ToldOrder
    ) -> Sequence[ChannelOrderLine]:
        known = {line.remote_line_id: line for line in order.lines}
        new = [line for line in told.lines if line.remote_line_id not in known]
        sold = _sold(session, order, new)
        for line in told.lines:
            row = known.get(line.remote_line_id)
            if row is None:
                row = _new_line(order.id, line, *sold.get(line.remote_line_id, (None, None)))
                known[line.remote_line_id] = row
                OrderRepository(session).add_line(row)
            row.quantity = row.quantity if line.quantity is None else line.quantity
            row.shipped = line.shipped
            row.total_minor = line.total.minor if line.total else row.total_minor
        return list(known.values())

    def _list_unread(
        self,
        transactions: Transactions,
        channel: Channel,
        news: Sequence[ToldOrder],
        refused: Sequence[UnreadableOrder],
    ) -> None:
        ids = {each.remote_order_id for each in refused}
        read = [each.remote_order_id for each in news if each.remote_order_id not in ids]
        if not read and not refused:
            return
        with transactions() as session:
            cursors = OrderCursorRepository(session)
            cursors.forget_unread(channel, read)
            for each in refused:
                cursors.put_unread(channel, each.remote_order_id, each.problem, self._clock.now())


def _sold(
    session: TenantSession, order: ChannelOrder, lines: Sequence[ToldLine]
) -> Mapping[str, tuple[int, int]]:
    """Product and variant by line: by our key, by the seller's SKU in a listing we know, or by the
    only variant listed."""
    stock, placed_at = StockRepository(session), order.placed_at
    by_key = stock.by_channel_keys([line.sku for line in lines if line.sku], placed_at)
    listings = [line.listing_id for line in lines if line.listing_id]
    by_sku = stock.by_listed_skus(order.channel, listings, placed_at)
    by_listing = stock.by_listings(order.channel, listings, placed_at)
    found = {
        line.remote_line_id: by_key.get(line.sku or "")
        or by_sku.get((line.listing_id or "", line.sku or ""))
        or by_listing.get(line.listing_id or "")
        for line in lines
    }
    return {line_id: variant for line_id, variant in found.items() if variant is not None}


def _new_line(
    order_id: int, line: ToldLine, product_id: int | None, variant_id: int | None
) -> ChannelOrderLine:
    return ChannelOrderLine(
        order_id=order_id,
        remote_line_id=line.remote_line_id,
        product_id=product_id,
        variant_id=variant_id,
        sku=line.sku,
        listing_id=line.listing_id,
        variation_id=line.variation_id,
        title=line.title,
        quantity=line.quantity,
        total_minor=line.total.minor if line.total else None,
        shipped=line.shipped,
        units_taken=0,
        units_missing=0,
        units_returned=0,
    )


def _columns(channel: Channel, told: ToldOrder, now: datetime) -> dict[str, Any]:
    return {
        "channel": channel,
        "remote_order_id": told.remote_order_id,
        "status": told.status,
        "currency": told.total.currency,
        "total_minor": told.total.minor,
        "goods_minor": told.goods.minor if told.goods else None,
        "shipping_minor": told.shipping.minor if told.shipping else None,
        "refunded_minor": told.refunded.minor if told.refunded else 0,
        "fee_minor": told.fee.minor if told.fee else None,
        "fee_currency": told.fee.currency if told.fee else None,
        "buyer": told.buyer,
        "ship_to": dict(told.ship_to),
        "remote": dict(told.remote),
        "fingerprint": told.fingerprint,
        "placed_at": told.placed_at,
        "modified_at": told.modified_at,
        "updated_at": now,
    }


def _said(error: Exception) -> str:
    if isinstance(error, StoflowError) and error.status < 500:
        return error.detail
    log.exception("order.not_taken")
    return "Something went wrong on our side; we try again."
