"""What happened in a shop, numbered, for clients that watch it."""

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase


class ShopEvent(PlatformBase):
    """One piece of news, written in the transaction that made it."""

    __tablename__ = "shop_events"
    __table_args__ = (
        Index("ix_shop_events_created_at", "created_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3 … in each shop without a gap, in the order of the commits."""
    kind: Mapped[str]
    """The name under which clients hear of it, such as `job_status_update`."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Moment]


class ShopEventCounter(PlatformBase):
    """The last number given out in a shop; its lock lets one transaction number at a time.

    Kept apart from the events, which are deleted after a while: numbers never start again.
    """

    __tablename__ = "shop_event_counters"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_sequence: Mapped[int]
