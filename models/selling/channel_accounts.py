"""What the shop's accounts at marketplaces with tokens have in common; each has its own table."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Json, Moment


class ChannelAccount:
    """One account; its tokens are Fernet ciphertexts with a key id in front."""

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Always 1: a shop has one account at each marketplace."""
    status: Mapped[StrEnum]
    """`connected`, `needs_reauth` or `disconnected`: whether the marketplace takes our tokens."""
    access_token: Mapped[str]
    access_expires_at: Mapped[Moment]
    refresh_token: Mapped[str]
    refresh_expires_at: Mapped[Moment]
    scopes: Mapped[list[str]] = mapped_column(JSONB)
    refreshing_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Held by the one process that is refreshing; no lock outlives its transaction."""
    readiness: Mapped[Json]
    """What listings need of the account, as the marketplace last told."""
    connected_at: Mapped[Moment]
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def connected(self) -> bool:
        """Whether the marketplace lets us in, as far as we know."""
        return self.status == "connected"

    @property
    def name_there(self) -> str:
        """As the seller knows it."""
        raise NotImplementedError
