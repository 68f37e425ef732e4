"""Orders as channels tell them, and the shop that takes them over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import text

from models.selling.orders import (
    ChannelOrder,
    ChannelOrderLine,
    OrderFollowUp,
    OrderShipment,
    OrderStatus,
    ShipmentStatus,
    StockEvent,
    StockMovement,
)
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.catalog import ProductRepository
from repositories.selling.order_shipments import ShipmentRepository
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.orders import OrderFilter, OrderRepository
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from services.selling.orders.taking import OrderTaking, Taken
from services.selling.orders.told import ToldLine, ToldOrder, UnreadableOrder
from services.selling.publishing.requesting import WorkRequests
from shared.clock import Clock, MovableClock
from shared.database import Database, TenantSchema, TenantSession
from shared.money import Money
from tests.factories.selling import make_product
from tests.fakes.channels import OpinionatedChannel

_numbers = count(1)


def told_line(sku: str | None, quantity: int | None = 1, **changes: Any) -> ToldLine:
    """A line that sold something under our key."""
    values: dict[str, Any] = {
        "remote_line_id": f"L{next(_numbers)}",
        "title": "Blue shirt",
        "quantity": quantity,
        "sku": sku,
        "total": Money(2500, "USD"),
        **changes,
    }
    return ToldLine(**values)


def told_order(clock: Clock, lines: Sequence[ToldLine], **changes: Any) -> ToldOrder:
    """An order that is paid and not sent."""
    values: dict[str, Any] = {
        "remote_order_id": f"27-{next(_numbers)}",
        "status": OrderStatus.PAID,
        "placed_at": clock.now(),
        "modified_at": clock.now(),
        "total": Money(3000, "USD"),
        "goods": Money(2500, "USD"),
        "shipping": Money(500, "USD"),
        "fee": Money(325, "USD"),
        "buyer": "buyer_1",
        "ship_to": {"name": "Ada Buyer", "city": "Paris", "country": "FR"},
        "lines": lines,
        **changes,
    }
    return ToldOrder(**values)


def make_order(
    session: TenantSession, clock: Clock, product_id: int, words: str, *, job_id: int | None
) -> ChannelOrder:
    """An order with a row in each table of the room; `words` stand in every text."""
    now = clock.now()
    order = ChannelOrder(
        channel=Channel.EBAY,
        remote_order_id=words,
        status=OrderStatus.PAID,
        currency="USD",
        total_minor=2500,
        refunded_minor=0,
        buyer=words,
        ship_to={"name": words},
        remote={},
        fingerprint=words,
        placed_at=now,
        modified_at=now,
        known_at=now,
        updated_at=now,
    )
    session.add(order)
    session.flush()
    line = ChannelOrderLine(
        order_id=order.id,
        remote_line_id=words,
        product_id=product_id,
        title=words,
        quantity=1,
        shipped=False,
        units_taken=1,
        units_missing=0,
        units_returned=0,
    )
    session.add(line)
    session.flush()
    session.add_all(
        [
            StockMovement(line_id=line.id, event="sold", units=-1, at=now),
            OrderFollowUp(
                order_id=order.id,
                product_id=product_id,
                channel=Channel.ETSY,
                event=StockEvent.SOLD,
                action=JobAction.DELETE,
                job_id=job_id,
                problem=words,
                known_at=now,
            ),
        ]
    )
    ShipmentRepository(session).add(
        OrderShipment(
            order_id=order.id,
            channel=Channel.EBAY,
            carrier=words,
            tracking=words,
            units={},
            status=ShipmentStatus.REFUSED,
            problem=words,
            requested_by=session.tenant.tenant_id,
            requested_at=now,
        )
    )
    cursors = OrderCursorRepository(session)
    cursors.move(Channel.EBAY, now, now)
    cursors.put_unread(Channel.EBAY, words, words, now)
    return order


@dataclass
class OrderedShop:
    """A shop with single pieces, and what its channels tell of them."""

    database: Database
    tenant: TenantSchema
    clock: MovableClock
    channel: OpinionatedChannel

    def __post_init__(self) -> None:
        offered = {Channel.EBAY: self.channel, Channel.ETSY: self.channel}
        self.taking = OrderTaking(WorkRequests(offered, self.clock), self.clock)

    def piece(self, quantity: int = 1, listed: Sequence[Channel] = (), **changes: Any) -> int:
        """A product with one variant, listed on some channels; returns its id."""
        with self.database.tenant(self.tenant) as session:
            product = make_product(session, self.clock, **changes)
            product.variants[0].quantity = quantity
            for channel in listed:
                ListingRepository(session).add(
                    ChannelListing(
                        product_id=product.id,
                        channel=channel,
                        status=ListingStatus.LIVE,
                        listing_id=f"{channel}-{product.id}",
                        remote={},
                        product_version=1,
                        read_back={},
                        published_at=self.clock.now() - timedelta(days=1),
                        checked_at=self.clock.now(),
                    )
                )
            return product.id

    def sku(self, product_id: int) -> str:
        """The key of its variant on every channel."""
        with self.database.tenant(self.tenant) as session:
            product = ProductRepository(session).get(product_id)
            assert product is not None
            return product.variants[0].channel_key

    def stock(self, product_id: int) -> tuple[int, int]:
        """Quantity and version of a product."""
        with self.database.tenant(self.tenant) as session:
            product = ProductRepository(session).get(product_id)
            assert product is not None
            return product.quantity, product.version

    def take(
        self,
        *told: ToldOrder,
        channel: Channel = Channel.EBAY,
        unreadable: Sequence[UnreadableOrder] = (),
    ) -> Taken:
        """What a channel's handler does with a page."""
        transactions = partial(self.database.tenant, self.tenant)
        return self.taking.take(transactions, channel, told, unreadable)

    def orders(self, **wanted: Any) -> Sequence[ChannelOrder]:
        """Newest first."""
        with self.database.tenant(self.tenant) as session:
            return OrderRepository(session).page(OrderFilter(**wanted), None, 100)

    def jobs(self, action: JobAction) -> Sequence[MarketplaceJob]:
        """What was asked for."""
        with self.database.tenant(self.tenant) as session:
            return JobRepository(session).page(JobFilter(action=action), None, 100)

    def movements(self) -> list[tuple[str, int]]:
        """Every event of stock, in order."""
        with self.database.tenant(self.tenant) as session:
            found = session.execute(text("SELECT event, units FROM stock_movements ORDER BY id"))
            return [(event, units) for event, units in found]
