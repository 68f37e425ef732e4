"""What has been spent of each marketplace's call quotas, by all processes together."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, PlatformBase


class CallBudget(PlatformBase):
    """One quota of one account. Its row is locked while a call is paid for, never longer."""

    __tablename__ = "call_budgets"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    name: Mapped[str] = mapped_column(primary_key=True)
    """Which quota, such as `ebay.media`."""
    account: Mapped[str] = mapped_column(primary_key=True)
    """Whose: a shop's schema name, or empty for the application as a whole."""
    spent: Mapped[list[list[int]]] = mapped_column(JSONB)
    """Pairs of slice number and calls made in it, oldest first (see `CallWindow`)."""
    closed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """The marketplace itself refused; nobody asks before."""
    told_left: Mapped[int | None] = mapped_column(BigInteger)
    """What the marketplace last said it still takes; empty where it was not asked."""
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
