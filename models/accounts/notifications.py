"""What a person should know, until they have read it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, BigKey, Json, Moment, PlatformBase


class NotificationKind(StrEnum):
    """What it is about; clients choose their words and pictures by it."""

    SHOP_OPENED = "shop_opened"
    SHOP_SUSPENDED = "shop_suspended"
    SHOP_RESUMED = "shop_resumed"
    CHANNEL_NEEDS_RECONNECTING = "channel_needs_reconnecting"
    LISTINGS_DIFFER = "listings_differ"
    LISTINGS_HELD_BACK = "listings_held_back"
    GOODS_MAY_COME_BACK = "goods_may_come_back"
    VINTED_NEEDS_SELLER = "vinted_needs_seller"


class Notification(PlatformBase):
    """One thing that an account was told. Of the account, not of its shop: who was locked out of
    the shop can read why.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "source"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notifications_read_at", "read_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    id: Mapped[BigKey]
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    """A `NotificationKind`; later versions know more of them."""
    title: Mapped[str]
    message: Mapped[str]
    """In English; other languages are made of `kind` and `data`."""
    data: Mapped[Json]
    source: Mapped[str]
    """What made it, such as `event 41`: nobody is told of the same thing twice."""
    created_at: Mapped[Moment]
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """The truth about being read; how many are unread is counted from it."""
