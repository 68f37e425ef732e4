"""Channels on which the operator lets nothing be done."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import CATALOGUE, Moment, PlatformBase


class StoppedChannel(PlatformBase):
    """Its row is there while the channel is stopped for everybody."""

    __tablename__ = "stopped_channels"
    __table_args__ = ({"schema": "public", "info": CATALOGUE},)

    channel: Mapped[str] = mapped_column(primary_key=True)
    because: Mapped[str]
    """In the operator's words; sellers read it."""
    stopped_at: Mapped[Moment]
