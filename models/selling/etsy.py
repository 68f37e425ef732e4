"""The shop's Etsy account, what was begun and uploaded there, and choices for single products."""

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import SECRET, BigKey, Json, Moment, TenantBase, words
from models.selling.channel_accounts import ChannelAccount


class EtsyAccountStatus(StrEnum):
    """Whether Etsy takes our tokens."""

    CONNECTED = "connected"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


class EtsyAccount(ChannelAccount, TenantBase):
    """One Etsy shop. Its refresh token is good once: every refresh gives another one."""

    __tablename__ = "etsy_accounts"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), {"info": SECRET})

    status: Mapped[EtsyAccountStatus] = mapped_column(words(EtsyAccountStatus, "status"))
    remote_user_id: Mapped[str]
    """Etsy's number of the seller; reconnecting with another account is refused."""
    remote_shop_id: Mapped[int]
    """Etsy's number of their shop."""
    shop_name: Mapped[str]
    choices: Mapped[Json]
    """Profiles and policies that listings use, and who made the goods, as the seller decided."""

    @property
    def name_there(self) -> str:
        """As the seller knows it."""
        return self.shop_name


class EtsyDraft(TenantBase):
    """A listing that was begun at Etsy for a product, so that none is begun twice."""

    __tablename__ = "etsy_drafts"

    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    listing_id: Mapped[int]
    created_at: Mapped[Moment]


class EtsyPicture(TenantBase):
    """A photo that a listing at Etsy has, so that it is not uploaded twice."""

    __tablename__ = "etsy_pictures"

    listing_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    image_id: Mapped[int]
    uploaded_at: Mapped[Moment]


class EtsyProductChoice(TenantBase):
    """What a seller decided for Etsy alone; what is None is left to the account's choices."""

    __tablename__ = "etsy_product_choices"

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), unique=True
    )
    taxonomy_id: Mapped[int | None]
    """Etsy's category."""
    who_made: Mapped[str | None]
    when_made: Mapped[str | None]
    is_supply: Mapped[bool | None]
    properties: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Things said of the listing as a whole, in Etsy's own ids."""
