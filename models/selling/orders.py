"""What was bought on channels: orders, their lines, and what each line did to the stock."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ACCOUNT_ID, BigKey, Json, Moment, TenantBase, words
from models.selling.publishing import Channel, JobAction


class OrderStatus(StrEnum):
    """How far an order is, in the words of all channels together."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    """All of the money went back; the goods may be anywhere."""


class StockEvent(StrEnum):
    """Why stock moved."""

    SOLD = "sold"
    RETURNED = "returned"
    """The order was cancelled before it was sent."""


class ChannelOrder(TenantBase):
    """One order on one channel, as the channel last told it."""

    __tablename__ = "channel_orders"
    __table_args__ = (
        UniqueConstraint("channel", "remote_order_id"),
        Index("ix_channel_orders_placed_at", "placed_at", "id"),
    )

    id: Mapped[BigKey]
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    remote_order_id: Mapped[str]
    status: Mapped[OrderStatus] = mapped_column(words(OrderStatus, "status"))
    currency: Mapped[str]
    """ISO 4217, of all amounts but the fee."""
    total_minor: Mapped[int]
    """What the buyer pays."""
    goods_minor: Mapped[int | None]
    shipping_minor: Mapped[int | None]
    refunded_minor: Mapped[int]
    fee_minor: Mapped[int | None]
    """What the channel keeps; None until it tells."""
    fee_currency: Mapped[str | None]
    buyer: Mapped[str | None]
    """The buyer's name on the channel."""
    ship_to: Mapped[Json]
    """Name, address and telephone number that a parcel needs, and nothing else of the buyer."""
    remote: Mapped[Json]
    """The channel's own words and numbers, for support."""
    fingerprint: Mapped[str]
    """SHA-256 of what the channel told: the same again changes nothing."""
    placed_at: Mapped[Moment]
    modified_at: Mapped[Moment]
    """The channel's own time of the last change."""
    known_at: Mapped[Moment]
    """When we first heard of it."""
    updated_at: Mapped[Moment]

    lines: Mapped[list["ChannelOrderLine"]] = relationship(
        order_by="ChannelOrderLine.id", lazy="raise"
    )


class ChannelOrderLine(TenantBase):
    """One line of an order, the product it sold, and the units that it got."""

    __tablename__ = "channel_order_lines"
    __table_args__ = (
        UniqueConstraint("order_id", "remote_line_id"),
        Index("ix_channel_order_lines_product_id", "product_id"),
        Index(
            "ix_channel_order_lines_oversold",
            "order_id",
            postgresql_where=text("units_missing > 0"),
        ),
        CheckConstraint("units_taken >= 0", name="taken_not_negative"),
        CheckConstraint("units_returned <= units_taken", name="returned_at_most_taken"),
    )

    id: Mapped[BigKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("channel_orders.id", ondelete="CASCADE"))
    remote_line_id: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    """None: nothing of ours, or it was sold before it came here."""
    variant_id: Mapped[int | None] = mapped_column(
        ForeignKey("product_variants.id", ondelete="SET NULL")
    )
    sku: Mapped[str | None]
    """As the channel tells it: our `channel_key` for what we listed."""
    listing_id: Mapped[str | None]
    variation_id: Mapped[str | None]
    title: Mapped[str]
    quantity: Mapped[int | None]
    """None: the channel does not say, which is neither 0 nor 1."""
    total_minor: Mapped[int | None]
    """Minor units of the order's currency."""
    shipped: Mapped[bool]
    units_taken: Mapped[int]
    """Units that this line took from stock."""
    units_missing: Mapped[int]
    """Units that were sold although none was left."""
    units_returned: Mapped[int]


class StockMovement(TenantBase):
    """One change of stock by an order line. The unique pair lets each event count once."""

    __tablename__ = "stock_movements"
    __table_args__ = (UniqueConstraint("line_id", "event"),)

    id: Mapped[BigKey]
    line_id: Mapped[int] = mapped_column(ForeignKey("channel_order_lines.id", ondelete="CASCADE"))
    event: Mapped[str]
    """`sold`, `sold 3` when the line later grew to three, `returned`."""
    units: Mapped[int]
    """Added to stock; below 0: taken."""
    at: Mapped[Moment]


class OrderFollowUp(TenantBase):
    """What an order made us do about the same product on another channel, and since when."""

    __tablename__ = "order_follow_ups"
    __table_args__ = (UniqueConstraint("order_id", "product_id", "channel", "event"),)

    id: Mapped[BigKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("channel_orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    event: Mapped[StockEvent] = mapped_column(words(StockEvent, "event"))
    action: Mapped[JobAction] = mapped_column(words(JobAction, "action"))
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("marketplace_jobs.id", ondelete="SET NULL")
    )
    problem: Mapped[str | None]
    """Why there is no job."""
    known_at: Mapped[Moment]


class ShipmentStatus(StrEnum):
    """How far a parcel is on the way into the channel's books."""

    WAITING = "waiting"
    SENDING = "sending"
    """The channel was told and has not answered: it is asked before it is told again."""
    TOLD = "told"
    REFUSED = "refused"


class OrderShipment(TenantBase):
    """A parcel that the seller has sent, and whether the channel knows of it."""

    __tablename__ = "order_shipments"
    __table_args__ = (
        Index("ix_order_shipments_order_id", "order_id"),
        Index(
            "ix_order_shipments_open",
            "channel",
            "id",
            postgresql_where=text("status IN ('waiting', 'sending')"),
        ),
    )

    id: Mapped[BigKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("channel_orders.id", ondelete="CASCADE"))
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    """The order's."""
    carrier: Mapped[str]
    """The channel's own word for it, such as `USPS`."""
    tracking: Mapped[str]
    units: Mapped[dict[str, int]] = mapped_column(JSONB)
    """By the channel's id of the line."""
    status: Mapped[ShipmentStatus] = mapped_column(words(ShipmentStatus, "status"))
    remote_id: Mapped[str | None]
    problem: Mapped[str | None]
    """Why the channel refused it."""
    requested_by: Mapped[int] = mapped_column(info=ACCOUNT_ID)
    requested_at: Mapped[Moment]
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OrderCursor(TenantBase):
    """How far the orders of a channel have been read; it stays when the account is disconnected."""

    __tablename__ = "order_cursors"

    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"), primary_key=True)
    read_until: Mapped[Moment]
    """The newest change that was read, by the channel's clock."""
    read_at: Mapped[Moment]


class UnreadOrder(TenantBase):
    """An order that could not be taken over; the others were, and it is tried again."""

    __tablename__ = "unread_orders"
    __table_args__ = (UniqueConstraint("channel", "remote_order_id"),)

    id: Mapped[BigKey]
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    remote_order_id: Mapped[str]
    problem: Mapped[str]
    first_seen_at: Mapped[Moment]
    tried_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
