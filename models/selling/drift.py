"""What sellers decided about listings that differed from their record."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ACCOUNT_ID, BigKey, Moment, TenantBase, words
from models.selling.publishing import Channel


class Keep(StrEnum):
    """Whose word counts."""

    OURS = "ours"
    """The listing is changed to what our record says."""
    THEIRS = "theirs"
    """Our record is changed to what the listing shows."""


class DriftDecision(TenantBase):
    """One difference, as it was when a seller decided about it. Written once, never changed."""

    __tablename__ = "drift_decisions"
    __table_args__ = (Index("ix_drift_decisions_product_id", "product_id"),)

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    listing_id: Mapped[str]
    field: Mapped[str]
    sku: Mapped[str | None]
    keep: Mapped[Keep] = mapped_column(words(Keep, "keep"))
    ours: Mapped[str | int | bool | list[int | str] | None] = mapped_column(JSONB)
    live: Mapped[str | int | bool | list[int | str] | None] = mapped_column(JSONB)
    job_id: Mapped[int | None]
    """The job that puts ours back."""
    decided_by: Mapped[int] = mapped_column(info=ACCOUNT_ID)
    """User id."""
    decided_at: Mapped[Moment]
