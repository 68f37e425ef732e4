"""Jobs, their steps, batches of jobs, and what is listed on which channel."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.accounts.tenants import Lane
from models.base import ACCOUNT_ID, BigKey, Json, Moment, TenantBase, words


class Channel(StrEnum):
    """A place where a product can be listed."""

    EBAY = "ebay"
    ETSY = "etsy"
    VINTED = "vinted"
    BAZAAR = "bazaar"


class JobAction(StrEnum):
    """What a job does on a channel."""

    PUBLISH = "publish"
    UPDATE = "update"
    DELETE = "delete"
    SYNC = "sync"
    ORDERS = "orders"
    MESSAGE = "message"
    LINK = "link"
    SHIP = "ship"
    IMPORT = "import"

    @property
    def lane(self) -> Lane:
        """Ending listings and what buyers wait for cannot wait behind a batch of publications."""
        urgent = self in {JobAction.DELETE, JobAction.ORDERS, JobAction.SHIP}
        return Lane.REALTIME if urgent else Lane.BULK


class JobStatus(StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    PARKED = "parked"
    """Waiting for an answer from outside; costs no thread."""
    DONE = "done"
    CANCELLED = "cancelled"


class JobOutcome(StrEnum):
    """How the last attempt ended. `unknown` on a pending job: being checked on the channel."""

    OK = "ok"
    REJECTED = "rejected"
    """The data must change before another try makes sense."""
    UNKNOWN = "unknown"
    """It may have happened; the channel is asked before anything is tried again."""
    BLOCKED = "blocked"
    """Attempts ran out, or the account must be mended first."""


LIVE_STATUSES = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PARKED)

_LIVE = text("status IN ('pending', 'running', 'parked')")


class JobBatch(TenantBase):
    """Jobs that were asked for together."""

    __tablename__ = "job_batches"
    __table_args__ = (
        Index("ix_job_batches_paused", "id", postgresql_where=text("paused_at IS NOT NULL")),
    )

    id: Mapped[BigKey]
    action: Mapped[JobAction] = mapped_column(words(JobAction, "action"))
    requested_by: Mapped[int] = mapped_column(info=ACCOUNT_ID)
    """User id."""
    created_at: Mapped[Moment]
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Set while no further job of it may be picked up."""
    resumed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the seller last cancelled what was left of it."""


class MarketplaceJob(TenantBase):
    """One piece of background work on one channel."""

    __tablename__ = "marketplace_jobs"
    __table_args__ = (
        Index(
            "uq_marketplace_jobs_live",
            text("coalesce(product_id, 0)"),
            "channel",
            "action",
            unique=True,
            postgresql_where=_LIVE,
        ),
        Index(
            "ix_marketplace_jobs_due",
            "lane",
            "priority",
            "id",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_marketplace_jobs_due_at",
            "lane",
            "due_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_marketplace_jobs_leased",
            "leased_until",
            postgresql_where=text("status IN ('running', 'parked')"),
        ),
        Index("ix_marketplace_jobs_batch_id", "batch_id"),
        Index("ix_marketplace_jobs_product_id", "product_id"),
    )

    id: Mapped[BigKey]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("job_batches.id"))
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    action: Mapped[JobAction] = mapped_column(words(JobAction, "action"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    lane: Mapped[Lane] = mapped_column(words(Lane, "lane"))
    priority: Mapped[int]
    """Smaller goes first; jobs of equal priority run in the order they were asked for."""
    status: Mapped[JobStatus] = mapped_column(words(JobStatus, "status"))
    outcome: Mapped[JobOutcome | None] = mapped_column(words(JobOutcome, "outcome"))
    due_at: Mapped[Moment]
    attempts: Mapped[int]
    """Pick-ups since the seller asked, snoozes left out."""
    max_attempts: Mapped[int]
    """How often each may happen: failures in passing, lost answers, deaths of workers."""
    waiting_for: Mapped[str | None]
    """Why it is not running now, in the seller's words."""
    problem_code: Mapped[str | None]
    problem_detail: Mapped[str | None]
    problem_fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    payload: Mapped[Json]
    """What was asked for, frozen when it was asked."""
    progress: Mapped[Json]
    """Finished sub-steps and the remote ids they gave; a later attempt goes on from here."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    lease_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """Changes with every pick-up; whoever holds an older one cannot write any more."""
    lease_owner: Mapped[str | None]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    requested_by: Mapped[int] = mapped_column(BigInteger, info=ACCOUNT_ID)
    created_at: Mapped[Moment]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def is_live(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in LIVE_STATUSES


class JobStep(TenantBase):
    """One line of a job's story, written by the processor itself."""

    __tablename__ = "job_steps"
    __table_args__ = (Index("ix_job_steps_job_id", "job_id", "id"),)

    id: Mapped[BigKey]
    job_id: Mapped[int] = mapped_column(ForeignKey("marketplace_jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    name: Mapped[str]
    """`picked up`, a handler's sub-step such as `create offer`, or how the attempt ended."""
    lease_owner: Mapped[str]
    request_digest: Mapped[str | None]
    response_digest: Mapped[str | None]
    http_status: Mapped[int | None]
    detail: Mapped[Json]
    started_at: Mapped[Moment]
    finished_at: Mapped[Moment]


class ListingStatus(StrEnum):
    """What we last knew of a listing."""

    LIVE = "live"
    ENDED = "ended"


class ChannelListing(TenantBase):
    """What is listed where: at most one row a product and channel."""

    __tablename__ = "channel_listings"
    __table_args__ = (UniqueConstraint("product_id", "channel"),)

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    status: Mapped[ListingStatus] = mapped_column(words(ListingStatus, "status"))
    listing_id: Mapped[str]
    """The channel's own id of the listing."""
    url: Mapped[str | None]
    remote: Mapped[Json]
    """Further ids the channel gave, such as eBay's offer ids by SKU."""
    product_version: Mapped[int]
    """Version of the product that was sent last."""
    read_back: Mapped[Json]
    """The live listing as the channel showed it after the last write, and how it differs."""
    published_at: Mapped[Moment]
    checked_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
