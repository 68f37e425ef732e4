"""Consent requests that are under way at a marketplace."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase


class ChannelConsent(PlatformBase):
    """Ties the `state` of an OAuth redirect to the shop that asked; usable once."""

    __tablename__ = "channel_consents"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the state: what is in the redirect cannot be read from the table."""
    channel: Mapped[str]
    sealed_verifier: Mapped[str | None]
    """The consent's PKCE verifier, encrypted; None on channels without."""
    tenant_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
