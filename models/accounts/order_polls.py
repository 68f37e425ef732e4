"""When each connected account is to be asked for orders again."""

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase


class OrderPoll(PlatformBase):
    """One account of a shop whose orders are followed: so that a tick looks into no other shop."""

    __tablename__ = "order_polls"
    __table_args__ = (
        Index("ix_order_polls_due_at", "due_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[Moment]
