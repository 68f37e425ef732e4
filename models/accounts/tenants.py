"""Tenants and their bells."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Moment, PlatformBase, words


class TenantStatus(StrEnum):
    """Whether a shop may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Tenant(PlatformBase):
    """A seller's shop; its schema is `user_<id>` and `id` is the owner's user id."""

    __tablename__ = "tenants"
    __table_args__ = {"schema": "public"}

    id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id"), primary_key=True, autoincrement=False
    )
    status: Mapped[TenantStatus] = mapped_column(words(TenantStatus, "status"))
    schema_version: Mapped[str]
    """Revision of the tenant migration line that the schema is at."""
    created_at: Mapped[Moment]
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Lane(StrEnum):
    """Realtime work (delist, orders) never waits behind bulk work (publish, update)."""

    REALTIME = "realtime"
    BULK = "bulk"


class TenantBell(PlatformBase):
    """Rung in the transaction that leaves work behind, so that a worker finds the tenant.

    One row a tenant and lane: picking work among all tenants is one query on `due_at`.
    """

    __tablename__ = "tenant_bells"
    __table_args__ = (
        Index("ix_tenant_bells_lane_due_at", "lane", "due_at"),
        {"schema": "public"},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lane: Mapped[Lane] = mapped_column(words(Lane, "lane"), primary_key=True)
    due_at: Mapped[Moment]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Held by a worker that is looking at this tenant until then."""
