"""What was answered to requests that carried an `Idempotency-Key`."""

from datetime import datetime

from sqlalchemy import DateTime, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Moment, TenantBase


class IdempotencyKey(TenantBase):
    """A key of a client's own making, the request it came with, and our answer to it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    """SHA-256 of method, address and body: the same key with another request is refused."""
    status: Mapped[int | None]
    """HTTP status of the answer; None while the request is being served."""
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[str]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """For a request that is served in several transactions: until then nobody else may serve it."""
    created_at: Mapped[Moment]
