"""What goes out of the order routes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.selling.catalog.schemas import MoneyOut
from models.selling.orders import (
    ChannelOrder,
    ChannelOrderLine,
    OrderCursor,
    OrderShipment,
    OrderStatus,
    ShipmentStatus,
    StockEvent,
    UnreadOrder,
)
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from services.selling.orders.reading import FollowedUp, HowFar, OrderStory
from services.selling.orders.shipping import Parcel, QueuedShipment
from services.selling.publishing.account_work import AccountJob
from shared.money import Money


class OrderLineOut(BaseModel):
    """A line, the product it sold, and the units it got."""

    id: int
    product_id: int | None = Field(description="Null: not a product of this shop.")
    variant_id: int | None
    remote_line_id: str
    listing_id: str | None
    variation_id: str | None
    sku: str | None
    title: str
    quantity: int | None = Field(description="Null: the channel does not say.")
    total: MoneyOut | None
    shipped: bool
    units_taken: int = Field(description="Units that it took from stock.")
    units_missing: int = Field(description="Units sold although none was left: oversold.")
    units_returned: int = Field(description="Units that a cancellation gave back to stock.")

    @classmethod
    def of(cls, line: ChannelOrderLine, currency: str) -> "OrderLineOut":
        """Show a line."""
        fields = {name: getattr(line, name) for name in cls.model_fields if name != "total"}
        return cls(**fields, total=_money(line.total_minor, currency))


class OrderOut(BaseModel):
    """An order as its channel last told it."""

    id: int
    channel: Channel
    remote_order_id: str
    status: OrderStatus
    oversold: bool = Field(description="Whether something was sold of which none was left.")
    total: MoneyOut
    goods: MoneyOut | None
    shipping: MoneyOut | None
    refunded: MoneyOut
    fee: MoneyOut | None = Field(description="What the channel keeps; null until it tells.")
    buyer: str | None
    ship_to: Mapping[str, str]
    placed_at: datetime
    modified_at: datetime
    known_at: datetime
    lines: list[OrderLineOut]

    @classmethod
    def of(cls, order: ChannelOrder) -> "OrderOut":
        """Show an order."""
        currency = order.currency
        return cls(
            id=order.id,
            channel=order.channel,
            remote_order_id=order.remote_order_id,
            status=order.status,
            oversold=any(line.units_missing > 0 for line in order.lines),
            total=MoneyOut.of(Money(order.total_minor, currency)),
            goods=_money(order.goods_minor, currency),
            shipping=_money(order.shipping_minor, currency),
            refunded=MoneyOut.of(Money(order.refunded_minor, currency)),
            fee=_money(order.fee_minor, order.fee_currency or currency),
            buyer=order.buyer,
            ship_to=order.ship_to,
            placed_at=order.placed_at,
            modified_at=order.modified_at,
            known_at=order.known_at,
            lines=[OrderLineOut.of(line, currency) for line in order.lines],
        )


class FollowUpOut(BaseModel):
    """What the order made us do about a product on another channel."""

    product_id: int
    channel: Channel
    event: StockEvent
    action: JobAction = Field(description="`delete` when none was left, else `update`.")
    job_id: int | None
    status: JobStatus | None
    outcome: JobOutcome | None
    problem: str | None = Field(description="Why there is no job.")
    known_at: datetime = Field(description="When the sale was known here.")
    done_at: datetime | None
    seconds: float | None = Field(description="From the sale known to the other channel told.")

    @classmethod
    def of(cls, followed: FollowedUp) -> "FollowUpOut":
        """Show it."""
        what = followed.what
        done = followed.finished_at if followed.outcome is JobOutcome.OK else None
        return cls(
            product_id=what.product_id,
            channel=what.channel,
            event=what.event,
            action=what.action,
            job_id=what.job_id,
            status=followed.status,
            outcome=followed.outcome,
            problem=what.problem,
            known_at=what.known_at,
            done_at=done,
            seconds=None if done is None else max(0.0, (done - what.known_at).total_seconds()),
        )


class ShippedLineIn(BaseModel):
    """Units of one line that are in the parcel."""

    model_config = ConfigDict(extra="forbid")

    line_id: int = Field(strict=True, gt=0, lt=2**63)
    quantity: int = Field(strict=True, gt=0, lt=2**31)


class ShipmentIn(BaseModel):
    """A parcel that was sent."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"carrier": "USPS", "tracking": "9400100000000000000000"}]},
    )

    carrier: str = Field(
        min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_ .&-]+$",
        description="The channel's own word for it.",
    )  # fmt: skip
    tracking: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9 -]+$",
        description="Spaces and hyphens are left out.",
    )
    lines: list[ShippedLineIn] | None = Field(
        default=None, min_length=1, max_length=200, description="Null: all that was not sent yet."
    )

    def parcel(self) -> Parcel:
        """As the service takes it."""
        units = None if self.lines is None else [(row.line_id, row.quantity) for row in self.lines]
        return Parcel(self.carrier, self.tracking, units)


class ShipmentOut(BaseModel):
    """A parcel, and whether the channel knows of it."""

    id: int
    carrier: str
    tracking: str
    units: dict[str, int] = Field(description="By the channel's id of the line.")
    status: ShipmentStatus
    remote_id: str | None
    problem: str | None = Field(description="Why the channel refused it.")
    requested_at: datetime
    told_at: datetime | None

    @classmethod
    def of(cls, shipment: OrderShipment) -> "ShipmentOut":
        """Show it."""
        return cls.model_validate(shipment, from_attributes=True)


class ShipmentQueuedOut(ShipmentOut):
    """A parcel that the channel will be told of."""

    job_id: int

    @classmethod
    def queued(cls, queued: QueuedShipment) -> "ShipmentQueuedOut":
        """Show it with its job."""
        return cls(**dict(ShipmentOut.of(queued.shipment)), job_id=queued.job_id)


class OrderStoryOut(OrderOut):
    """An order with everything it caused."""

    follow_ups: list[FollowUpOut]
    shipments: list[ShipmentOut]

    @classmethod
    def told(cls, story: OrderStory) -> "OrderStoryOut":
        """Tell it whole."""
        return cls(
            **dict(OrderOut.of(story.order)),
            follow_ups=[FollowUpOut.of(each) for each in story.follow_ups],
            shipments=[ShipmentOut.of(each) for each in story.shipments],
        )


class CursorOut(BaseModel):
    """How far a channel has been read."""

    channel: Channel
    read_until: datetime = Field(
        description="The newest change that was read, by the channel's clock; what comes next is "
        "read from a little before it, however long the account was disconnected."
    )
    read_at: datetime

    @classmethod
    def of(cls, cursor: OrderCursor) -> "CursorOut":
        """Show it."""
        return cls.model_validate(cursor, from_attributes=True)


class UnreadOut(BaseModel):
    """An order that could not be taken over; it is tried again."""

    channel: Channel
    remote_order_id: str
    problem: str
    first_seen_at: datetime
    tried_at: datetime

    @classmethod
    def of(cls, unread: UnreadOrder) -> "UnreadOut":
        """Show it."""
        return cls.model_validate(unread, from_attributes=True)


class HowFarOut(BaseModel):
    """How far each channel has been read, and what could not be."""

    followed: list[Channel] = Field(description="Channels whose orders are fetched by itself.")
    channels: list[CursorOut]
    unread: list[UnreadOut]

    @classmethod
    def of(cls, found: HowFar) -> "HowFarOut":
        """Show it."""
        return cls(
            followed=list(found.followed),
            channels=[CursorOut.of(each) for each in found.cursors],
            unread=[UnreadOut.of(each) for each in found.unread],
        )


class SyncIn(BaseModel):
    """Which channels to fetch orders from."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"channels": ["ebay"]}]}
    )

    channels: list[Channel] | None = Field(
        default=None, max_length=len(Channel), description="Null: all whose orders are followed."
    )


class SyncItemOut(BaseModel):
    """The job that fetches a channel's orders."""

    channel: Channel
    job_id: int
    already: bool = Field(description="It was under way before.")


class SyncOut(BaseModel):
    """A job for each channel."""

    items: list[SyncItemOut]

    @classmethod
    def of(cls, jobs: Sequence[AccountJob]) -> "SyncOut":
        """Show them."""
        return cls(items=[SyncItemOut.model_validate(job, from_attributes=True) for job in jobs])


def _money(minor: int | None, currency: str) -> MoneyOut | None:
    return None if minor is None else MoneyOut.of(Money(minor, currency))
