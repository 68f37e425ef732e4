"""What happened, for whoever in the house wants to know: events, and where each has been told."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, BigKey, Json, Moment, PlatformBase, words

NO_TENANT = 0
"""In place of a shop's number: the event concerns the installation."""

ROUTING_LOCK = 7_340_003
"""Key of the advisory lock under which events are routed, by one process at a time and so in the
order in which they were recorded."""


class OutboxEvent(PlatformBase):
    """One thing that happened, written in the transaction that made it happen."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_events_unrouted", "id", postgresql_where=text("routed_at IS NULL")),
        Index("ix_outbox_events_recorded_at", "recorded_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    id: Mapped[BigKey]
    tenant_id: Mapped[int]
    """The shop, or `NO_TENANT`."""
    kind: Mapped[str]
    version: Mapped[int]
    """Of the kind's payload, so that a later version can read what an earlier one wrote."""
    payload: Mapped[Json]
    recorded_at: Mapped[Moment]
    routed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When its deliveries were made; None: nobody has looked yet who knows this kind."""


class DeliveryState(StrEnum):
    """Where an event is on its way to one subscriber."""

    PENDING = "pending"
    DELIVERED = "delivered"
    """What the subscriber did was committed together with this word."""
    PARKED = "parked"
    """Poison: it failed too often, and a person has to look."""
    DISMISSED = "dismissed"
    """A person has looked and let it go."""


class OutboxDelivery(PlatformBase):
    """An event on its way to one subscriber."""

    __tablename__ = "outbox_deliveries"
    __table_args__ = (
        Index(
            "ix_outbox_deliveries_pending",
            "tenant_id",
            "subscriber",
            "event_id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_outbox_deliveries_parked", "event_id", postgresql_where=text("state = 'parked'")),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    event_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("public.outbox_events.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    subscriber: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState, "state"))
    attempts: Mapped[int]
    """Begun; one that killed its process counts too."""
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When it was delivered, parked or dismissed."""
    problem_code: Mapped[str | None]
    problem_detail: Mapped[str | None]
    """Of the last failure; never what the event says."""


class OutboxStream(PlatformBase):
    """One shop's events on their way to one subscriber: there while any are pending.

    Like a bell, it lets a relay find work among all shops by one query on `due_at`; and whoever
    holds it delivers its events in their order.
    """

    __tablename__ = "outbox_streams"
    __table_args__ = (
        Index("ix_outbox_streams_due_at", "due_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    subscriber: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[Moment]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_id: Mapped[UUID | None] = mapped_column(Uuid)
