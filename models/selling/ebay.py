"""The shop's eBay account and what was uploaded to it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import SECRET, BigKey, Moment, TenantBase, words
from models.selling.channel_accounts import ChannelAccount


class ConnectionStatus(StrEnum):
    """Whether eBay takes our tokens."""

    CONNECTED = "connected"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


class EbayConnection(ChannelAccount, TenantBase):
    """One eBay account."""

    __tablename__ = "ebay_connections"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), {"info": SECRET})

    status: Mapped[ConnectionStatus] = mapped_column(words(ConnectionStatus, "status"))
    remote_user_id: Mapped[str]
    """eBay's immutable user id; reconnecting with another account is refused."""
    username: Mapped[str]
    marketplace_id: Mapped[str]
    """The site that the shop sells on, such as `EBAY_FR`."""

    @property
    def name_there(self) -> str:
        """As the seller knows it."""
        return self.username


class EbayPicture(TenantBase):
    """A photo already at eBay, so that it is not uploaded twice."""

    __tablename__ = "ebay_pictures"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    image_url: Mapped[str]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    uploaded_at: Mapped[Moment]


class EbayProductChoice(TenantBase):
    """What a seller decided for eBay alone: a category of eBay's own, further item specifics."""

    __tablename__ = "ebay_product_choices"
    __table_args__ = (UniqueConstraint("product_id", "marketplace_id"),)

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    marketplace_id: Mapped[str]
    """Whose category and words these are: `EBAY_FR` has others than `EBAY_US`."""
    category_id: Mapped[str | None]
    aspects: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
