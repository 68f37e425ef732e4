"""Bells for sellers' browsers: which shops have something for theirs to do."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase


class BrowserBell(PlatformBase):
    """Rung in the transaction that leaves a command; the process with the socket answers it."""

    __tablename__ = "browser_bells"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    due_at: Mapped[Moment]
