"""Where a shop itself says that a category of ours belongs on a marketplace."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigKey, Moment, TenantBase, words
from models.selling.publishing import Channel


class CategoryChoice(TenantBase):
    """A place chosen for all products of a category; it goes before the mapping that ships."""

    __tablename__ = "category_choices"
    __table_args__ = (UniqueConstraint("channel", "site", "category_code", "department"),)

    id: Mapped[BigKey]
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    site: Mapped[str]
    """eBay's, such as `EBAY_FR`, whose number it is; empty where a channel has one tree."""
    category_code: Mapped[str]
    department: Mapped[str]
    """A department's code; empty: for anybody for whom nothing else is chosen."""
    remote_id: Mapped[str]
    remote_path: Mapped[str]
    chosen_at: Mapped[Moment]
