"""Tenants, the blueprints their schemas are made from, and their bells."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase, words


class TenantStatus(StrEnum):
    """Whether a shop may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Closed by the operator; everything stays where it is."""
    HIBERNATING = "hibernating"
    """On the way to sleep: nobody writes any more, the archive is being made."""
    HIBERNATED = "hibernated"
    """Archived in the object store, schema and role dropped; comes back when its owner signs in."""
    RETIRED = "retired"
    """Closed for good; dropped when its grace period is over."""


ASLEEP = (TenantStatus.HIBERNATING, TenantStatus.HIBERNATED)
"""Statuses from which a shop comes back when its owner signs in. No migration touches it until
then: its archive is upgraded on the way."""

BLUEPRINT_LOCK = 7_340_002
"""Key of the advisory lock on what new shops are made from: shared by everybody who makes one,
taken alone by whoever makes another blueprint the current one."""


class Tenant(PlatformBase):
    """A seller's shop; its schema is `user_<id>` and `id` is the owner's user id."""

    __tablename__ = "tenants"
    __table_args__ = (
        Index("ix_tenants_schema_version", "schema_version"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id"), primary_key=True, autoincrement=False
    )
    status: Mapped[TenantStatus] = mapped_column(words(TenantStatus, "status"))
    schema_version: Mapped[str]
    """Revision of the tenant migration line that the schema, or its archive, is at."""
    migration_error: Mapped[str | None]
    """Why the last migration left the shop at its revision; None when none failed."""
    migration_failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Moment]
    status_changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status_because: Mapped[str | None]
    """Why the operator closed it."""
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    drop_after: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """End of a retired shop's grace period."""
    archive_key: Mapped[str | None]
    """Where in the object store the archive of a hibernated or retired shop lies."""


class TenantBlueprint(PlatformBase):
    """The SQL that makes an empty schema at a revision, kept so that every process can run it.

    New shops are made at the one current revision, also by a process of an older version.
    """

    __tablename__ = "tenant_blueprints"
    __table_args__ = (
        Index(
            "uq_tenant_blueprints_current",
            "is_current",
            unique=True,
            postgresql_where=text("is_current"),
        ),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    revision: Mapped[str] = mapped_column(primary_key=True)
    statements: Mapped[list[str]] = mapped_column(JSONB)
    """In order; they name no schema."""
    is_current: Mapped[bool]
    recorded_at: Mapped[Moment]


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
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lane: Mapped[Lane] = mapped_column(words(Lane, "lane"), primary_key=True)
    due_at: Mapped[Moment]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Held by a worker that is looking at this tenant until then."""
